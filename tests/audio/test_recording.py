"""Recordings of every kind are read to their end, and what is missing is said."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from tests.recordings import encode, speechlike, wav_bytes, without_xing
from utils.audio import SAMPLE_RATE, load
from utils.audio.convert import to_float
from utils.audio.recording import BLOCK_S, Recording
from utils.errors import AudioError
from utils.sources import FileSource


def heard(path: Path) -> tuple[np.ndarray, str]:
    """All that a recording gives, and what is said in the end."""
    blocks = [np.zeros(0, np.float32)]
    with Recording(path) as recording:
        try:
            blocks.extend(recording.voice())  # keeps what came before an error
        except AudioError as err:
            return np.concatenate(blocks), str(err)
    return np.concatenate(blocks), ""


def alike(found: np.ndarray, made: np.ndarray) -> float:
    """Greatest correlation of two sounds, one moved against the other by up to 0.3 s."""
    n = len(found) + len(made)
    cross = np.fft.irfft(np.fft.rfft(found, n) * np.conj(np.fft.rfft(made, n)), n)
    near = np.r_[cross[:4_800], cross[-4_800:]]
    return float(near.max() / np.sqrt(np.sum(found**2) * np.sum(made**2)))


def at_16_khz(samples: np.ndarray, rate: int) -> np.ndarray:
    return soxr.resample(samples[:, 0], rate, SAMPLE_RATE)


KINDS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "a.m4a": ("aac", 44_100, {}),
    "stereo.m4a": ("aac", 48_000, {"n_channels": 2}),
    "surround.m4a": ("aac", 48_000, {"n_channels": 6}),
    "a.mp4": ("aac", 44_100, {"video": True}),
    "a.mov": ("aac", 48_000, {"video": True}),
    "a.webm": ("libopus", 48_000, {}),
    "a.mkv": ("aac", 44_100, {"video": True}),
    "a.wma": ("wmav2", 44_100, {"form": "asf"}),
    "a.wmv": ("wmav2", 32_000, {"form": "asf", "video": True}),
    "a.avi": ("libmp3lame", 44_100, {"video": True}),
    "a.mp3": ("libmp3lame", 22_050, {}),
    "a.opus": ("libopus", 48_000, {"form": "ogg"}),
    "a.aac": ("aac", 44_100, {"form": "adts"}),
    "a.amr": ("libopencore_amrnb", 8_000, {"form": "amr"}),
    "a.mpg": ("mp2", 44_100, {"form": "mpeg", "video": True}),
    "a.ts": ("aac", 48_000, {"form": "mpegts", "video": True}),
    "a.caf": ("pcm_s16le", 44_100, {}),
    "a.aiff": ("pcm_s24be", 44_100, {"n_channels": 2}),
    "a.au": ("pcm_mulaw", 8_000, {}),
    "a.flac": ("flac", 96_000, {}),
    "u8.wav": ("pcm_u8", 11_025, {}),
    "s24.wav": ("pcm_s24le", 44_056, {}),
    "f32.wav": ("pcm_f32le", 7_350, {}),
    "f64.wav": ("pcm_f64le", 192_000, {}),
    "a-law.wav": ("pcm_alaw", 8_000, {}),
    "adpcm.wav": ("adpcm_ms", 22_050, {}),
    "surround.wav": ("pcm_s16le", 48_000, {"n_channels": 6}),
    "no-extension": ("aac", 44_100, {"form": "mp4"}),
    "wrong.mp3": ("flac", 16_000, {"form": "flac"}),
}


AS_MADE: dict[str, tuple[str, str | None]] = {
    "a.wav": ("pcm_s16le", None),
    "a.flac": ("flac", None),
    "a.mp3": ("libmp3lame", None),
    "a.ogg": ("libopus", "ogg"),
    "a.m4a": ("aac", None),
    "a.webm": ("libopus", None),
    "a.wma": ("wmav2", "asf"),
    "a.avi": ("libmp3lame", None),
    "a.caf": ("pcm_s16le", None),
    "a.aiff": ("pcm_s16be", None),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_that_people_have(name: str, tmp_path: Path) -> None:
    codec, rate, how = KINDS[name]
    how = dict(how)
    samples = speechlike(3.0, rate, how.pop("n_channels", 1))
    path = encode(tmp_path / name, samples, rate, codec, **how)
    found, said = heard(path)
    assert said == ""
    assert len(found) / SAMPLE_RATE == pytest.approx(3.0, abs=0.15)
    assert alike(found, at_16_khz(samples, rate)) > (0.5 if name == "a.amr" else 0.95)
    assert np.array_equal(load(path), found)
    with FileSource(path, realtime=False) as source:
        assert np.array_equal(np.concatenate([frame.samples for frame in source]), found)
        told_s = source.duration_s
    assert told_s is None or told_s == pytest.approx(3.0, abs=0.15)


# Headers that promise too little or too much


def variable_mp3(path: Path, quiet_s: float = 0.0) -> np.ndarray:
    """An MP3 of varying bit rate, without the frame that says how long it is."""
    samples = speechlike(20.0, SAMPLE_RATE)
    samples[: round(quiet_s * SAMPLE_RATE)] *= 1e-4
    soundfile.write(path, samples, SAMPLE_RATE, format="MP3", bitrate_mode="VARIABLE")
    path.write_bytes(without_xing(path.read_bytes()))
    return samples


@pytest.mark.parametrize("quiet_s", [0.0, 15.0])
def test_an_mp3_that_does_not_say_how_long_it_is_is_read_whole(
    tmp_path: Path, quiet_s: float
) -> None:
    samples = variable_mp3(tmp_path / "a.mp3", quiet_s)
    found, said = heard(tmp_path / "a.mp3")
    assert (len(found) / SAMPLE_RATE, said) == (pytest.approx(20.0, abs=0.2), "")
    assert alike(found, samples[:, 0]) > 0.95
    with FileSource(tmp_path / "a.mp3", realtime=False) as source:
        assert source.duration_s is None


def test_joined_mp3s_of_different_rates_are_read_to_the_end(tmp_path: Path) -> None:
    whole = b""
    for rate, n_channels in ((44_100, 1), (22_050, 2), (48_000, 1)):
        path = encode(tmp_path / "a.mp3", speechlike(2.0, rate, n_channels), rate, "libmp3lame")
        whole += path.read_bytes()
    (tmp_path / "all.mp3").write_bytes(whole)
    found, said = heard(tmp_path / "all.mp3")
    assert len(found) / SAMPLE_RATE == pytest.approx(6.0, abs=0.3)
    assert said == ""


def test_joined_opus_files_are_read_to_the_end(tmp_path: Path) -> None:
    whole = b""
    for seed in (1, 2):
        samples = speechlike(2.0, 48_000, seed=seed)
        whole += encode(tmp_path / "a.opus", samples, 48_000, "libopus", "ogg").read_bytes()
    (tmp_path / "all.opus").write_bytes(whole)
    found, said = heard(tmp_path / "all.opus")
    assert (len(found) / SAMPLE_RATE, said) == (pytest.approx(4.0, abs=0.2), "")


LIST = b"LIST" + b"\x1a\0\0\0" + b"INFOISFT" + b"\x0e\0\0\0" + b"program v1.0\0\0"


@pytest.mark.parametrize("size", [0, 2, 3_001, 16_000, 2**31 - 1, 2**32 - 1], ids=str)
def test_a_wav_is_read_to_its_end_whatever_its_header_promises(
    tmp_path: Path, noise: np.ndarray, size: int
) -> None:
    data = np.round(noise * 32_767).astype("<i2").tobytes()
    (tmp_path / "a.wav").write_bytes(wav_bytes(data, size=size))
    found, said = heard(tmp_path / "a.wav")
    assert (len(found), said) == (len(noise), "")
    np.testing.assert_allclose(found, noise, atol=5e-3)  # less its mean


def test_what_follows_the_sound_of_a_wav_is_not_sound(tmp_path: Path, noise: np.ndarray) -> None:
    data = np.round(noise * 32_767).astype("<i2").tobytes()
    (tmp_path / "a.wav").write_bytes(wav_bytes(data + LIST, size=len(data)))
    assert len(heard(tmp_path / "a.wav")[0]) == len(noise)
    (tmp_path / "none.wav").write_bytes(wav_bytes(LIST, size=0))
    with pytest.raises(AudioError, match="empty"):
        Recording(tmp_path / "none.wav")


def test_a_flac_that_promises_too_little_is_read_whole(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", speechlike(3.0, SAMPLE_RATE), SAMPLE_RATE)
    data = bytearray((tmp_path / "a.flac").read_bytes())
    data[22:26] = (16_000).to_bytes(4, "big")  # the samples of STREAMINFO
    (tmp_path / "a.flac").write_bytes(data)
    found, said = heard(tmp_path / "a.flac")
    assert (len(found), said) == (3 * SAMPLE_RATE, "")


# An end that is missing


def written(name: str, folder: Path) -> Path:
    """Ten seconds of sound in a kind of file; FLAC, WAV and Vorbis as libsndfile writes them."""
    path = folder / name
    if name in KINDS and not name.endswith((".wav", ".flac", ".mp3", ".aiff")):
        codec, rate, how = KINDS[name]
        return encode(path, speechlike(10.0, rate), rate, codec, **how)
    soundfile.write(path, speechlike(10.0, SAMPLE_RATE), SAMPLE_RATE)
    return path


ENDS = [
    "a.wav",
    "a.flac",
    "a.mp3",
    "a.ogg",
    "a.opus",
    "a.aiff",
    "a.webm",
    "a.mkv",
    "a.wma",
    "a.wmv",
    "a.avi",
    "a.caf",
]


@pytest.mark.parametrize("part", [0.5, 0.9])
@pytest.mark.parametrize("name", ENDS)
def test_a_file_cut_short_gives_what_is_there_and_says_so(
    name: str, part: float, tmp_path: Path
) -> None:
    path = written(name, tmp_path)
    whole = heard(path)[0]
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    found, said = heard(path)
    assert f"{path}: ends at " in said and "get the whole file again" in said
    assert (part - 0.3) * len(whole) < len(found) < len(whole)
    n = len(found) - SAMPLE_RATE // 2
    np.testing.assert_allclose(found[:n], whole[:n], atol=1e-3)


def test_an_mp4_cut_short_says_that_it_cannot_be_played(tmp_path: Path) -> None:
    path = written("a.mp4", tmp_path)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size // 2])
    with pytest.raises(AudioError, match=rf"only {size // 2} of \d+ bytes.*get the whole file"):
        Recording(path)


def test_an_mp4_that_begins_with_its_index_gives_what_is_there(tmp_path: Path) -> None:
    samples = speechlike(5.0, 44_100)
    path = encode(tmp_path / "a.m4a", samples, 44_100, "aac", options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found, said = heard(path)
    assert len(found) > SAMPLE_RATE and "get the whole file again" in said


# Damage in the middle


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.ogg", "a.m4a"])
def test_sound_after_a_damaged_place_is_read(name: str, tmp_path: Path) -> None:
    path = written(name, tmp_path)
    whole = heard(path)[0]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2_000] = np.random.default_rng(0).bytes(2_000)
    path.write_bytes(data)
    found, said = heard(path)
    assert said or len(found) == len(whole)
    tail = whole[-SAMPLE_RATE // 2 :]
    assert alike(found[-SAMPLE_RATE // 2 :], tail) > 0.9


def test_a_sample_that_is_no_number_is_silence_and_told_in_the_end(tmp_path: Path) -> None:
    samples = speechlike(3.0, SAMPLE_RATE)
    samples[20_000], samples[30_000], samples[40_000] = np.nan, np.inf, 3e38
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    found, said = heard(tmp_path / "a.wav")
    assert np.isfinite(found).all() and len(found) == len(samples)
    assert "NaN or infinite sample at 1.250 s (and 2 more)" in said


@pytest.mark.parametrize(
    "name",
    ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.m4a", "a.webm", "a.wma", "a.avi", "a.caf", "a.aiff"],
)
def test_no_wrong_byte_brings_more_than_an_error(name: str, tmp_path: Path, capfd) -> None:
    rng = np.random.default_rng(list(name.encode()))
    codec, form = AS_MADE[name]
    path = encode(tmp_path / name, speechlike(0.5, 48_000), 48_000, codec, form)
    good = path.read_bytes()
    for _ in range(25):
        data = np.frombuffer(good, np.uint8).copy()
        places = rng.integers(rng.choice([64, 1_000, len(data)]), size=5)
        data[places[places < len(data)]] = rng.integers(256)
        (tmp_path / "b").write_bytes(data[: rng.integers(len(data) // 2, len(data))].tobytes())
        try:
            found, _ = heard(tmp_path / "b")
        except AudioError:
            continue
        assert np.isfinite(found).all()
    assert capfd.readouterr() == ("", "")


# What is no recording


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.flac", "a.m4a", "a.webm", "a.ogg", "a"])
@pytest.mark.parametrize("size", [0, 1, 44, 5_000, 300_000])
def test_garbage_is_refused(name: str, size: int, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(np.random.default_rng(size).bytes(size))
    with pytest.raises(AudioError, match="not a readable recording|holds no sound"):
        Recording(tmp_path / name)


def test_a_folder_a_pipe_a_socket_and_a_device_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        for path, expected in [
            (tmp_path, "is a folder"),
            (tmp_path / "pipe", "is a pipe"),
            (tmp_path / "socket", "is a socket"),
            (Path("/dev/zero"), "is a device"),
            (tmp_path / "none.wav", "no such file"),
            (tmp_path / "a\0b", "cannot be opened"),
            (tmp_path / ("a" * 300), "cannot be opened"),
        ]:
            with pytest.raises(AudioError, match=expected):
                Recording(path)


PLAYLISTS: dict[str, Callable[[Path], str]] = {
    "a.m3u8": lambda wav: f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{wav}\n#EXT-X-ENDLIST\n",
    "a.ffconcat": lambda wav: f"ffconcat version 1.0\nfile '{wav}'\n",
    "a.sdp": lambda wav: "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_no_file_leads_to_another_or_into_the_network(
    name: str, tmp_path: Path, sine: np.ndarray
) -> None:
    soundfile.write(tmp_path / "other.wav", sine, SAMPLE_RATE)
    (tmp_path / name).write_text(PLAYLISTS[name](tmp_path / "other.wav"))
    with pytest.raises(AudioError, match="not a readable recording"):
        Recording(tmp_path / name)


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        pictures = out.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
        out.mux(pictures.encode(image))
        out.mux(pictures.encode(None))
    with pytest.raises(AudioError, match="holds no sound"):
        Recording(tmp_path / "a.mp4")


@pytest.mark.parametrize("rate", [1, 2**30])
def test_a_rate_that_no_sound_has_is_refused(tmp_path: Path, rate: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes(bytes(32_000), rate))
    with pytest.raises(AudioError, match=f"{rate} samples a second|not a readable"):
        Recording(tmp_path / "a.wav")


# Time


def test_an_ogg_whose_last_pages_are_short_is_no_longer_than_it_says(shared: Path) -> None:
    path = shared / "noise/esc10/chainsaw/2-77945-A.ogg"  # FFmpeg times its last page a second late
    found, said = heard(path)
    assert (len(found) / SAMPLE_RATE, said) == (pytest.approx(5.05, abs=0.02), "")


def test_silence_that_a_voice_chat_leaves_out_is_kept(tmp_path: Path) -> None:
    import av

    samples = speechlike(1.0, 48_000)
    with av.open(str(tmp_path / "a.webm"), "w") as out:
        track = out.add_stream("libopus", rate=48_000, layout="mono")
        for begins_s in (0, 5):
            for at in range(0, len(samples), 960):
                whole = (samples[at : at + 960] * 32_767).astype(np.int16).T
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole), "s16", "mono")
                frame.sample_rate, frame.pts = 48_000, begins_s * 48_000 + at
                packets = track.encode(frame)
                out.mux(packets)
        out.mux(track.encode(None))
    found, _ = heard(tmp_path / "a.webm")
    assert len(found) / SAMPLE_RATE == pytest.approx(6.0, abs=0.2)
    assert not found[2 * SAMPLE_RATE : 4 * SAMPLE_RATE].any()


def test_a_long_silence_that_is_left_out_is_handed_out_in_pieces(tmp_path: Path) -> None:
    import av

    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        track = out.add_stream("flac", rate=48_000, layout="mono")
        for begins_s in (0, 590):
            sound = np.full((1, 4096), 300, np.int16)
            frame = av.AudioFrame.from_ndarray(sound, "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, begins_s * 48_000
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
    with Recording(tmp_path / "a.mkv") as recording:
        lengths = [len(block) for block, _ in recording]
    assert sum(lengths) / 48_000 == pytest.approx(590, abs=0.5)
    assert max(lengths) <= 2 * BLOCK_S * 48_000


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="no such files on this system")
def test_what_only_looks_like_a_file_is_told() -> None:
    with pytest.raises(AudioError, match="cpuinfo: "):
        Recording("/proc/cpuinfo")


def test_sound_that_begins_late_in_a_video_keeps_its_times(tmp_path: Path) -> None:
    samples = speechlike(2.0, 44_100)
    path = encode(tmp_path / "a.mkv", samples, 44_100, "aac", video=True, begins_s=1.5)
    found, said = heard(path)
    assert said == ""
    assert len(found) / SAMPLE_RATE == pytest.approx(3.5, abs=0.15)
    assert not found[: int(1.3 * SAMPLE_RATE)].any()


def test_reading_says_nothing_on_its_own(tmp_path: Path, capfd) -> None:
    path = written("a.mp3", tmp_path)
    path.write_bytes(path.read_bytes()[:-500] + bytes(3_000))
    heard(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (np.int16, [-32_768, 16_384], [-1, 0.5]),
        (np.int32, [-(2**31), 2**30], [-1, 0.5]),
        (np.uint8, [0, 128, 192], [-1, 0, 0.5]),
        (np.float64, [-1.5, 0.25], [-1.5, 0.25]),
    ],
)
def test_samples_of_every_type_have_full_scale_1(kind, given, expected) -> None:
    found = to_float(np.array(given, kind))
    assert found.dtype == np.float32 and found.tolist() == expected
