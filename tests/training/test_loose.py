"""Labels of loose recordings: read where a name is plain, and nowhere guessed."""

from pathlib import Path

import pytest

from training.corpora.labels import LABELS, WORDS
from training.evaluation.loose import ABSENT, AMBIGUOUS, LOOSE, NO_CLASS, UNKNOWN, read_loose
from utils.errors import DataError


@pytest.mark.parametrize(
    ("name", "label", "speaker"),
    [
        ("03-01-05-02-01-02-01.wav", "angry", "ravdess-01"),
        ("any/YAF_back_ps.ogg", "surprised", "tess-YAF"),
        ("1001_DFA_ANG_XX.wav", "angry", "crema-d-1001"),
        ("DC/sa01.wav", "sad", "savee-DC"),
        ("03a01Wa.wav", "angry", "emodb-03"),
        ("WR0_anger_64.wav", "angry", "nemo-polish-WR0"),
        ("angry/nea00201.flac", "sad", "korean-emotional-nea"),  # not as its folder is called
        ("angry_01.wav", "angry", UNKNOWN),
        ("02HappyWoman.mp3", "happy", UNKNOWN),
        ("분노01.m4a", "angry", UNKNOWN),
        ("sadness/of/mine/7.opus", "sad", UNKNOWN),
        ("fear/fear 2.wav", "fear", UNKNOWN),
    ],
)
def test_a_label_is_read_from_names(name: str, label: str, speaker: str, tmp_path: Path) -> None:
    made(tmp_path / name)
    (found,) = read_loose(tmp_path)
    assert found.clip is not None and found.reason == ""
    assert (found.clip.label, found.clip.speaker) == (label, speaker)
    assert (found.clip.corpus == LOOSE) == (speaker == UNKNOWN)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("meeting.wav", ABSENT),
        ("unhappy.wav", ABSENT),
        ("sadie_talks.wav", ABSENT),
        ("not_angry.wav", AMBIGUOUS),
        ("sad_or_angry.wav", AMBIGUOUS),
        ("happy/sad_1.wav", AMBIGUOUS),
        ("03a01La.wav", NO_CLASS),  # bored
        ("03-02-05-02-01-02-01.wav", NO_CLASS),  # sung
    ],
)
def test_what_is_not_plain_has_no_label(name: str, reason: str, tmp_path: Path) -> None:
    made(tmp_path / "angry" / name)  # the folder that is asked about names nothing
    (found,) = read_loose(tmp_path / "angry")
    assert found.clip is None and found.reason == reason


def test_names_of_other_systems_are_the_same_words(tmp_path: Path) -> None:
    import unicodedata

    made(tmp_path / unicodedata.normalize("NFD", "슬픔_1.wav"))
    (found,) = read_loose(tmp_path)
    assert found.clip is not None and found.clip.label == "sad"


def test_every_class_has_words_and_every_word_a_class() -> None:
    assert set(WORDS.values()) == set(LABELS)
    assert all(WORDS[label] == label for label in LABELS)


def test_a_folder_without_recordings_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no recordings, only 0 other"):
        read_loose(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_loose(tmp_path / "none")


def made(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
