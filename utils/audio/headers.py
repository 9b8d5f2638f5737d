"""What a recording's own headers say of its end, which FFmpeg does not check."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from utils.audio import pcm
from utils.audio.claim import MOST_CHUNKS, UNKNOWN_BYTES, Claim, count_zeros

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
W64_HEADER = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
W64_DATA = b"data" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
EBML_HEADER = b"\x1a\x45\xdf\xa3"  # Matroska and WebM
OGG_TAIL = 128 * 1024  # a page has at most 65,307 bytes
OGG_LAST = 4  # flag of a stream's last page (RFC 3533)
BOXES_OF_SOUND = (b"moov", b"moof", b"mdat")  # of an MP4; of the others none is missed


def read(file: BinaryIO) -> Claim:
    """Look at a file of any kind; what is not known says nothing."""
    size = file.seek(0, os.SEEK_END)
    zeros = count_zeros(file, size)
    file.seek(0)
    return replace(_look(file, file.read(16), size, zeros), zeros=zeros)


def _look(file: BinaryIO, begins: bytes, size: int, zeros: int) -> Claim:
    if begins[:4] in (b"RIFF", b"RF64", b"BW64", b"RIFX") and begins[8:12] == b"WAVE":
        return pcm.wav(file, size, zeros, ">" if begins[:4] == b"RIFX" else "<")
    if begins[:4] == b"RIFF" and begins[8:12] == b"AVI ":
        length = int.from_bytes(begins[4:8], "little")
        return Claim(size, 8 + length if length < UNKNOWN_BYTES else None)
    if begins[:4] == b"OggS":
        return Claim(size, unended=not _ogg_ends(file, size - zeros))
    if begins[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return Claim(size, _boxes_end(file, size))
    if begins[:4] == EBML_HEADER:
        return Claim(size, _matroska_end(file, size))
    if begins[:4] == b"caff":
        return Claim(size, _caf_end(file, size))
    if begins == ASF_HEADER:
        end = _asf_end(file, size)
        return Claim(size, end, stops=end is not None)
    if begins == W64_HEADER:
        end = _w64_end(file, size)
        return Claim(size, end, stops=end is not None)
    if begins[:4] == b".snd":
        return pcm.au(file, size, zeros)
    if begins[:7] == b"NIST_1A":
        return pcm.nist(file, size, zeros)
    return Claim(size, counted=_mp3_samples(file))


def _ogg_ends(file: BinaryIO, size: int) -> bool:
    """Whether the last page is whole and says that it is the last (RFC 3533)."""
    file.seek(max(0, size - OGG_TAIL))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return False
    length = 27 + page[26] + sum(page[27 : 27 + page[26]])
    return len(page) >= length and bool(page[5] & OGG_LAST)


def _objects(
    file: BinaryIO, size: int, n_header: int, length_of: Callable[[bytes], int | None], at: int = 0
) -> Iterator[tuple[bytes, int]]:
    """The headers of the objects that a file is made of, one behind the other, and their ends.

    Parameters
    ----------
    n_header : bytes at the beginning of each
    length_of : tells of those how long it is; None where it does not say
    at : where the first begins
    """
    for _ in range(MOST_CHUNKS):
        if at >= size:
            return
        file.seek(at)
        header = file.read(n_header)
        if (length := length_of(header)) is None:
            return
        at += length
        yield header, at


def _boxes_end(file: BinaryIO, size: int) -> int | None:
    """Where the last box ends that an MP4 is played from; what stands behind may be anything."""
    seen: set[bytes] = set()
    end = 0
    for header, after in _objects(file, size, 16, _box_length):
        name = header[4:8]
        if name in BOXES_OF_SOUND or not seen:
            seen.add(name)
            end = after
        if end > size:
            return end
    return end if b"mdat" in seen else None


def _box_length(header: bytes) -> int | None:
    """Of a box of an MP4 (ISO/IEC 14496-12, 4.2)."""
    if len(header) < 8:
        return None
    length = int.from_bytes(header[:4], "big")
    if length == 1:
        length = int.from_bytes(header[8:16], "big")
    return length if length >= 8 else None  # 0: up to the end of the file


def _asf_length(header: bytes) -> int | None:
    """Of an object of a WMA or WMV (Advanced Systems Format, 2.1)."""
    length = int.from_bytes(header[16:24], "little")
    return length if len(header) == 24 and length >= 24 else None


def _asf_end(file: BinaryIO, size: int) -> int | None:
    """Where the sound of a WMA or WMV ends; only indices follow, and what is none of it."""
    for header, end in _objects(file, size, 24, _asf_length):
        if header[:16] == ASF_DATA or end > size and header[:16] == ASF_HEADER:
            return end
    return None


def _w64_end(file: BinaryIO, size: int) -> int | None:
    """Where the sound of a Wave64 ends: a WAV with longer names and sizes, in steps of 8 bytes."""

    def stepped(header: bytes) -> int | None:
        length = _asf_length(header)
        return None if length is None else length + -length % 8

    for header, end in _objects(file, size, 24, stepped, at=40):
        if header[:16] == W64_DATA:
            return end - -int.from_bytes(header[16:24], "little") % 8
    return None


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


def _caf_length(header: bytes) -> int | None:
    """Of a chunk of a CAF (Apple Core Audio Format, chunk header)."""
    length = int.from_bytes(header[4:], "big", signed=True)
    return 12 + length if len(header) == 12 and length >= 0 else None  # -1: not known


def _caf_end(file: BinaryIO, size: int) -> int | None:
    """Where the sound of a CAF ends."""
    for header, end in _objects(file, size, 12, _caf_length, at=8):
        if header[:4] == b"data":
            return end
    return None


def _mp3_samples(file: BinaryIO) -> int:
    """Samples of an MP3 that begins with a frame that counts the others (Xing, LAME, VBRI)."""
    file.seek(0)
    at = 0
    for _ in range(MOST_CHUNKS):
        tag = file.read(10)
        if tag[:3] != b"ID3" or len(tag) < 10:
            break
        at += 10 + sum((byte & 127) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0)))
        file.seek(at)
    file.seek(at)
    frame = file.read(256).ljust(256, b"\0")
    a_frame = 1152 if frame[1] & 0b11000 == 0b11000 else 576  # of MPEG 1, or of 2 and 2.5
    if frame.find(b"VBRI") == 36:
        return a_frame * int.from_bytes(frame[50:54], "big")
    place = max(frame.find(b"Xing"), frame.find(b"Info"))
    if 0 < place < 200 and frame[place + 7] & 1:
        return a_frame * int.from_bytes(frame[place + 8 : place + 12], "big")
    return 0
