"""Where the sound ends in files of plain samples: WAV, AU and NIST SPHERE.

FFmpeg reads some of them up to the end of the file, and so would take for sound what programs
put behind it. The size in the header alone does not do either: recorders that ended without a
word leave one that is too small.
"""

import re
import struct
from typing import BinaryIO

from utils.audio.claim import MOST_CHUNKS, UNKNOWN_BYTES, ZEROS, Claim

TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBEGIN")  # that programs put behind the sound
# What stands behind the sound that a header counts is no sound where it is shorter than both: of
# the time, and of the sound. More of it is what a recorder wrote that ended without a word.
REST_S, REST_PART = 0.1, 0.1
AU_BYTES = {3: 2, 4: 3, 5: 4, 6: 4, 7: 8}  # of a sample, by the kind; others have one


def wav(file: BinaryIO, size: int, zeros: int, order: str) -> Claim:
    """The data chunk of a WAV, and whether a chunk follows where it says that it ends."""
    at, long_size, bytes_a_second = 12, 0, 0
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return Claim(size)
        name, length = struct.unpack(order + "4sI", header)
        if name == b"fmt ":
            bytes_a_second = struct.unpack(order + "8xI4x", file.read(16).ljust(16, b"\0"))[0]
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
    places = (end, end + length % 2)
    ends = any(_is_chunk(file, place, size, order) for place in places)
    ends = ends or _is_rest(file, begin, end, size, zeros, bytes_a_second)
    return Claim(size, end, goes_on=not ends, empty=ends and length == 0, stops=ends)


def _is_chunk(file: BinaryIO, at: int, size: int, order: str) -> bool:
    """Whether a whole RIFF chunk stands at a place, or nothing more."""
    if size - at < 8:
        return True
    file.seek(at)
    name, length = struct.unpack(order + "4sI", file.read(8))
    return all(32 <= byte < 127 for byte in name) and at + 8 + length <= size


def _is_rest(
    file: BinaryIO, begin: int, end: int, size: int, zeros: int, bytes_a_second: int
) -> bool:
    """Whether what stands behind the sound that a header counts is no sound, but a tag or padding.

    Parameters
    ----------
    begin, end : of the sound
    zeros : bytes at the end of the file that are zero, as `count_zeros` tells
    """
    left, length = size - end, end - begin
    if left <= min(REST_S * bytes_a_second, REST_PART * length):
        return True
    file.seek(end)
    if file.read(max(map(len, TAGS))).startswith(TAGS):
        return True
    return length > 0 and zeros >= min(left, ZEROS)


def au(file: BinaryIO, size: int, zeros: int) -> Claim:
    """Of Sun and NeXT: begin and size, all bits set where it is not known; kind, rate, channels."""
    file.seek(4)
    begin, length, kind, rate, n_channels = struct.unpack(">5I", file.read(20).ljust(20, b"\0"))
    if length == 2**32 - 1:
        return Claim(size, goes_on=True)
    bytes_a_second = AU_BYTES.get(kind, 1) * rate * n_channels
    ends = _is_rest(file, begin, begin + length, size, zeros, bytes_a_second)
    return Claim(size, begin + length, goes_on=not ends, stops=ends)


def nist(file: BinaryIO, size: int, zeros: int) -> Claim:
    """Of NIST SPHERE: the second line is the header's size, what follows has a name each."""
    file.seek(0)
    head = file.read(1024).decode("latin-1")
    numbers = dict(re.findall(r"(\w+) -i (\d{1,12})\b", head))
    begin = re.match(r"NIST_1A\s+(\d{1,9})\s", head)
    n_samples, n_channels = numbers.get("sample_count"), numbers.get("channel_count")
    if begin is None or n_samples is None or n_channels is None or "shorten" in head:
        return Claim(size)
    sample_bytes = int(numbers.get("sample_n_bytes", 1)) * int(n_channels)
    end = int(begin[1]) + int(n_samples) * sample_bytes
    rate = int(numbers.get("sample_rate", 0))
    ends = _is_rest(file, int(begin[1]), end, size, zeros, rate * sample_bytes)
    return Claim(size, end, goes_on=not ends, stops=ends)
