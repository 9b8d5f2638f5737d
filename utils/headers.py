"""What a recording's own headers say of its end, which FFmpeg does not check."""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

# Sizes from here on, in 32 bits, are what programs write that cannot know the length.
UNKNOWN_BYTES = 2**31 - 2**16
ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
EBML_HEADER = b"\x1a\x45\xdf\xa3"  # Matroska and WebM
MOST_CHUNKS = 100_000  # looked at: an MP4 in fragments has two a second
OGG_TAIL = 128 * 1024  # a page has at most 65,307 bytes
OGG_LAST = 4  # flag of a stream's last page (RFC 3533)


@dataclass(frozen=True)
class Claim:
    """What the headers say, and what is there.

    Parameters
    ----------
    size : of the file, in bytes
    end : byte up to which it must reach; None where it does not say
    goes_on : a WAV that holds more sound than its header says, or whose header cannot know
    empty : a WAV without sound, which FFmpeg takes for one whose header cannot know
    counted : an MP3 that says how many frames it has
    unended : an Ogg without a last page
    """

    size: int
    end: int | None = None
    goes_on: bool = False
    empty: bool = False
    counted: bool = False
    unended: bool = False

    @property
    def cut_short(self) -> bool:
        """Whether the end is missing."""
        return self.unended or (self.end is not None and self.end > self.size)


def read(file: BinaryIO) -> Claim:
    """Look at a file of any kind; what is not known says nothing."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    begins = file.read(16)
    if begins[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX") and begins[8:12] == b"WAVE":
        return _wav(file, size, ">" if begins[:4] == b"RIFX" else "<")
    if begins[:4] == b"RIFF" and begins[8:12] == b"AVI ":
        length = int.from_bytes(begins[4:8], "little")
        return Claim(size, 8 + length if length < UNKNOWN_BYTES else None)
    if begins[:4] == b"OggS":
        return Claim(size, unended=not _ogg_ends(file, size))
    if begins[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return Claim(size, _objects_end(file, size, 16, _box_length))
    if begins[:4] == EBML_HEADER:
        return Claim(size, _matroska_end(file, size))
    if begins[:4] == b"caff":
        return Claim(size, _caf_end(file, size))
    if begins == ASF_HEADER:
        return Claim(size, _objects_end(file, size, 24, _asf_length))
    return Claim(size, counted=_mp3_is_counted(file))


def _wav(file: BinaryIO, size: int, order: str) -> Claim:
    """The data chunk of a WAV, and whether a chunk follows where it says that it ends."""
    at, long_size = 12, 0
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return Claim(size)
        name, length = struct.unpack(order + "4sI", header)
        if name == b"ds64":  # the true sizes of an RF64 (EBU Tech 3306)
            long_size = int.from_bytes(file.read(16)[8:], "little")
        if name == b"data":
            break
        at += 8 + length + length % 2
    else:
        return Claim(size)
    begin = at + 8
    if length == 2**32 - 1 and long_size:
        length = long_size
    elif length >= UNKNOWN_BYTES and begin + length > size:
        return Claim(size, goes_on=True)
    end = begin + length
    ends = any(_is_chunk(file, place, size, order) for place in (end, end + length % 2))
    return Claim(size, end, goes_on=not ends, empty=ends and length == 0)


def _is_chunk(file: BinaryIO, at: int, size: int, order: str) -> bool:
    """Whether a whole RIFF chunk stands at a place, or nothing more."""
    if size - at < 8:
        return True
    file.seek(at)
    name, length = struct.unpack(order + "4sI", file.read(8))
    return all(32 <= byte < 127 for byte in name) and at + 8 + length <= size


def _ogg_ends(file: BinaryIO, size: int) -> bool:
    """Whether the last page is whole and says that it is the last (RFC 3533)."""
    file.seek(max(0, size - OGG_TAIL))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    length = 27 + page[26] + sum(page[27 : 27 + page[26]])
    return len(page) >= length and bool(page[5] & OGG_LAST)


def _objects_end(
    file: BinaryIO, size: int, n_header: int, length_of: Callable[[bytes], int | None]
) -> int | None:
    """Where the last of the objects ends that a file is made of, one behind the other.

    Parameters
    ----------
    n_header : bytes at the beginning of each
    length_of : tells of those how long it is; None where it does not say
    """
    at = 0
    for _ in range(MOST_CHUNKS):
        if at >= size:
            return at
        file.seek(at)
        if (length := length_of(file.read(n_header))) is None:
            return None
        at += length
    return None


def _box_length(header: bytes) -> int | None:
    """Of a box of an MP4 (ISO/IEC 14496-12, 4.2)."""
    if len(header) < 8:
        return 8  # it is cut within its header
    length = int.from_bytes(header[:4], "big")
    if length == 1:
        length = int.from_bytes(header[8:16], "big")
    return length if length >= 8 else None  # 0: up to the end of the file


def _asf_length(header: bytes) -> int | None:
    """Of an object of a WMA or WMV (Advanced Systems Format, 2.1)."""
    length = int.from_bytes(header[16:24], "little")
    return length if len(header) == 24 and length >= 24 else None


def _matroska_end(file: BinaryIO, size: int) -> int | None:
    """Where the segment ends, unless it was written without knowing (RFC 8794)."""
    file.seek(len(EBML_HEADER))
    length = _ebml_size(file)
    if length is None or length > size:
        return None
    file.seek(length, os.SEEK_CUR)
    if file.read(4) != b"\x18\x53\x80\x67":
        return None
    length = _ebml_size(file)
    return None if length is None else file.tell() + length


def _ebml_size(file: BinaryIO) -> int | None:
    """The size at this place; None where all of its bits are set, or where there is none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    n_bytes = 9 - first[0].bit_length()
    rest = file.read(n_bytes - 1)
    bits = 7 * n_bytes
    value = int.from_bytes(first + rest, "big") & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value


def _caf_end(file: BinaryIO, size: int) -> int | None:
    """Where the sound ends (Apple Core Audio Format, chunk header)."""
    file.seek(8)
    for _ in range(MOST_CHUNKS):
        if len(header := file.read(12)) < 12:
            return None
        length = int.from_bytes(header[4:], "big", signed=True)
        if header[:4] == b"data":
            return None if length < 0 else file.tell() + length
        if not 0 <= length < size:
            return None
        file.seek(length, os.SEEK_CUR)
    return None


def _mp3_is_counted(file: BinaryIO) -> bool:
    """Whether an MP3 begins with a frame that says how many there are (Xing, LAME, VBRI)."""
    file.seek(0)
    at = 0
    for _ in range(MOST_CHUNKS):
        tag = file.read(10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            break
        at += 10 + sum((byte & 127) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0)))
        file.seek(at)
    file.seek(at)
    frame = file.read(256)
    if frame.find(b"VBRI") == 36:
        return True
    place = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = frame[place + 4 : place + 8]
    return place > 0 and len(flags) == 4 and bool(flags[3] & 1)
