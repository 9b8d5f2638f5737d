"""Which device is heard: it is named, and changes of the default and silent streams are followed."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.program import PATIENCE_S
from tests.recordings import speechlike
from tests.sound_server import SINK, SoundServer
from tests.sources.test_sources import Over, alignment, joined
from utils.audio import SAMPLE_RATE
from utils.errors import CaptureError
from utils.events import AudioFrame
from utils.sources import InputDevice, MicrophoneSource, heard, input_devices, renewal
from utils.sources import microphone as microphone_module
from utils.sources.heard import is_routed, plain_name

NULL = "Monitor of Null Output"  # as the microphone of `SoundServer` is called
HEADSET = "민수의 헤드셋"


class Heard:
    """Listens until it is told to end; what it was called at each frame is kept."""

    def __init__(self, source: MicrophoneSource) -> None:
        self.source = source
        self.frames: list[AudioFrame] = []
        self.names: list[str] = []

    def until(self, happened: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        for frame in self.source:
            self.frames.append(frame)
            if self.names[-1:] != [self.source.heard]:
                self.names.append(self.source.heard)
            if happened():
                return
            assert time.monotonic() < deadline_s, self.names

    def named(self, name: str) -> None:
        self.until(lambda: self.source.heard == name)

    def played(self, server: SoundServer, sound: np.ndarray, sink: str) -> None:
        """Take a sound that is played, and what comes within a second after it."""
        player = server.play(sound, wait=False, sink=sink)
        over = Over(lambda: player.poll() is None)
        self.until(lambda: over(self.frames[-1]))

    def samples(self) -> np.ndarray:
        return joined(self.frames)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks every 0.1 s."""
    monkeypatch.setattr(microphone_module, "LOOK_S", 0.1)


def correlation(sound: np.ndarray, recorded: np.ndarray) -> float:
    return abs(alignment(sound, recorded)[1])


def voice(channels: int = 1) -> np.ndarray:
    """Speech on the first channel alone."""
    wave = speechlike(1.5, SAMPLE_RATE)
    return wave * np.eye(1, channels, dtype=np.float32)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2), (8_000, 1), (96_000, 6)])
def test_a_new_default_is_heard_and_named(
    sound_server: SoundServer, quick: None, rate: int, channels: int
) -> None:
    with MicrophoneSource() as source:
        listener = Heard(source)
        listener.named(NULL)
        listener.played(sound_server, voice(), SINK)
        sound_server.add("headset", HEADSET, rate, channels)
        sound_server.pactl("set-default-source", "headset.monitor")
        listener.named(f"Monitor of {HEADSET}")
        at = len(listener.samples())
        listener.played(sound_server, voice(channels), "headset")
        assert source.dropped == 0
    before, after = np.split(listener.samples(), [at])
    spoken = voice()[:, 0]
    assert correlation(spoken, before) > 0.95
    assert correlation(spoken, after) > (0.95 if rate >= SAMPLE_RATE else 0.5)
    assert listener.names[-2:] == [NULL, f"Monitor of {HEADSET}"]


def test_a_default_that_goes_and_comes_back_is_heard_again(
    sound_server: SoundServer, quick: None
) -> None:
    plugged = sound_server.add("headset", HEADSET, 44_100, 2)
    sound_server.pactl("set-default-source", "headset.monitor")
    with MicrophoneSource() as source:
        listener = Heard(source)
        listener.named(f"Monitor of {HEADSET}")
        sound_server.pactl("unload-module", plugged)
        listener.named(NULL)
        sound_server.add("headset", HEADSET, 48_000, 1)
        listener.named(f"Monitor of {HEADSET}")
        at = len(listener.samples())
        listener.played(sound_server, voice(), "headset")
    assert correlation(voice()[:, 0], listener.samples()[at:]) > 0.95


@pytest.fixture
def soon(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opens a silent device anew after 0.6 s, 1.2 s, …"""
    monkeypatch.setattr(renewal, "FIRST_S", 0.6)
    monkeypatch.setattr(renewal, "TRIAL_S", 0.5)


def n_streams(server: SoundServer) -> int:
    return len(server.pactl("list", "short", "source-outputs").splitlines())


def test_a_stream_that_was_led_astray_is_opened_anew_and_loses_no_sound(
    sound_server: SoundServer, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRIAL_S", "OPENING_S"):
        monkeypatch.setattr(renewal, name, PATIENCE_S)
    sound_server.add("elsewhere", "Elsewhere")
    with MicrophoneSource() as source:
        listener = Heard(source)
        listener.named(NULL)
        # To where nothing is said, and so that the default is of no matter to it.
        stream = sound_server.pactl("list", "short", "source-outputs").split()[0]
        sound_server.pactl("move-source-output", stream, "elsewhere.monitor")
        listener.named("Monitor of Elsewhere")
        at = len(listener.samples())
        # Until the second stream is open.
        listener.until(lambda: bool((trial := source._trial) and trial._new_s))
        monkeypatch.setattr(renewal, "FIRST_S", PATIENCE_S)  # and no third one after it
        listener.played(sound_server, voice(), SINK)
        listener.named(NULL)
        listener.until(lambda: n_streams(sound_server) == 1)
        assert source.dropped == 0
    spoken = voice()[:, 0]
    recorded = listener.samples()[at:]
    where, how_well = alignment(spoken, recorded)
    assert how_well > 0.95  # from its first word to its last
    assert np.abs(recorded[: max(0, where - 800)]).max() < 5e-3


def test_a_muted_microphone_is_tried_calmly_and_heard_as_soon_as_it_is_not(
    sound_server: SoundServer, soon: None
) -> None:
    sound_server.pactl("set-source-mute", f"{SINK}.monitor", "1")
    with MicrophoneSource() as source:
        listener = Heard(source)
        listener.named(NULL)
        tried: list[object] = []

        def thrice() -> bool:
            if (trial := source._trial) and trial not in tried:
                tried.append(trial)
            return len(tried) == 3 and trial is None

        listener.until(thrice)
        at = len(listener.samples())
        sound_server.pactl("set-source-mute", f"{SINK}.monitor", "0")
        listener.played(sound_server, voice(), SINK)
        assert source.dropped == 0
        listener.until(lambda: source._trial is None and n_streams(sound_server) == 1)
    assert set(listener.names) <= {"", NULL}  # the second stream was never told of
    assert correlation(voice()[:, 0], listener.samples()[at:]) > 0.95


def test_the_microphone_goes_while_a_second_stream_is_tried(
    sound_server: SoundServer, soon: None
) -> None:
    plugged = sound_server.add("headset", HEADSET, 44_100, 2)
    sound_server.pactl("set-default-source", "headset.monitor")
    with MicrophoneSource() as source:
        listener = Heard(source)
        listener.named(f"Monitor of {HEADSET}")
        listener.until(lambda: source._trial is not None)
        sound_server.pactl("unload-module", plugged)
        listener.named(NULL)
        at = len(listener.samples())
        listener.played(sound_server, voice(), SINK)
    assert correlation(voice()[:, 0], listener.samples()[at:]) > 0.95


def test_without_the_servers_command_a_silent_stream_is_closed_and_opened_again(
    sound_server: SoundServer, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(server: heard.SoundServer) -> str | None:
        raise FileNotFoundError("pactl")

    monkeypatch.setattr(heard.SoundServer, "heard", missing)
    with MicrophoneSource() as source:
        first = source._capture
        listener = Heard(source)
        listener.until(lambda: source._capture is not first and not source._renewing)
        assert first.ended.is_set()
        monkeypatch.setattr(renewal, "FIRST_S", PATIENCE_S)
        source._zeros.helped()  # and not again while it plays
        at = len(listener.frames)
        listener.played(sound_server, voice(), SINK)
        assert source.dropped == 0 and n_streams(sound_server) == 1
    starts = [frame.start + len(frame.samples) for frame in listener.frames]
    gaps = [frame.start - end for frame, end in zip(listener.frames[1:], starts)]
    assert min(gaps) == 0 and np.count_nonzero(gaps) == 1  # the clock goes on while it is closed
    recorded = np.concatenate([frame.samples for frame in listener.frames[at:]])
    assert correlation(voice()[:, 0], recorded) > 0.95


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> renewal.Patience:
    """Of half a second for the first frame, to begin with."""
    patience = renewal.Patience()
    patience.seconds = 0.5
    monkeypatch.setitem(microphone_module._first_frame, None, patience)
    return patience


def test_a_device_that_is_asleep_is_waited_for_ever_longer_and_heard_when_it_wakes(
    sound_server: SoundServer, quick: None, patience: renewal.Patience
) -> None:
    sound_server.pactl("suspend-sink", SINK, "1")
    for expected_s in (1.0, 2.0):
        with MicrophoneSource() as source, pytest.raises(CaptureError, match="sends nothing"):
            list(source)
        assert patience.seconds == expected_s
    patience.seconds = PATIENCE_S
    with MicrophoneSource() as source:
        waker = threading.Timer(0.5, sound_server.pactl, ["suspend-sink", SINK, "0"])
        waker.start()
        Heard(source).named(NULL)
        waker.join()
    assert patience.seconds == renewal.FIRST_FRAME_S


def test_who_waits_for_a_device_that_is_asleep_hears_of_the_servers_end(
    sound_server: SoundServer, quick: None, patience: renewal.Patience
) -> None:
    patience.seconds = 60.0
    sound_server.pactl("suspend-sink", SINK, "1")
    with MicrophoneSource() as source:
        ender = threading.Timer(1.0, sound_server.kill)
        ender.start()
        with pytest.raises(CaptureError, match="was lost|sends nothing"):
            list(source)
        ender.join()


def test_without_the_servers_command_listening_goes_on(
    sound_server: SoundServer, quick: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with MicrophoneSource() as source:
        listener = Heard(source)
        listener.until(lambda: len(listener.frames) == 30)
        assert source.heard == ""
    sleeper = tmp_path / "pactl"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(shutil.which('sleep') or '/bin/sleep').parent}")
    monkeypatch.setattr(heard, "ANSWER_S", 0.2)
    with MicrophoneSource() as source:
        listener = Heard(source)
        listener.until(lambda: len(listener.frames) == 30)
        assert source.heard == ""


@pytest.mark.parametrize(
    ("device", "plain", "routed"),
    [
        ("default", "", True),
        ("pulse", "", True),
        ("USB Mic: Audio (hw:1,0)", "USB Mic: Audio", False),
        ("MacBook Microphone", "MacBook Microphone", True),
        ("x" * 200, "x" * 60, True),
    ],
)
def test_what_a_device_is_called(device: str, plain: str, routed: bool) -> None:
    assert (plain_name(device), is_routed(device)) == (plain, routed)


def test_what_the_server_lists_is_read_whatever_a_device_is_called() -> None:
    text = (
        "Source #7\n\tState: IDLE\n\tName: a\n\tDescription: Anna's \x1b[31m “headset”\n\n"
        "Source #12\n\tName: b\n\tDescription: \n\n"
    )
    blocks = heard._blocks(text)
    assert list(blocks) == ["7", "12"] and heard._blocks("") == {}
    assert heard._value(blocks["7"], "Description") == "Anna's [31m “headset”"
    assert heard._value(blocks["12"], "Description") == heard._value("", "Source") == ""


def test_nobody_is_heard_where_no_stream_is_ours(sound_server: SoundServer) -> None:
    other = subprocess.Popen(
        ["parec", "--raw"], env={**os.environ, **sound_server.env}, stdout=subprocess.DEVNULL
    )
    try:
        deadline_s = time.monotonic() + PATIENCE_S
        while not n_streams(sound_server) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert heard.SoundServer().heard() is None
    finally:
        other.kill()
        other.wait()


def test_the_sound_servers_devices_are_listed_as_people_know_them(
    sound_server: SoundServer,
) -> None:
    sound_server.add("headset", HEADSET)
    assert input_devices() == [
        InputDevice(NULL, default=True, plays=True),
        InputDevice(f"Monitor of {HEADSET}", default=False, plays=True),
    ]
    sound_server.pactl(
        "load-module",
        "module-remap-source",
        "master=headset.monitor",
        "source_name=desk",
        "source_properties=\"device.description='Desk microphone'\"",
    )
    assert input_devices()[0] == InputDevice("Desk microphone", default=True)


def test_a_device_of_the_sound_server_is_heard_by_its_name_and_no_word_of_another(
    sound_server: SoundServer, quick: None
) -> None:
    plugged = sound_server.add("headset", HEADSET)
    playing = sound_server.play(voice(), wait=False)
    with MicrophoneSource(f"Monitor of {HEADSET}") as source:
        listener = Heard(source)
        listener.named(f"Monitor of {HEADSET}")
        listener.until(lambda: playing.poll() is not None)
        assert np.abs(listener.samples()).max() < 1e-4  # a voice is louder a hundred times
        listener.played(sound_server, voice(), "headset")
        assert correlation(voice()[:, 0], listener.samples()) > 0.95
        sound_server.pactl("unload-module", plugged)  # the server leads the stream elsewhere
        listener.named(NULL)
        sound_server.add("headset", HEADSET)
        listener.named(f"Monitor of {HEADSET}")


def test_two_are_heard_at_once_each_by_its_own(sound_server: SoundServer, quick: None) -> None:
    for name in ("left", "right"):
        sound_server.add(name, name.title())
    with (
        MicrophoneSource("Monitor of Left", only=True) as left,
        MicrophoneSource("Monitor of Right", only=True) as right,
    ):
        heard_left, heard_right = Heard(left), Heard(right)
        heard_left.named("Monitor of Left")
        heard_right.named("Monitor of Right")
        heard_left.played(sound_server, voice(), "left")
        heard_right.until(lambda: right.queue_depth == 0)
        assert correlation(voice()[:, 0], heard_left.samples()) > 0.95
        assert np.abs(heard_right.samples()).max() < 1e-4


def test_where_no_other_may_be_heard_a_device_that_goes_is_lost(
    sound_server: SoundServer, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microphone_module, "LOOK_ONLY_S", 0.1)
    plugged = sound_server.add("headset", HEADSET)
    with MicrophoneSource(f"Monitor of {HEADSET}", only=True) as source:
        listener = Heard(source)
        listener.named(f"Monitor of {HEADSET}")
        sound_server.pactl("unload-module", plugged)
        with pytest.raises(CaptureError, match="was lost; connect it again"):
            listener.until(lambda: False)
    assert listener.names[-1] == f"Monitor of {HEADSET}"


def test_a_device_that_is_not_there_is_no_other(sound_server: SoundServer) -> None:
    with pytest.raises(CaptureError, match="no microphone 'Desk'"), MicrophoneSource("Desk"):
        pass
