"""The computer's own voice: espeak-ng, as it is installed, on a virtual loudspeaker."""

import shutil
import threading
import time

import pytest

from utils.errors import DataError
from utils.voice import LONGEST, Voice

needs_espeak = pytest.mark.skipif(
    shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)


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
    voice.speak("one two three four five six seven eight nine ten " * 5, "en")
    time.sleep(0.5)
    began = time.monotonic()
    voice.speak("Stop.", "en")
    assert heard.ended.wait(60) and time.monotonic() - began < 10
    assert heard.states == [True, True, False] and not heard.failures


@needs_espeak
def test_a_computer_without_sound_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/dev/null")
    heard = Heard()
    heard.voice().speak("Hello.", "en")
    assert heard.ended.wait(60)
    deadline = time.monotonic() + 10
    while not heard.failures and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(heard.failures) == 1 and "espeak-ng" in heard.failures[0]


@pytest.mark.parametrize(
    ("text", "language"), [("", "en"), (" \n\x00", "en"), ("x" * (LONGEST + 1), "en"), ("x", "../x")]
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
