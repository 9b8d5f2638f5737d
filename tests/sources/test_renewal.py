"""A silent device is opened anew, calmly, and nothing that is said is lost by it."""

import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from utils.audio import SAMPLE_RATE
from utils.errors import CaptureError
from utils.sources import MicrophoneSource
from utils.sources import microphone as microphone_module
from utils.sources.heard import SoundServer
from utils.sources.renewal import (
    FIRST_S,
    GRACE_S,
    LONGEST_S,
    OPENING_S,
    TRIAL_S,
    Patience,
    Trial,
    Zeros,
)

BLOCK = 512
BLOCK_S = BLOCK / SAMPLE_RATE
NOTHING = np.zeros(BLOCK, np.float32)


def attempts(zeros: Zeros, seconds: float, closed: bool = False) -> list[float]:
    """After how much silence each the device is opened anew, while it gives none but zeros."""
    waits, since_s = [], 0.0
    for _ in range(round(seconds / BLOCK_S)):
        since_s += BLOCK_S
        if zeros.take(False, BLOCK_S):
            zeros.renew(closed)
            waits.append(since_s)
            since_s = 0.0
    return waits


def test_attempts_come_ever_more_rarely():
    waits = attempts(Zeros(), 400.0)
    expected = [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S, *[LONGEST_S] * 5]
    assert waits == pytest.approx(expected, abs=2 * BLOCK_S)


def test_pauses_of_a_microphone_that_is_muted_in_them_do_not_begin_anew():
    zeros, n_attempts = Zeros(), 0
    for _ in range(20):  # as a filter of noise does, which gives zeros while nobody speaks
        n_attempts += len(attempts(zeros, 12.0))
        zeros.take(True, BLOCK_S)
    assert n_attempts == 2


@pytest.mark.parametrize("closed", [True, False])
def test_only_an_attempt_that_helped_makes_the_next_one_soon(closed: bool):
    zeros = Zeros()
    attempts(zeros, 36.0, closed)
    attempts(zeros, 0.5)
    zeros.take(True, BLOCK_S)  # at once, from the new stream, or from the old one beside it
    if not closed:
        assert attempts(zeros, FIRST_S + 1) == []
        zeros.helped()
        zeros.take(True, BLOCK_S)
    assert len(attempts(zeros, FIRST_S + 1)) == 1


class Ends:
    """What a trial looks at in the second stream."""

    def __init__(self) -> None:
        self.ended = threading.Event()


def tried(old: list[np.ndarray], new: list[np.ndarray]) -> tuple[Trial, np.ndarray]:
    """What is heard of two streams, block by block, until it is decided, and of the rest."""
    trial, heard = Trial(Ends()), []  # type: ignore[arg-type]
    for ours, other in zip(old, new, strict=True):
        if not trial.over:
            heard += trial.take_old(ours, bool(ours.any()))
        elif not trial.won:
            heard.append(ours)
        if not trial.over:
            heard += trial.take_new(other, bool(other.any()))
        elif trial.won:
            heard.append(other)
    return trial, np.concatenate(heard)


def counted(n: int, first: int = 1) -> list[np.ndarray]:
    """Blocks that are told from each other."""
    return [np.full(BLOCK, first + i, np.float32) for i in range(n)]


def only_sound(samples: np.ndarray) -> list[int]:
    return [int(number) for number in samples[::BLOCK] if number]


N_GRACE = round(GRACE_S / BLOCK_S)


def test_sound_that_only_the_second_stream_has_is_heard_from_its_first_sample():
    spoken = counted(60)
    trial, heard = tried([NOTHING] * 80, [NOTHING] * 20 + spoken)
    assert trial.won
    assert only_sound(heard) == list(range(1, 61))
    assert len(heard) == pytest.approx(80 * BLOCK, abs=BLOCK)  # and the clock goes on


@pytest.mark.parametrize("later", [-3, -1, 0, 1, 3, N_GRACE - 2])
def test_sound_that_both_have_stays_with_the_first_and_none_is_heard_twice(later: int):
    at = 20
    old = ([NOTHING] * (at + later) + counted(60))[:60]
    new = ([NOTHING] * at + counted(60))[:60]
    trial, heard = tried(old, new)
    assert trial.over and not trial.won
    assert only_sound(heard) == list(range(1, 61 - at - later))
    assert len(heard) == 60 * BLOCK


def test_a_second_stream_that_is_silent_too_is_given_up():
    n = round(TRIAL_S / BLOCK_S) + 2
    trial, heard = tried([NOTHING] * n, [NOTHING] * n)
    assert trial.over and not trial.won and len(heard) == n * BLOCK


@pytest.mark.parametrize("ended", [True, False])
def test_a_second_stream_that_does_not_open_is_given_up(ended: bool):
    trial = Trial(Ends())  # type: ignore[arg-type]
    if ended:
        trial.capture.ended.set()
    n = 1 if ended else round(OPENING_S / BLOCK_S) + 1
    assert sum(len(trial.take_old(NOTHING, False)) for _ in range(n)) == n
    assert trial.over and not trial.won


# A device that no sound server stands before: it is closed and opened again. A stand-in for
# PyAudio, because such a device needs hardware; each stream gives its blocks, then waits.


class Devices:
    """A PyAudio module whose devices, and what they give, change with each start of it."""

    paInt16, paInvalidSampleRate, paInvalidChannelCount, paDeviceUnavailable = 8, -1, -2, -3

    def __init__(self, *starts: tuple[list[str], list[np.ndarray]]) -> None:
        self.starts = iter(starts)
        self.n_users = 0
        self.opened: list[str] = []
        self.pa = SimpleNamespace(terminate=self.terminate)

    def terminate(self) -> None:
        self.n_users -= 1

    def PyAudio(self) -> SimpleNamespace:
        if self.n_users == 0:  # only then it looks afresh
            self.names, blocks = next(self.starts)
            self.stream = Stream(blocks)
        self.n_users += 1
        return SimpleNamespace(
            get_default_input_device_info=lambda: self.info(0),
            get_device_count=lambda: len(self.names),
            get_device_info_by_index=self.info,
            open=self.open,
        )

    def info(self, index: int) -> dict:
        if index >= len(self.names):
            raise OSError(-9996, "Invalid input device (no default output device)")
        return {
            "index": index,
            "name": self.names[index],
            "maxInputChannels": 1,
            "defaultSampleRate": float(SAMPLE_RATE),
        }

    def open(self, input_device_index: int, **_: object) -> "Stream":
        self.opened.append(self.names[input_device_index])
        return self.stream


class Stream:
    def __init__(self, blocks: list[np.ndarray]) -> None:
        self._blocks = iter(blocks)
        self._waiting = threading.Event()

    def read(self, n: int, exception_on_overflow: bool = True) -> bytes:
        block = next(self._blocks, None)
        if block is None:
            self._waiting.wait(0.01)
            block = np.zeros(0, np.int16)
        return block.tobytes()

    def close(self) -> None:
        pass


ZEROS = [np.zeros(BLOCK, np.int16)] * (round(FIRST_S / BLOCK_S) + 5)
SOUND = [np.tile([number, -number], BLOCK // 2).astype(np.int16) for number in range(1_000, 1_020)]


def test_a_bare_device_is_opened_again_and_the_default_of_then_is_heard(monkeypatch):
    devices = Devices((["Old (hw:0,0)"], ZEROS), (["New (hw:1,0)", "Old (hw:0,0)"], SOUND))
    monkeypatch.setitem(sys.modules, "pyaudio", devices)
    heard: list[np.ndarray] = []
    end = 0
    with MicrophoneSource() as source:
        for frame in source:
            assert frame.start >= end  # the clock goes on, with a gap while it was closed
            end = frame.start + len(frame.samples)
            heard.append(frame.samples)
            if np.abs(frame.samples).max() > 1_018.5 / 32_768:
                source.close()
    assert devices.opened == ["Old (hw:0,0)", "New (hw:1,0)"]
    assert source.name == "New (hw:1,0)" and devices.n_users == 0
    peaks = [round(float(np.abs(samples).max()) * 32_768) for samples in heard]
    assert [peak for peak in peaks if peak][-20:] == pytest.approx(range(1_000, 1_020), abs=2)


def test_a_bare_device_that_is_gone_when_it_is_opened_again_is_told(monkeypatch):
    devices = Devices((["Old (hw:0,0)"], ZEROS), ([], []))
    monkeypatch.setitem(sys.modules, "pyaudio", devices)
    with MicrophoneSource() as source, pytest.raises(CaptureError, match="no microphone found"):
        list(source)
    assert devices.n_users == 0


def test_a_stream_that_the_server_knows_no_longer_is_not_waited_for(monkeypatch):
    answers = iter(["A microphone", "A microphone"])  # then there is no server any more

    def heard(server: SoundServer) -> str | None:
        for answer in answers:
            return answer
        raise subprocess.CalledProcessError(1, "pactl")

    patience = Patience()
    patience.seconds = 60.0
    monkeypatch.setitem(microphone_module._first_frame, None, patience)
    monkeypatch.setattr(microphone_module, "LOOK_S", 0.1)
    monkeypatch.setattr(microphone_module, "WATCHDOG_S", 0.5)
    monkeypatch.setattr(SoundServer, "heard", heard)
    monkeypatch.setitem(sys.modules, "pyaudio", Devices((["default"], [])))
    with MicrophoneSource() as source, pytest.raises(CaptureError, match="sends nothing"):
        list(source)
    assert patience.seconds == 60.0  # it was no device that is asleep


def test_a_bare_device_asked_for_by_its_number_is_not_opened_again(monkeypatch):
    devices = Devices((["Old (hw:0,0)"], ZEROS))
    monkeypatch.setitem(sys.modules, "pyaudio", devices)
    n_frames = 0
    with MicrophoneSource("0") as source:
        for _ in source:
            n_frames += 1
            if n_frames == len(ZEROS):
                source.close()
    assert devices.opened == ["Old (hw:0,0)"]
