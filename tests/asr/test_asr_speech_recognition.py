"""The SpeechRecognition package's engines: those that run here run for real."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tests.feeding import Fed
from utils.asr.speech_recognition import SpeechRecognitionTranscriber
from utils.audio import SAMPLE_RATE, load
from utils.errors import ModelError

needs_sphinx = pytest.mark.skipif(
    importlib.util.find_spec("pocketsphinx") is None, reason="needs pip install pocketsphinx"
)
CLIP = Path(__file__).parents[3] / "shared/speech/librispeech-dev-clean/1272-128104-0000.ogg"
KEYS = ("OPENAI_API_KEY", "GROQ_API_KEY", "CO_API_KEY", "WIT_KEY", "AZURE_KEY")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


@needs_sphinx
def test_sphinx_hears_the_words_up_to_the_end_of_the_segment():
    if not CLIP.exists():
        pytest.skip("shared speech is not here")
    samples = load(CLIP)
    transcriber = SpeechRecognitionTranscriber("sphinx", "en")
    stream = Fed(transcriber.stream())
    for start in range(0, len(samples), 4000):
        assert stream.accept(samples[start : start + 4000]) == ""
    stream.work_ahead()
    stream.accept(samples[::-1])  # beyond the end, so not to be heard
    heard = stream.finish(len(samples))
    transcriber.close()
    assert "middle classes and we're glad to welcome his gospel" in heard.text
    assert heard.words == ()
    assert transcriber.name == "SpeechRecognition sphinx"
    assert transcriber.notice is None
    assert not transcriber.leaves_machine


@needs_sphinx
def test_nothing_heard_is_empty_text():
    transcriber = SpeechRecognitionTranscriber("sphinx", "en-US")
    stream = Fed(transcriber.stream())
    assert stream.finish(0).text == ""
    # Too short for the engine, which then says that it understood nothing.
    assert transcriber.transcribe(np.zeros(160, np.float32)).text == ""


def test_samples_beyond_full_scale_do_not_wrap_around(monkeypatch):
    monkeypatch.setenv("WIT_KEY", "none")
    transcriber = SpeechRecognitionTranscriber("wit", "en")
    seen = []
    transcriber._recognize = lambda audio, **_: seen.append(audio.get_raw_data()) or ""
    transcriber.transcribe(np.array([1.0, 1.5, -1.0, -1.5], np.float32))
    assert np.frombuffer(seen[0], "<i2").tolist() == [32767, 32767, -32768, -32768]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelError, match="no such engine; choose from .*google.*sphinx.*whisper"):
        SpeechRecognitionTranscriber("nonsense", "en")


def test_a_service_is_announced():
    transcriber = SpeechRecognitionTranscriber("google", "ko")
    assert transcriber.leaves_machine
    assert transcriber.notice == "audio leaves this machine"
    assert transcriber._arguments == {"language": "ko-KR"}


def test_a_service_that_cannot_be_reached_is_an_error_with_advice(monkeypatch):
    import socket

    def refuse(*_: object) -> None:
        raise OSError("the test allows no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    transcriber = SpeechRecognitionTranscriber("google", "en")
    stream = Fed(transcriber.stream())
    stream.accept(np.zeros(SAMPLE_RATE, np.float32))
    with pytest.raises(ModelError, match="check the network"):
        stream.finish(SAMPLE_RATE)


@needs_sphinx
def test_a_missing_language_is_found_at_the_start():
    with pytest.raises(ModelError, match="missing PocketSphinx language data"):
        SpeechRecognitionTranscriber("sphinx", "ko")


def test_a_missing_package_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"pip install 'SpeechRecognition\[whisper-local\]'"):
        SpeechRecognitionTranscriber("whisper", "en")


@pytest.mark.parametrize(("name", "variable"), [("wit", "WIT_KEY"), ("azure", "AZURE_KEY")])
def test_a_missing_key_says_what_to_set(name, variable, monkeypatch):
    with pytest.raises(ModelError, match=variable):
        SpeechRecognitionTranscriber(name, "en")
    monkeypatch.setenv(variable, "secret")
    assert SpeechRecognitionTranscriber(name, "en")._arguments["key"] == "secret"
