"""The file of answers: what it holds, what it refuses, and that nothing is lost in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.corpora import Clip
from training.emotion.predictions import CLEAN, READ_ALOUD, UNAIDED, UNAIDED_READ, Predictions, join
from utils.errors import DataError

LABELS = ("neutral", "happy", "sad")


def clip(label: str, speaker: str = "ravdess-01", gender: str | None = "male") -> Clip:
    path = Path("ravdess") / f"{speaker}-{label} één 한국.flac"
    return Clip(
        path=path,
        label=label,
        speaker=speaker,
        corpus="ravdess",
        language="en",
        gender=gender,
        intensity=None,
    )


@pytest.fixture
def predictions() -> Predictions:
    """Four answers: two clips, clean and made louder."""
    clips = (clip("sad"), clip("neutral", "ravdess-02", None))
    return Predictions(
        LABELS,
        np.array([[0, 1, 3], [2, 0, 1], [0, 1, 2], [0, 5, 1]], np.float32),
        clips + clips,
        fold=np.array([1, 2, 1, 2]),
        seed=np.array([0, 0, 0, 0]),
        duration_s=np.array([1.5, 2.5, 1.5, 2.5]),
        condition=np.array(["clean", "clean", "gain +20 dB", "gain +20 dB"]),
    )


def assert_same(a: Predictions, b: Predictions) -> None:
    assert (a.labels, a.clips) == (b.labels, b.clips)
    for name in ("logits", "fold", "seed", "duration_s", "condition"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert getattr(a, name).dtype == getattr(b, name).dtype


def test_truth_and_answer_are_class_numbers(predictions):
    assert predictions.truth.tolist() == [2, 0, 2, 0]
    assert predictions.answer.tolist() == [2, 0, 2, 1]
    assert len(predictions) == 4


def test_a_column_says_unknown_where_the_clip_says_nothing(predictions):
    assert predictions.column("gender").tolist() == ["male", "unknown"] * 2
    assert predictions.column("intensity").tolist() == ["unknown"] * 4


def test_saved_and_loaded_is_the_same(predictions, tmp_path):
    path = tmp_path / "new folder" / "answers.npz"
    predictions.save(path)
    assert_same(Predictions.load(path), predictions)
    assert [p.name for p in path.parent.iterdir()] == ["answers.npz"]


def test_no_answers_are_saved_and_loaded_too(predictions, tmp_path):
    predictions.only(np.zeros(4, bool)).save(tmp_path / "none.npz")
    assert len(Predictions.load(tmp_path / "none.npz")) == 0


def test_only_keeps_the_rows_asked_for(predictions):
    clean = predictions.only(predictions.condition == "clean")
    assert clean.clips == predictions.clips[:2]
    assert clean.fold.tolist() == [1, 2]


def test_who_reads_aloud_does_not_act_however_heard(predictions):
    names = (CLEAN, READ_ALOUD, UNAIDED, UNAIDED_READ, f"{READ_ALOUD}, pace 1.5", "pace 1.5")
    parts = [replace(predictions, condition=np.full(len(predictions), name)) for name in names]
    found = join(parts).acted()
    assert sorted(set(found.condition.tolist())) == sorted([CLEAN, UNAIDED, "pace 1.5"])
    assert len(found) == 3 * len(predictions)
    assert len(parts[1].acted()) == 0


def test_restricted_to_some_labels_it_answers_among_them(predictions):
    restricted = predictions.restrict(("happy", "sad"))
    assert restricted.labels == ("happy", "sad")
    assert [c.label for c in restricted.clips] == ["sad", "sad"]
    assert restricted.logits.tolist() == [[1, 3], [1, 2]]
    assert restricted.truth.tolist() == [1, 1]


def test_an_unknown_label_is_refused_by_name(predictions):
    with pytest.raises(DataError, match="no class bored, expected some of neutral, happy, sad"):
        predictions.restrict(("sad", "bored"))


def test_joined_parts_are_the_whole(predictions):
    parts = [predictions.only(predictions.fold == fold) for fold in (1, 2)]
    assert_same(join(parts), predictions.take([0, 2, 1, 3]))


def test_only_answers_among_the_same_labels_are_joined(predictions):
    with pytest.raises(DataError, match="2 runs with the labels"):
        join([predictions, predictions.restrict(LABELS[1:])])
    with pytest.raises(DataError, match="0 runs"):
        join([])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fold": np.array([1])}, r"fold \(1,\), expected \(4,\)"),
        ({"logits": np.zeros((4, 2), np.float32)}, r"logits \(4, 2\), expected .*\(4, 3\)"),
        ({"logits": np.full((4, 3), np.nan, np.float32)}, "expected finite numbers"),
        ({"labels": ("neutral", "happy", "angry")}, "clips of sad, which the model does not know"),
    ],
)
def test_parts_that_do_not_fit_are_refused(predictions, changes, message):
    with pytest.raises(DataError, match=message):
        replace(predictions, **changes)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="answers.npz: no such file; make it with"):
        Predictions.load(tmp_path / "answers.npz")


def test_a_cut_or_damaged_file_is_refused(predictions, tmp_path):
    path = tmp_path / "answers.npz"
    predictions.save(path)
    whole = path.read_bytes()
    cut, overwritten = whole[: len(whole) // 2], whole[:60] + b"\xff" * 40 + whole[100:]
    for content in (b"", b"text", cut, overwritten):
        path.write_bytes(content)
        with pytest.raises(DataError, match="answers.npz: not a readable file of predictions"):
            Predictions.load(path)


def test_arrays_of_something_else_are_refused(predictions, tmp_path):
    path = tmp_path / "answers.npz"
    np.savez(path, frames=np.zeros(3))
    with pytest.raises(DataError, match="format None, expected recognition-helpers/predictions"):
        Predictions.load(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match="not a readable file"):
        Predictions.load(path)
    np.savez(path, logits=np.array([object()]))
    with pytest.raises(DataError, match="not a readable file"):
        Predictions.load(path)


def test_a_file_whose_parts_do_not_fit_is_refused(predictions, tmp_path):
    path = tmp_path / "answers.npz"
    predictions.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {"seed": np.zeros(3, int)})
    with pytest.raises(DataError, match=r"answers.npz: its parts do not fit \(seed \(3,\)"):
        Predictions.load(path)
    del arrays["clip_label"]
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="answers.npz: its parts do not fit"):
        Predictions.load(path)


def test_where_nothing_can_be_written_the_place_is_named(predictions, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file/answers.npz: cannot be written"):
        predictions.save(tmp_path / "file" / "answers.npz")
