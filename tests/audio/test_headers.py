"""What a recording's headers say of its end, in files of a few bytes."""

import io
import struct
from pathlib import Path

import pytest

from tests.recordings import wav_bytes
from utils.audio import headers
from utils.audio.claim import Claim

SOUND = bytes(range(1, 101))


def claim(data: bytes) -> Claim:
    return headers.read(io.BytesIO(data))


@pytest.mark.parametrize(
    ("size", "cut_short", "goes_on"),
    [
        (100, False, False),
        (101, True, False),
        (60, False, True),
        (0, False, True),
        (2**31 - 1, False, True),
        (2**32 - 1, False, True),
    ],
)
def test_a_wav_of_100_bytes_that_says_another_size(
    size: int, cut_short: bool, goes_on: bool
) -> None:
    found = claim(wav_bytes(SOUND, size=size))
    assert (found.cut_short, found.goes_on, found.empty) == (cut_short, goes_on, False)


def test_a_wav_with_a_chunk_behind_its_sound_is_whole() -> None:
    for n in (99, 100):  # an odd chunk is padded, by some
        for pad in (b"", b"\0") if n % 2 else (b"",):
            data = wav_bytes(SOUND[:n] + pad + b"LIST\4\0\0\0INFO", size=n)
            assert claim(data) == Claim(len(data), end=44 + n, stops=True)


def test_long_sizes_of_an_rf64_count() -> None:
    sizes = bytes(8) + (100).to_bytes(8, "little") + bytes(12)
    rest = wav_bytes(SOUND, size=2**32 - 1)[12:]
    data = b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0" + sizes + rest
    assert not claim(data).cut_short and claim(data[:-1]).cut_short


def box(name: bytes, n_bytes: int) -> bytes:
    return (8 + n_bytes).to_bytes(4, "big") + name + bytes(n_bytes)


def test_boxes_of_an_mp4() -> None:
    whole = box(b"ftyp", 12) + box(b"moov", 40) + box(b"mdat", 80)
    assert not claim(whole).cut_short
    assert claim(whole[:-1]).cut_short and claim(whole[:64]).cut_short
    assert claim(box(b"ftyp", 12) + bytes(4) + b"mdat" + SOUND).end is None  # to the file's end


@pytest.mark.parametrize(
    ("size", "end"),
    [(b"\x85", 19), (b"\x40\x0a", 25), (b"\xff", None), (b"\x01" + b"\xff" * 7, None)],
)
def test_a_matroska_segment_of_known_and_unknown_size(size: bytes, end: int | None) -> None:
    data = headers.EBML_HEADER + b"\x84" + bytes(4) + b"\x18\x53\x80\x67" + size + bytes(5)
    assert claim(data).end == end


def test_pages_of_an_ogg() -> None:
    def page(flags: int) -> bytes:
        return b"OggS\0" + bytes([flags]) + bytes(20) + b"\1\5" + b"sound"

    assert not claim(page(2) + page(4)).cut_short
    for cut in (page(2) + page(0), page(2) + page(4)[:-1], page(2)[:10]):
        assert claim(cut).cut_short


@pytest.mark.parametrize(
    ("version", "name", "flags", "counted"),
    [(0xFB, b"Xing", 1, 7 * 1152), (0xF3, b"Info", 1, 7 * 576), (0xFB, b"Info", 6, 0)],
)
def test_an_mp3_that_counts_its_frames(version: int, name: bytes, flags: int, counted: int) -> None:
    number = bytes([0, 0, 0, flags, 0, 0, 0, 7])
    frame = bytes([0xFF, version, 0x90, 0x64]) + bytes(32) + name + number + bytes(200)
    assert claim(frame).counted == counted
    assert claim(b"ID3\4\0\0\0\0\1\0" + bytes(128) + frame).counted == counted


@pytest.mark.parametrize("begin", [b"", b"RIFF", b"OggS", b"caff\0\1\0\0", headers.EBML_HEADER])
def test_what_ends_at_once_is_no_trouble(begin: bytes) -> None:
    for n in range(30):
        claim(begin + bytes(n))
        claim(begin + b"\xff" * n)


@pytest.mark.parametrize(
    ("begin", "small"),
    [
        (b"RIFF\0\0\0\0WAVE", bytes(8)),
        (box(b"ftyp", 8), box(b"free", 0)),
        (b"caff\0\1\0\0", bytes(12)),
        (headers.ASF_HEADER + b"\x18" + bytes(7), bytes(16) + b"\x18" + bytes(7)),
        (b"", b"ID3\4" + bytes(6)),
    ],
)
def test_a_file_of_nothing_but_small_chunks_does_not_hold_it_up(begin: bytes, small: bytes) -> None:
    file = Counting(begin + 300_000 * small)
    headers.read(file)
    assert file.n_reads < 250_000


@pytest.mark.parametrize(
    "data",
    [
        b"caff\0\1\0\0desc\x7f" + b"\xff" * 7,
        b"caff\0\1\0\0desc\x80" + bytes(7),
        headers.EBML_HEADER + b"\1\xff\xff\xff\xff\xff\xff\xfe" + bytes(8),
        box(b"ftyp", 8) + b"\0\0\0\1mdat" + b"\xff" * 8,
        headers.ASF_HEADER + b"\xff" * 8,
    ],
)
def test_sizes_beyond_all_files_are_no_trouble(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)  # a real one: places in memory have no limit
    with (tmp_path / "a").open("rb") as file:
        assert headers.read(file).size == len(data)


class Counting(io.BytesIO):
    """Counts how often it is read."""

    n_reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.n_reads += 1
        return super().read(size)


def test_a_short_rest_behind_an_au_is_measured_in_time():
    sound, rest = b"\1\2" * 16_000, b"\3\4" * 1_120  # a second, and 70 ms
    head = b".snd" + struct.pack(">5I", 24, len(sound), 3, 16_000, 1)
    told = claim(head + sound + rest)
    assert told.stops and told.readable == 24 + len(sound)
