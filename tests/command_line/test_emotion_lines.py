"""`emotion_model.py microphone`: each line with how it was said, and what its words say."""

import os
import signal
from pathlib import Path

import pytest

import emotion_model
from emotion_model import EmotionRecognizer
from tests.sound_server import SoundServer
from tests.text_emotion_models import make_roberta
from utils.command_line.emotion import lines
from utils.config import Settings
from utils.models.catalogue import TEXT_EMOTIONS

SPEECH = Path(__file__).resolve().parents[1] / "data" / "speech.flac"


def test_lines_come_with_the_voice_and_the_words(
    sound_server: SoundServer, models_here: Path, monkeypatch
) -> None:
    said = {SPEECH.with_suffix(".txt").read_text().strip(): "fear", "no": "joy"}
    make_roberta(models_here / TEXT_EMOTIONS[0].name, said)
    told: list[str] = []

    def put(text: str) -> None:
        told.append(text)
        if "face" in text:
            os.kill(os.getpid(), signal.SIGINT)  # somebody has heard enough

    def note(text: str) -> None:
        if text.startswith("Speak now"):
            sound_server.play(SPEECH, wait=False)

    monkeypatch.setattr(lines, "put", put)
    monkeypatch.setattr(lines, "note", note)
    assert emotion_model.main(["microphone", "--text"]) == 0
    head, first, *_ = told
    assert head.split() == ["from", "voice", "words"]
    start, rest = first.split(maxsplit=1)
    assert start.startswith("0:0") and "fear" in rest[: rest.index("I can")]
    assert "I can assure you that this is a modern face" in rest


def test_bad_input_is_told_once_and_before_anything_is_loaded(capsys, tmp_path: Path) -> None:
    assert emotion_model.main(["microphone", "--emotion", str(tmp_path / "none.pt")]) == 1
    told = capsys.readouterr().err
    assert told.count("none.pt: no such file") == 1 and "Loading" not in told
    with pytest.raises(SystemExit):
        emotion_model.main(["microphone", "--language", ""])
    assert "--language: it is empty; give a name" in capsys.readouterr().err


def test_a_tag_that_is_given_up_is_told_in_a_sentence(models_here: Path, capsys) -> None:
    settings = Settings(sounds=False)
    model = EmotionRecognizer.load(emotion_model.WEIGHTS)
    captioner = lines._opened(settings, lambda _: model)
    captioner.tags.missing("emotion.missing", "no memory is left")
    captioner.close()
    assert "Feelings are not shown: no memory is left. " in capsys.readouterr().err


def test_without_the_model_it_is_told_how_to_get_it(models_here: Path, capsys) -> None:
    assert emotion_model.main(["microphone", "--text"]) == 1
    assert f"app.py models get {TEXT_EMOTIONS[0].name}" in capsys.readouterr().err
