"""The computer's own voice: espeak-ng, as it is installed, on a virtual loudspeaker."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from utils.errors import DataError
from utils.live.answering.speaker import LONGEST, UNABLE, Voice

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)


def wait(for_what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not for_what() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert for_what()


class Heard:
    """What a voice tells of itself."""

    def __init__(self) -> None:
        self.states: list[bool] = []
        self.failures: list[str] = []
        self.ended = threading.Event()

    def voice(self) -> Voice:
        return Voice(self._changed, self.failures.append)

    def _changed(self, speaking: bool) -> None:
        self.states.append(speaking)
        if not speaking:
            self.ended.set()


@needs_espeak
@pytest.mark.parametrize(("text", "language"), [("Hello. --help; $(reboot)", "en"), ("안녕", "ko")])
def test_it_speaks_and_says_so(sound_server, text, language):
    heard = Heard()
    began = time.monotonic()
    heard.voice().speak(text, language)
    assert heard.ended.wait(60) and heard.states == [True, False]
    assert time.monotonic() - began > 0.4 and not heard.failures


@needs_espeak
def test_the_next_text_takes_the_place_of_the_first(sound_server):
    heard = Heard()
    voice = heard.voice()
    text = "one two three four five six seven eight nine ten " * 5
    length_s = voice._length_s(None, text, "en")
    voice.speak(text, "en")
    wait(lambda: heard.states)
    time.sleep(0.5)
    began = time.monotonic()
    voice.speak("Stop.", "en")
    wait(lambda: voice._sounding is None and len(heard.states) % 2 == 0 and voice._process is None)
    assert time.monotonic() - began < length_s and not heard.failures
    assert heard.states in ([True, False], [True, False, True, False])


@needs_espeak
def test_a_computer_without_sound_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/dev/null")
    heard = Heard()
    heard.voice().speak("Hello.", "en")
    assert heard.ended.wait(60)
    [told] = heard.failures
    assert told.startswith("the computer that shows the captions cannot play sound; connect")
    assert "error" not in told


def espeak(folder: Path, script: str) -> None:
    """Another program under espeak-ng's name."""
    path = folder / "espeak-ng"
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def quick(monkeypatch, tmp_path) -> Path:
    """A folder whose espeak-ng is used, with a second to end after it should have."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("utils.live.answering.speaker.GRACE_S", 1.0)
    return tmp_path


def test_one_that_hangs_at_once_never_holds_up_captions(quick, monkeypatch):
    monkeypatch.setattr("utils.live.answering.speaker.TRIAL_S", 1.0)
    espeak(quick, "sleep 1000 & sleep 1000")
    heard = Heard()
    heard.voice().speak("Hello.", "en")
    wait(lambda: heard.failures)
    assert "was not done after 1 s" in heard.failures[0] and heard.states == []


def test_one_that_hangs_while_it_speaks_is_ended_when_it_should_be_done(quick):
    wav = r"head -c 24 /dev/zero; printf '\x22\x56\0\0'; head -c 22066 /dev/zero"
    espeak(quick, f'if [[ "$*" == *--stdout* ]]; then {wav}; else sleep 1000 & sleep 1000; fi')
    heard = Heard()
    heard.voice().speak("Hello.", "en")
    assert heard.ended.wait(60) and heard.states == [True, False]
    assert "was not done after" in heard.failures[0]


@pytest.mark.parametrize(
    "script",
    [
        "echo 'Error: The specified espeak-ng voice does not exist.' >&2; exit 1",
        "echo 'error: No such file or directory' >&2",
        "exit 0",
    ],
)
def test_one_that_gives_no_sound_is_told_of_in_our_words_and_its_own_are_logged(
    quick, script, caplog
):
    espeak(quick, script)
    heard = Heard()
    heard.voice().speak("Hello.", "en")
    wait(lambda: heard.failures)
    assert heard.failures == [UNABLE] and heard.states == []
    for own in ("voice does not exist", "No such file"):
        assert (own in caplog.text) == (own in script)


def test_what_nobody_has_foreseen_is_told_too(quick, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(subprocess.Popen, "communicate", fail)
    espeak(quick, "exit 0")
    heard = Heard()
    heard.voice().speak("Hello.", "en")
    wait(lambda: heard.failures)
    assert heard.failures == ["no memory is left; close other programs"]


def test_one_that_is_silenced_while_it_hangs_is_not_told_of(quick):
    espeak(quick, "sleep 1000 & sleep 1000")
    heard = Heard()
    voice = heard.voice()
    voice.speak("Hello.", "en")
    wait(lambda: voice._process)
    voice.close()
    wait(lambda: voice._process is None)
    assert heard.states == [] and heard.failures == []


@needs_espeak
def test_a_text_that_takes_minutes_is_refused(sound_server, monkeypatch):
    monkeypatch.setattr("utils.live.answering.speaker.LONGEST_S", 1.0)
    heard = Heard()
    heard.voice().speak("one two three four five six seven eight nine ten", "en")
    wait(lambda: heard.failures)
    assert "expected 1 at most" in heard.failures[0] and heard.states == []


@pytest.mark.parametrize(
    ("text", "language"),
    [("", "en"), (" \n\x00", "en"), ("x" * (LONGEST + 1), "en"), ("x", "../x")],
)
def test_what_cannot_be_spoken_is_refused(text, language):
    with pytest.raises(DataError):
        Heard().voice().speak(text, language)


def test_without_espeak_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    voice = Heard().voice()
    assert not voice.available
    with pytest.raises(DataError, match="not installed"):
        voice.speak("Hello.", "en")
