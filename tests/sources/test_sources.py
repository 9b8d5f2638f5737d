"""Sources: what is captured or read comes out whole, in order, and every failure says why."""

import os
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import soxr

from tests.program import PATIENCE_S
from tests.recordings import speechlike
from tests.sound_server import SoundServer
from utils import audio, config
from utils.audio import SAMPLE_RATE
from utils.errors import AudioError, CaptureError
from utils.events import AudioFrame
from utils.sources import (
    FRAME_SAMPLES,
    FileSource,
    Microphone,
    MicrophoneSource,
    microphones,
    portaudio,
)
from utils.sources import file as file_module
from utils.sources import microphone as microphone_module
from utils.sources.frames import Framer

ROOT = Path(__file__).resolve().parents[2]
NO_SERVER = "no microphone found|cannot be opened"  # the latter if a reader was left hanging


def joined(frames: list[AudioFrame]) -> np.ndarray:
    """The frames' samples in one array, after a look at their continuity."""
    expected = frames[0].start
    for frame in frames:
        assert frame.start == expected
        assert frame.samples.dtype == np.float32
        assert 0 < len(frame.samples) <= FRAME_SAMPLES
        expected += len(frame.samples)
    return np.concatenate([frame.samples for frame in frames])


def read_file(path: Path) -> np.ndarray:
    with FileSource(path, realtime=False) as source:
        return joined(list(source))


def band_limited(samples: np.ndarray) -> np.ndarray:
    """Without what lies above 5 kHz: the way to 48 kHz and back ends short of 8 kHz."""
    return soxr.resample(soxr.resample(samples, SAMPLE_RATE, 10_000), 10_000, SAMPLE_RATE)


# Files


@pytest.mark.parametrize(
    ("name", "subtype", "rate", "channels"),
    [
        ("a.wav", "PCM_16", 16_000, 1),
        ("a.wav", "PCM_24", 44_100, 2),
        ("a.wav", "FLOAT", 48_000, 1),
        ("a.wav", "PCM_U8", 8_000, 1),
        ("a.wav", "PCM_16", 96_000, 2),
        ("a.flac", "PCM_16", 22_050, 1),
        ("a.ogg", "VORBIS", 44_100, 2),
        ("a.mp3", "MPEG_LAYER_III", 44_100, 1),
    ],
)
def test_file_of_any_format_equals_its_whole_load(
    tmp_path: Path, name: str, subtype: str, rate: int, channels: int
) -> None:
    rng = np.random.default_rng(1)
    samples = rng.normal(0, 0.1, (int(2.35 * rate), channels))
    path = tmp_path / name
    soundfile.write(path, samples, rate, subtype=subtype)
    streamed, whole = read_file(path), audio.load(path)
    assert abs(len(streamed) - len(whole)) <= 1
    n = min(len(streamed), len(whole))
    np.testing.assert_allclose(streamed[:n], whole[:n], atol=1e-5)


def test_file_delivers_the_last_short_frame(tmp_path: Path, noise: np.ndarray) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise[:1000], SAMPLE_RATE, subtype="FLOAT")
    with FileSource(path, realtime=False) as source:
        frames = list(source)
        assert (source.name, source.dropped, source.queue_depth) == ("a.wav", 0, 0)
        assert source.duration_s == pytest.approx(1000 / SAMPLE_RATE)
    assert [(f.start, len(f.samples)) for f in frames] == [(0, 512), (512, 488)]
    np.testing.assert_allclose(joined(frames), noise[:1000], atol=5e-3)  # less its mean


@pytest.mark.parametrize("step", [1, 100, 512, 4_000])
def test_block_size_changes_nothing(noise: np.ndarray, step: int) -> None:
    framer, frames = Framer(start=7), []
    for at in range(0, len(noise), step):
        frames += framer.push(noise[at : at + step])
    frames += framer.push(noise[:0], last=True)
    assert frames[0].start == 7
    np.testing.assert_array_equal(joined(frames), noise)


def test_file_missing_empty_or_not_audio(tmp_path: Path) -> None:
    text, nothing, empty = tmp_path / "a.txt", tmp_path / "b.wav", tmp_path / "c.wav"
    text.write_text("not a recording")
    nothing.touch()
    soundfile.write(empty, np.zeros(0), SAMPLE_RATE)
    for path, expected in [
        (tmp_path / "d.wav", "no such file"),
        (tmp_path, "is a folder"),
        (text, "not a readable recording"),
        (nothing, "not a readable recording"),
        (empty, "is empty"),
    ]:
        with pytest.raises(AudioError, match=expected):
            FileSource(path, realtime=False)


def test_file_cut_short_delivers_what_is_there_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 80_000), SAMPLE_RATE)
    path.write_bytes(path.read_bytes()[:80_044])
    frames: list[AudioFrame] = []
    with FileSource(path, realtime=False) as source, pytest.raises(AudioError, match="2.5 s but"):
        frames.extend(source)
    assert len(joined(frames)) == 40_000


def test_file_played_again_goes_on_with_the_clock(tmp_path: Path, noise: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", noise[:8_000], SAMPLE_RATE)
    began_s = time.monotonic()
    with FileSource(tmp_path / "a.wav", realtime=True, start=160_000) as source:
        frames = list(source)
    assert frames[0].start == 160_000 and len(joined(frames)) == 8_000
    assert time.monotonic() - began_s < 10.0 + PATIENCE_S


def test_file_outside_its_context_is_refused(tmp_path: Path, sine: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", sine, SAMPLE_RATE)
    with pytest.raises(AudioError, match="not open"):
        next(iter(FileSource(tmp_path / "a.wav", realtime=False)))


class FakeClock:
    """A monotonic clock that only waiting and `work` move."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def wait(self, timeout_s: float) -> bool:
        self.now_s += timeout_s
        return False


def test_realtime_pace_does_not_drift(
    tmp_path: Path, noise: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", noise, SAMPLE_RATE)
    clock = FakeClock()
    monkeypatch.setattr(file_module, "time", clock)
    with FileSource(tmp_path / "a.wav", realtime=True) as source:
        monkeypatch.setattr(
            source,
            "_closed",
            SimpleNamespace(wait=clock.wait, is_set=lambda: False, set=lambda: None),
        )
        for number, frame in enumerate(source):
            heard_s = (frame.start + len(frame.samples)) / SAMPLE_RATE
            if number == 10:
                clock.now_s += 0.2  # a slow consumer: the next frames come at once
            elif not 10 < number < 20:
                assert clock.now_s - 100.0 == pytest.approx(heard_s)
    assert clock.now_s - 100.0 == pytest.approx(1.0)


def test_realtime_takes_the_recordings_time(tmp_path: Path, noise: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", noise[:8_000], SAMPLE_RATE)
    began_s = time.monotonic()
    with FileSource(tmp_path / "a.wav", realtime=True) as source:
        assert len(joined(list(source))) == 8_000
    assert time.monotonic() - began_s >= 0.5


def test_close_from_another_thread_ends_a_realtime_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(600 * SAMPLE_RATE, np.int16), SAMPLE_RATE)
    n_frames = 0
    with FileSource(tmp_path / "a.wav", realtime=True) as source:
        for _ in source:
            if n_frames == 0:
                closer = threading.Timer(0.2, source.close)
                closer.start()
            n_frames += 1
        closer.join()
    assert 0 < n_frames < 10_000


# Choosing a microphone

MICS = [
    Microphone(0, "Webcam", 1, 48_000, False),
    Microphone(2, "USB Mic: Audio (hw:1,0)", 2, 44_100, True),
    Microphone(3, "USB Mic", 2, 44_100, False),
]


@pytest.mark.parametrize(
    ("device", "index"),
    [(None, 2), (0, 0), ("3", 3), ("webcam", 0), ("hw:1", 2), ("usb mic", 3)],
)
def test_choose_by_default_index_or_name(device: str | int | None, index: int) -> None:
    assert portaudio.choose(device, MICS).index == index


def test_a_microphone_is_found_however_its_accents_are_put() -> None:
    mics = [*MICS, Microphone(4, unicodedata.normalize("NFD", "Küche"), 1, 48_000, False)]
    assert portaudio.choose("küche", mics).index == 4
    assert config.typed_as("microphone", mics[-1].name) == "Küche"  # rooms compare it so
    assert config.typed_as("room", "خانه\u200cها") == "خانه\u200cها"  # which is spelt so


@pytest.mark.parametrize("device", [1, -1, 99, "piano", "9" * 5000])
def test_choose_lists_what_exists(device: str | int) -> None:
    with pytest.raises(CaptureError, match=r"no microphone .*0 \(Webcam\), 2 \(USB.*3 \(USB"):
        portaudio.choose(device, MICS)


def test_choose_lists_what_is_ambiguous() -> None:
    with pytest.raises(CaptureError, match=r"2 microphones fit 'USB'; choose one of: 2 .*3 "):
        portaudio.choose("USB", MICS)


def test_choose_without_any_or_without_default() -> None:
    with pytest.raises(CaptureError, match="no microphone found; connect one"):
        portaudio.choose(None, [])
    with pytest.raises(CaptureError, match="no default microphone is set; choose one of: 0"):
        portaudio.choose(None, MICS[:1])


# A stand-in for PyAudio, for devices that no virtual microphone imitates


class FakeStream:
    """Gives `blocks` of `channels` channels, then waits until it is closed."""

    def __init__(self, blocks: list[np.ndarray]) -> None:
        self._blocks = iter(blocks)

    def read(self, n: int, exception_on_overflow: bool = True) -> bytes:
        block = next(self._blocks, None)
        if block is None:
            time.sleep(0.01)
            block = np.zeros((n, 1), np.int16)[:0]
        return block.tobytes()

    def close(self) -> None:
        raise OSError(-9988, "Stream closed")


def fake_pyaudio(blocks: list[np.ndarray], rate: int, channels: int, busy: bool = False):
    """A PyAudio module with one microphone, which records in one way only."""
    calls: list[object] = []

    class PyAudio:
        def get_default_input_device_info(self) -> dict:
            return self.get_device_info_by_index(0)

        def get_device_count(self) -> int:
            return 1

        def get_device_info_by_index(self, index: int) -> dict:
            return {
                "index": index,
                "name": "Fake",
                "maxInputChannels": channels,
                "defaultSampleRate": float(rate),
            }

        def open(self, **how) -> FakeStream:
            calls.append((how["rate"], how["channels"], how["frames_per_buffer"]))
            if busy:
                raise OSError(-9985, "Device unavailable")
            if how["rate"] != rate:
                raise OSError(-9997, "Invalid sample rate")
            if how["channels"] != channels:
                raise OSError(-9998, "Invalid number of channels")
            return FakeStream(blocks)

    return SimpleNamespace(
        PyAudio=PyAudio,
        calls=calls,
        paInt16=8,
        paInvalidSampleRate=-9997,
        paInvalidChannelCount=-9998,
        paDeviceUnavailable=-9985,
        pa=SimpleNamespace(terminate=lambda: calls.append("terminate")),
    )


@pytest.fixture
def use_fake(monkeypatch: pytest.MonkeyPatch):
    def use(fake: SimpleNamespace) -> None:
        monkeypatch.setitem(sys.modules, "pyaudio", fake)

    return use


def test_microphone_that_cannot_do_16_khz_is_converted(use_fake, noise: np.ndarray) -> None:
    rate, noise = 48_000, band_limited(noise)
    wave = (soxr.resample(noise, SAMPLE_RATE, rate) * 32_767).astype(np.int16)
    stereo = np.stack([wave, np.zeros_like(wave)], axis=1)
    n = 1536
    fake = fake_pyaudio([stereo[at : at + n] for at in range(0, len(wave), n)], rate, 2)
    use_fake(fake)
    frames = []
    with MicrophoneSource() as source:
        for frame in source:
            frames.append(frame)
            if len(frames) == 20:
                source.close()
    recorded = joined(frames)
    assert fake.calls[:2] == [(16_000, 2, 512), (48_000, 2, 1536)]
    assert fake.calls[-1] == "terminate"
    assert np.corrcoef(recorded, noise[: len(recorded)])[0, 1] > 0.99
    assert recorded.std() == pytest.approx(noise.std(), rel=0.05)


def test_full_queue_drops_counts_and_the_clock_goes_on(use_fake, monkeypatch) -> None:
    blocks = [np.tile([number, -number], 256).astype(np.int16) for number in range(20)]
    use_fake(fake_pyaudio(blocks, SAMPLE_RATE, 1))
    monkeypatch.setattr(microphone_module, "QUEUE_FRAMES", 5)
    with MicrophoneSource(start=100) as source:
        deadline_s = time.monotonic() + PATIENCE_S
        while source.dropped < 15 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert (source.dropped, source.queue_depth) == (15, 5)
        source._put([AudioFrame(100 + 20 * FRAME_SAMPLES, np.zeros(512, np.float32))])
        assert source.dropped == 16
        source.close()
        frames = list(source)
    assert [f.start for f in frames] == [100 + FRAME_SAMPLES * n for n in range(5)]
    assert [round(f.samples[0] * 32_768) for f in frames] == [0, 1, 2, 3, 4]


def test_dropped_frames_leave_a_gap_in_the_clock(use_fake, monkeypatch) -> None:
    use_fake(fake_pyaudio([], SAMPLE_RATE, 1))
    monkeypatch.setattr(microphone_module, "QUEUE_FRAMES", 2)
    with MicrophoneSource() as source:
        framer = Framer()
        for _ in range(4):
            source._put(framer.push(np.zeros(512, np.float32)))
        frames = [source._next(), source._next()]
        source._put(framer.push(np.zeros(512, np.float32)))
        frames.append(source._next())
    assert [frame and frame.start for frame in frames] == [0, 512, 4 * 512]


def test_microphone_in_use(use_fake) -> None:
    use_fake(fake_pyaudio([], SAMPLE_RATE, 1, busy=True))
    with pytest.raises(CaptureError, match="'Fake' is in use by another program"):
        MicrophoneSource().__enter__()


class Failing:
    """A stream, or what makes one, that fails in a way that nobody has foreseen."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.closed = False

    def read(self, n: int, exception_on_overflow: bool = True) -> bytes:
        raise self._error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(-9999, "Unanticipated host error"), "was lost; check that it is connected"),
        (ValueError("buffer size must be a multiple"), "was lost; buffer size must be a multiple"),
        (MemoryError(), "was lost; no memory is left; close other programs"),
    ],
)
def test_a_device_is_let_go_of_whatever_ends_the_reading(use_fake, monkeypatch, error, told):
    fake, stream = fake_pyaudio([], SAMPLE_RATE, 1), Failing(error)
    monkeypatch.setattr(fake.PyAudio, "open", lambda *_, **__: stream)
    use_fake(fake)
    with MicrophoneSource() as source, pytest.raises(CaptureError, match=told):
        list(source)
    assert stream.closed and fake.calls == ["terminate"]
    assert not portaudio._portaudio.locked()


def test_a_device_whose_samples_cannot_be_converted_is_let_go_of(use_fake, monkeypatch) -> None:
    fake = fake_pyaudio([np.zeros(5, np.int16)], SAMPLE_RATE, 2)  # halves of samples
    use_fake(fake)
    with MicrophoneSource() as source, pytest.raises(CaptureError, match="was lost; cannot resha"):
        list(source)
    assert fake.calls[-1] == "terminate"


def test_a_device_that_tells_nothing_of_itself_is_told_and_let_go_of(use_fake, monkeypatch):
    fake = fake_pyaudio([], SAMPLE_RATE, 1)
    monkeypatch.setattr(fake.PyAudio, "get_device_info_by_index", lambda *_: {})
    use_fake(fake)
    with pytest.raises(CaptureError, match="cannot be opened; 'index'"):
        MicrophoneSource().__enter__()
    assert fake.calls == ["terminate"]
    monkeypatch.setattr(fake.PyAudio, "terminate", lambda _: fake.calls.append("end"), False)
    with pytest.raises(CaptureError, match="cannot be listed"):
        microphones()
    assert fake.calls == ["terminate", "end"] and not portaudio._portaudio.locked()


def test_at_the_limit_of_threads_others_can_still_open_a_device(use_fake, monkeypatch) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    use_fake(fake_pyaudio([], SAMPLE_RATE, 1))
    with monkeypatch.context() as limit:
        limit.setattr(threading.Thread, "start", no_thread)
        for attempt in (MicrophoneSource().__enter__, microphones):
            with pytest.raises(CaptureError, match="limit of processes and threads"):
                attempt()
    assert not portaudio._portaudio.locked()
    with MicrophoneSource() as source:
        assert source.name == "Fake"


def test_pyaudio_missing(use_fake) -> None:
    use_fake(None)
    with pytest.raises(CaptureError, match="pip install pyaudio"):
        MicrophoneSource().__enter__()
    with pytest.raises(CaptureError, match="pip install pyaudio"):
        microphones()


# A real sound server


def threads_and_files() -> tuple[int, int]:
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def reopened(seconds: float = PATIENCE_S) -> MicrophoneSource:
    """An entered microphone, tried again as the program does while the server comes back."""
    deadline_s = time.monotonic() + seconds
    while True:
        try:
            return MicrophoneSource().__enter__()
        except CaptureError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.2)


def alignment(played: np.ndarray, recorded: np.ndarray) -> tuple[int, float]:
    """Where `played` starts in `recorded`, and how well it correlates there."""
    n = len(played) + len(recorded)
    cross = np.fft.irfft(np.fft.rfft(recorded, n) * np.conj(np.fft.rfft(played, n)), n)
    at = int(np.argmax(cross[: len(recorded) - len(played) + 1]))
    return at, float(np.corrcoef(played, recorded[at : at + len(played)])[0, 1])


class Over:
    """Whether a sound that is played was heard, and about a second of silence after it.

    The player ends before the last of it comes: how long before, a busy computer decides.
    """

    def __init__(self, playing: Callable[[], bool]) -> None:
        self._playing, self._came, self._quiet = playing, False, 0
        self._deadline_s = time.monotonic() + PATIENCE_S

    def __call__(self, frame: AudioFrame) -> bool:
        loud = bool(np.abs(frame.samples).max() > 1e-3)
        self._came, self._quiet = self._came or loud, 0 if loud else self._quiet + 1
        assert time.monotonic() < self._deadline_s, "it was never heard"
        return self._came and self._quiet >= 30 and not self._playing()


def test_recorded_is_what_was_played(sound_server: SoundServer) -> None:
    rng = np.random.default_rng(3)
    played = band_limited(rng.normal(0, 0.2, 2 * SAMPLE_RATE).astype(np.float32))
    with MicrophoneSource() as source:
        player = threading.Thread(target=sound_server.play, args=(played,))
        frames: list[AudioFrame] = []
        over = Over(player.is_alive)
        for frame in source:
            if not frames:
                player.start()
            frames.append(frame)
            if over(frame):
                source.close()
        player.join()
        assert source.dropped == 0
        assert source.name == "default"
    recorded = joined(frames)
    at, correlation = alignment(played, recorded)
    assert correlation > 0.99
    # Its whole length, and nothing of it twice: silence before and after.
    assert np.abs(recorded[: max(0, at - 800)]).max(initial=0) < 5e-3
    assert np.abs(recorded[at + len(played) + 800 :]).max(initial=0) < 5e-3


SURROUND = "front-left,front-right,rear-left,rear-right,front-center,lfe,side-left,side-right"
WIRINGS = {
    "one side turned over": ("front-left,front-right", (1, -1)),
    "the left alone": ("front-left,front-right", (1, 0)),
    "the fifth of eight": (SURROUND, (0, 0, 0, 0, 1, 0, 0, 0)),
    "the last of eight that are numbered": (",".join(f"aux{n}" for n in range(8)), (0,) * 7 + (1,)),
    "two of four that are numbered, turned over": ("aux0,aux1,aux2,aux3", (0, 1, -1, 0)),
}


@pytest.mark.parametrize("name", WIRINGS)
def test_a_badly_wired_microphone_is_heard_as_a_good_one(
    name: str, sound_server: SoundServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel_map, wiring = WIRINGS[name]
    voice = speechlike(2.0, SAMPLE_RATE) * np.array(wiring, np.float32)
    with SoundServer(len(wiring), channel_map) as server:
        for variable, value in server.env.items():
            monkeypatch.setenv(variable, value)
        with MicrophoneSource() as source:
            next(iter(source))
            player = server.play(voice, wait=False)
            frames: list[AudioFrame] = []
            over = Over(lambda: player.poll() is None)
            for frame in source:
                frames.append(frame)
                if over(frame):
                    source.close()
    heard, spoken = joined(frames), voice[:, np.argmax(wiring)]
    at, correlation = alignment(spoken, heard)
    if correlation < 0.9:  # turned over as a whole, which nobody hears
        at, correlation = alignment(-spoken, heard)
    assert correlation > 0.95
    level = np.sqrt(np.mean(heard[at : at + len(spoken)] ** 2) / np.mean(spoken**2))
    assert 20 * np.log10(level) == pytest.approx(0, abs=1.5)


def test_microphones_lists_the_default(sound_server: SoundServer) -> None:
    assert [mic.name for mic in microphones() if mic.default] == ["default"]


def test_microphones_of_a_computer_without_any(sound_server: SoundServer) -> None:
    sound_server.kill()
    # In a process of its own: a reader left hanging by another test keeps PortAudio's list.
    code = "from utils.sources import microphones; print(microphones())"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")


@pytest.mark.parametrize("device", [-1, 999, "piano"])
def test_unknown_microphone(sound_server: SoundServer, device: str | int) -> None:
    with pytest.raises(CaptureError, match=r"no microphone .*\(default\)"):
        MicrophoneSource(device).__enter__()


def test_microphone_by_name(sound_server: SoundServer) -> None:
    with MicrophoneSource("PULSE") as source:
        assert len(next(iter(source)).samples) == FRAME_SAMPLES
        assert source.name == "pulse"
        assert source.last_frame_age_s < PATIENCE_S


def test_opening_prints_nothing(sound_server: SoundServer, capfd: pytest.CaptureFixture) -> None:
    microphones()
    with MicrophoneSource() as source:
        next(iter(source))
    sound_server.kill()
    with pytest.raises(CaptureError, match=NO_SERVER):
        MicrophoneSource().__enter__()
    assert capfd.readouterr() == ("", "")


def test_another_threads_log_survives_the_silencing(capfd: pytest.CaptureFixture) -> None:
    with portaudio.Setup():
        os.write(2, b"ALSA lib pcm.c:2666:(snd_pcm_open_noupdate) Unknown PCM cards.pcm.rear\n")
        os.write(2, b"a line of another thread\n")
    assert capfd.readouterr().err == "a line of another thread\n"


def test_what_is_said_of_the_list_is_not_lost_with_the_noise(
    sound_server: SoundServer, monkeypatch, capfd: pytest.CaptureFixture
) -> None:
    """A program may say it, and end, before the thread that has looked is done."""
    said, done, free = threading.Event(), threading.Event(), portaudio.Setup.free

    def free_late(setup: portaudio.Setup) -> None:
        said.wait(PATIENCE_S)
        free(setup)
        done.set()

    monkeypatch.setattr(portaudio.Setup, "free", free_late)
    assert microphones()
    os.write(2, b"these are all\n")
    found = capfd.readouterr().err
    said.set()
    assert done.wait(PATIENCE_S) and found == "these are all\n"


def test_close_delivers_what_was_captured_and_ends(sound_server: SoundServer) -> None:
    with MicrophoneSource() as source:
        deadline_s = time.monotonic() + PATIENCE_S
        while source.queue_depth < 20 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        closer = threading.Thread(target=source.close)
        closer.start()
        closer.join()
        captured = source.queue_depth
        frames = list(source)  # the watchdog would raise
    assert len(frames) == captured >= 20


def test_close_wakes_a_waiting_iteration(use_fake) -> None:
    use_fake(fake_pyaudio([], SAMPLE_RATE, 1))
    with MicrophoneSource() as source:
        closer = threading.Timer(0.1, source.close)
        closer.start()
        assert list(source) == []
        closer.join()


@pytest.fixture(params=["kill", "suspend"])
def lost_server(request: pytest.FixtureRequest, sound_server: SoundServer) -> Iterator:
    """A server, how to lose it and how to bring it back."""
    if request.param == "kill":
        yield sound_server.kill, sound_server.start
    else:
        yield sound_server.suspend, sound_server.resume


def test_lost_server_is_noticed_and_its_return_used(lost_server) -> None:
    lose, bring_back = lost_server
    frames = []
    with MicrophoneSource() as source:
        sound = iter(source)
        frames.append(next(sound))
        lose()
        with pytest.raises(CaptureError, match="was lost|sends nothing"):
            frames.extend(sound)
        assert source.last_frame_age_s < microphone_module.WATCHDOG_S + PATIENCE_S
    joined(frames)
    bring_back()
    source = reopened()
    try:
        assert len(next(iter(source)).samples) == FRAME_SAMPLES
    finally:
        source.__exit__(None, None, None)


def test_server_that_hangs_during_opening(sound_server: SoundServer, monkeypatch) -> None:
    monkeypatch.setattr(microphone_module, "OPEN_TIMEOUT_S", 0.5)
    monkeypatch.setattr(portaudio, "TURN_TIMEOUT_S", 0.5)
    sound_server.suspend()
    before = threads_and_files()
    for _ in range(4):
        with pytest.raises(CaptureError, match="does not answer"):
            MicrophoneSource().__enter__()
    threads, files = threads_and_files()
    assert threads <= before[0] + 1  # only the first attempt hangs, the others wait for it
    assert files <= before[1] + 8
    sound_server.resume()
    source = reopened()
    assert len(next(iter(source)).samples) == FRAME_SAMPLES
    source.__exit__(None, None, None)


def test_close_while_opening_hangs(sound_server: SoundServer) -> None:
    sound_server.suspend()
    source = MicrophoneSource()
    closer = threading.Timer(0.3, source.close)
    closer.start()
    with source:
        assert list(source) == []
    closer.join()
    sound_server.resume()
    reopened().__exit__(None, None, None)


def test_retries_without_a_server_leak_nothing(sound_server: SoundServer) -> None:
    sound_server.stop()
    counts = []
    for _ in range(30):
        with pytest.raises(CaptureError, match=NO_SERVER):
            MicrophoneSource().__enter__()
        counts.append(threads_and_files())
    assert counts[-1][0] <= counts[0][0] + 1
    assert counts[-1][1] <= counts[0][1] + 1
