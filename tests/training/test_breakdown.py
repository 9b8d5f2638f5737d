"""Figures by seed, group and condition, and calibration by other folds' voices."""

from pathlib import Path

import numpy as np
import pytest

from training.corpora import Clip
from training.emotion import evaluate
from training.emotion.predictions import Predictions
from training.reports import breakdown
from utils.errors import DataError

LABELS = ("happy", "sad")


def made(rows: list[tuple], **same: object) -> Predictions:
    """Predictions of rows (truth, answer, speaker, fold, seed, condition), two classes."""
    clips = [
        Clip(
            path=Path(f"{speaker}-{truth}.flac"),
            label=LABELS[truth],
            speaker=speaker,
            corpus="ravdess",
            language="en",
            gender="female" if speaker < "m" else "male",
            intensity=None,
        )
        for truth, _, speaker, _, _, _ in rows
    ]
    return Predictions(
        LABELS,
        np.array([np.eye(2)[row[1]] for row in rows], np.float32),
        tuple(clips),
        np.array([row[3] for row in rows]),
        np.array([row[4] for row in rows]),
        duration_s=np.linspace(0.5, 6, len(rows)),
        condition=np.array([row[5] for row in rows], dtype=str),
    )


@pytest.fixture
def predictions() -> Predictions:
    """Two seeds: the woman is always recognised, the man half the time, then never."""
    return made(
        [
            (truth, truth if who == "anna" else answer, who, fold, seed, "clean")
            for seed, answers in enumerate([(0, 0), (1, 0)])
            for fold, who in enumerate(("anna", "otto"))
            for truth, answer in zip((0, 1), answers)
        ]
    )


def noisy(n_folds: int, n: int = 600) -> Predictions:
    """Answers three times too sure, by one speaker a fold."""
    rng = np.random.default_rng(0)
    speakers = [f"speaker {i}" for i in range(n_folds)]
    rows = [(int(rng.integers(2)), 0, who, i, 0, "clean") for i, who in enumerate(speakers)] * n
    found = made(rows)
    logits = np.eye(2)[found.truth] + rng.normal(0, 1, found.logits.shape)
    object.__setattr__(found, "logits", (3 * logits).astype(np.float32))
    return found


def test_mean_and_standard_deviation_are_over_seeds(predictions):
    found = breakdown.over_seeds(predictions, evaluate.uar)
    assert found.by_seed == (0.75, 0.5)
    assert found.mean == 0.625
    assert found.sd == pytest.approx(0.25 / np.sqrt(2))


def test_a_single_seed_has_no_spread(predictions):
    found = breakdown.over_seeds(predictions.only(predictions.seed == 0), evaluate.uar)
    assert found.mean == 0.75
    assert np.isnan(found.sd)


def test_groups_are_judged_apart(predictions):
    found = breakdown.by_group(predictions, "speaker")
    assert {name: figures.by_seed for name, figures in found.items()} == {
        "anna": (1, 1),
        "otto": (0.5, 0),
    }
    assert set(breakdown.by_group(predictions, "intensity")) == {"unknown"}


def test_durations_fall_into_named_ranges(predictions):
    assert breakdown.groups(predictions, "duration").tolist() == [
        "0 to 1 s",
        "1 to 2 s",
        "2 to 3 s",
        "2 to 3 s",
        "3 to 5 s",
        "3 to 5 s",
        "5 s or more",
        "5 s or more",
    ]


def test_names_stand_in_order_of_their_numbers():
    names = np.array(["noise 10 dB", "gain +20 dB", "gain -5 dB", "clean", "gain -30 dB", "clean"])
    assert breakdown.in_order(names) == [
        "clean",
        "gain -30 dB",
        "gain -5 dB",
        "gain +20 dB",
        "noise 10 dB",
    ]
    actors = np.array(["ravdess-10", "ravdess-02"])
    assert breakdown.in_order(actors) == ["ravdess-02", "ravdess-10"]


def test_the_gap_is_that_of_women_less_men(predictions):
    assert breakdown.gender_gap(predictions).by_seed == (0.5, 1)
    assert breakdown.gender_gap(predictions.only(predictions.fold == 0)) is None


def in_conditions(answers: dict[str, tuple[int, ...]]) -> Predictions:
    return made(
        [
            (truth, answer, who, 0, 0, condition)
            for condition, given in answers.items()
            for (truth, who), answer in zip([(0, "anna"), (1, "anna"), (0, "otto")], given)
        ]
    )


def test_what_noise_costs_is_counted_on_the_same_clips():
    found = in_conditions({"clean": (0, 1, 0), "noise 10 dB": (1, 1)})
    assert breakdown.uar_lost(found, "noise 10 dB").mean == 0.5  # otto is not in the noise
    assert breakdown.uar_lost(found, "clean").mean == 0


def test_labels_must_outlast_every_gain():
    gains = {"gain -30 dB": (0, 1, 1), "gain +20 dB": (0, 0, 0)}
    found = in_conditions({"clean": (0, 1, 0)} | gains)
    assert breakdown.unchanged(found, ["gain -30 dB"]) == pytest.approx(2 / 3)
    assert breakdown.unchanged(found, list(gains)) == pytest.approx(1 / 3)
    assert breakdown.unchanged(found.take(np.arange(9)[::-1]), list(gains)) == pytest.approx(1 / 3)


def test_a_condition_without_the_clean_clips_is_refused():
    found = in_conditions({"noise 10 dB": (1, 1)})
    with pytest.raises(DataError, match="2 of 2 answers in condition 'noise 10 dB' have none"):
        breakdown.uar_lost(found, "noise 10 dB")


def test_a_fold_is_calibrated_by_the_others_alone():
    found = noisy(3)
    temperature, threshold = breakdown.crossfit(found)
    others = found.only(found.fold != 1)
    expected = evaluate.fit_temperature(others.truth, others.logits)
    assert temperature[found.fold == 1] == pytest.approx(expected)
    chosen = evaluate.choose_thresholds(
        [(others.truth, others.logits / expected)], evaluate.TARGETS["sure"]
    )
    np.testing.assert_array_equal(threshold[found.fold == 1], chosen[found.answer[found.fold == 1]])
    assert chosen[0] != chosen[1]
    calibrated = found.logits / temperature[:, None]
    assert evaluate.calibration_error(found.truth, calibrated) < 0.03
    assert evaluate.calibration_error(found.truth, found.logits) > 0.1


def test_a_voice_tested_in_two_folds_calibrates_neither():
    found = noisy(3)
    doubled = found.take(np.arange(len(found)))
    twice = doubled.fold.copy()
    twice[(found.fold == 0) & (np.arange(len(found)) % 2 == 0)] = 1
    object.__setattr__(doubled, "fold", twice)  # speaker 0 in folds 0 and 1
    temperature, _ = breakdown.crossfit(doubled)
    last = found.only(found.fold == 2)
    expected = evaluate.fit_temperature(last.truth, last.logits)
    assert temperature[twice == 1] == pytest.approx(expected)


def test_one_fold_cannot_calibrate_itself():
    with pytest.raises(DataError, match="fold 0 tests every speaker"):
        breakdown.crossfit(noisy(1))
