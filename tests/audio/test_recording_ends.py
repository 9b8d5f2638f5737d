"""Behind the end of a recording stand tags and padding, or nothing has come yet."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.audio.test_recording import KINDS, LIST, heard
from tests.recordings import encode, speechlike, wav_bytes
from utils.audio import SAMPLE_RATE

ID3V1 = b"TAG" + b"a title".ljust(125, b"\0")
FOOTER = (2000).to_bytes(4, "little") + (47).to_bytes(4, "little") + b"\1\0\0\0" + bytes(12)
APE = b"\5\0\0\0\0\0\0\0Title\0hello"[:15] + b"APETAGEX" + FOOTER
TRAILS = {
    "a zero": b"\0",
    "seven zeros": bytes(7),
    "zeros": bytes(5_000),
    "a newline": b"\r\n",
    "ID3v1": ID3V1,
    "APE": APE,
    "APE and ID3v1": APE + ID3V1,
    "LIST": LIST,
    "ID3v2": b"ID3\4\0\0\0\0\1\0" + b"TIT2".ljust(128, b"\0"),
    "free": b"\0\0\0\x10free" + bytes(8),
    "odd bytes": np.random.default_rng(0).bytes(50),
}
MORE: dict[str, tuple[str, int, dict[str, Any]]] = {
    "a.wav": ("pcm_s16le", 16_000, {}),
    "rf64.wav": ("pcm_s16le", 16_000, {"options": {"rf64": "always"}}),
    "a.wv": ("wavpack", 44_100, {}),
    "a.w64": ("pcm_s16le", 16_000, {"form": "w64"}),
    "a.tta": ("tta", 44_100, {}),
    "a.ac3": ("ac3", 48_000, {}),
    "a.flv": ("aac", 44_100, {"form": "flv"}),
    "f.ogg": ("flac", 48_000, {"form": "ogg"}),
    "fragments.mp4": ("aac", 44_100, {"options": {"movflags": "frag_keyframe+empty_moov"}}),
}
# The index of an MP4 stands before its sound.
FIRST: dict[str, Any] = {"options": {"movflags": "faststart"}}
UNFETCHED: dict[str, tuple[str, int, dict[str, Any]]] = {
    "a.m4a": ("aac", 44_100, FIRST),
    "a.mp4": ("aac", 44_100, FIRST | {"video": True}),
    **{
        name: KINDS[name]
        for name in ("a.webm", "a.mkv", "a.wma", "a.avi", "a.aac", "a.mpg", "a.ts")
    },
    "a.mp3": KINDS["a.mp3"],
    "a.opus": KINDS["a.opus"],
    "a.flac": KINDS["a.flac"],
    **{name: MORE[name] for name in ("a.wv", "a.ac3", "a.flv")},
}


@pytest.mark.parametrize("name", [*KINDS, *MORE])
def test_what_stands_behind_the_end_is_no_sound_and_no_damage(name: str, tmp_path: Path) -> None:
    codec, rate, how = (KINDS | MORE)[name]
    how = dict(how)
    samples = speechlike(1.0, rate, how.pop("n_channels", 1))
    path = encode(tmp_path / name, samples, rate, codec, **how)
    whole = path.read_bytes()
    alone, _ = heard(path)
    for trail, data in TRAILS.items():
        path.write_bytes(whole + data)
        found, said = heard(path)
        assert said == "", trail
        # MP3 and AC-3 lose the padding of their last frame, or that frame.
        assert abs(len(found) - len(alone)) <= 0.055 * SAMPLE_RATE, trail
        if codec.startswith("pcm"):
            assert np.array_equal(found, alone), trail


def test_what_stands_behind_a_sphere_file_or_a_wav_of_big_ends_is_no_sound(tmp_path: Path) -> None:
    samples = (32_767 * speechlike(1.0, SAMPLE_RATE)).astype("<i2")
    head = (
        "NIST_1A\n   1024\nchannel_count -i 1\nsample_count -i 16000\nsample_rate -i 16000\n"
        "sample_n_bytes -i 2\nsample_byte_format -s2 01\nsample_coding -s3 pcm\nend_head\n"
    )
    sphere = head.encode().ljust(1024) + samples.tobytes()
    fmt = b"\0\1\0\1" + b"".join(n.to_bytes(4, "big") for n in (16_000, 32_000)) + b"\0\2\0\x10"
    big = samples.astype(">i2").tobytes()
    rifx = b"RIFX\0\0\x7d\x24WAVEfmt \0\0\0\x10" + fmt + b"data\0\0\x7d\0" + big
    for whole in (sphere, rifx):
        for trail, data in TRAILS.items():
            (tmp_path / "a").write_bytes(whole + data)
            found, said = heard(tmp_path / "a")
            assert (len(found), said) == (SAMPLE_RATE, ""), trail


def test_a_second_of_sound_behind_the_size_of_an_au_is_heard(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.au", speechlike(2.0, 8_000), 8_000, "pcm_mulaw")
    data = bytearray(path.read_bytes())
    for size in (8_000, 2**32 - 1):
        data[8:12] = size.to_bytes(4, "big")
        path.write_bytes(data)
        found, said = heard(path)
        assert (len(found), said) == (2 * SAMPLE_RATE, "")
    path.write_bytes(data[:8] + (30_000).to_bytes(4, "big") + data[12:])
    assert "ends at 2.0 s but promises 3.7 s" in heard(path)[1]


def test_a_chunk_that_is_cut_behind_the_sound_of_a_wav_is_no_sound(tmp_path: Path) -> None:
    data = np.round(32_767 * speechlike(1.0, SAMPLE_RATE)).astype("<i2").tobytes()
    (tmp_path / "a.wav").write_bytes(wav_bytes(data + LIST[:-4], size=len(data)))
    assert len(heard(tmp_path / "a.wav")[0]) == SAMPLE_RATE


@pytest.mark.parametrize("name", UNFETCHED)
def test_a_file_of_which_only_half_was_fetched_is_told(name: str, tmp_path: Path) -> None:
    """The room of it was taken at once: the half that has not come yet is zero."""
    codec, rate, how = UNFETCHED[name]
    path = encode(tmp_path / name, speechlike(20.0, rate), rate, codec, **how)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    found, said = heard(path)
    assert 8 < len(found) / SAMPLE_RATE < 12
    assert any(words in said for words in ("damaged after", "nothing can be read", "ends at"))


@pytest.mark.parametrize("name", ["a.ts", "a.aac", "a.wv"])
def test_what_follows_a_hole_is_read(name: str, tmp_path: Path) -> None:
    codec, rate, how = (KINDS | MORE)[name]
    path = encode(tmp_path / name, speechlike(20.0, rate), rate, codec, **how)
    data = bytearray(path.read_bytes())
    data[60_000:140_000] = bytes(80_000)
    path.write_bytes(data)
    found, said = heard(path)
    assert said and len(found) > (20 - 14) * SAMPLE_RATE


@pytest.mark.parametrize(
    ("name", "codec", "layout", "n_channels"),
    [
        ("a.m4a", "aac", "7.1", 8),
        ("a.opus", "libopus", "7.1", 8),
        ("a.wv", "wavpack", "7.1", 8),
        ("b.m4a", "aac", "hexadecagonal", 16),
        ("a.flac", "flac", "7.1", 8),
    ],
)
def test_more_than_seven_channels_are_read(
    name: str, codec: str, layout: str, n_channels: int, tmp_path: Path
) -> None:
    """PyAV reads beyond the pointers of a frame of eight planes, which ended the program."""
    samples = speechlike(1.0, 48_000, n_channels)
    path = encode(tmp_path / name, samples, 48_000, codec, layout=layout)
    found, said = heard(path)
    assert (len(found) / SAMPLE_RATE, said) == (pytest.approx(1.0, abs=0.05), "")
