"""Figures against values worked out by hand, and what must hold for any answers."""

import numpy as np
import pytest
from scipy.special import logit

from training import evaluate


def answers(right: list[bool], sure: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Truth (n,) and logits (n, 2) of answers that are so often right and so sure."""
    truth = np.where(right, 0, 1)
    return truth, np.stack([logit(np.array(sure)), np.zeros(len(sure))], axis=1)


def drawn(n: int, n_classes: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth drawn from the very probabilities that the logits (n, n_classes) say."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (n, n_classes))
    cumulated = evaluate.softmax(logits).cumsum(axis=1)
    return (rng.random((n, 1)) > cumulated).sum(axis=1).clip(max=n_classes - 1), logits


# --- which answers are right


def test_confusion_recall_precision_and_f1_by_hand():
    truth = np.array([0, 0, 0, 1, 1, 2])
    answer = np.array([0, 0, 1, 1, 2, 2])
    counts = evaluate.confusion(truth, answer, 4)
    assert counts.tolist() == [[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(evaluate.recall(counts), [2 / 3, 1 / 2, 1, np.nan])
    np.testing.assert_allclose(evaluate.precision(counts), [1, 1 / 2, 1 / 2, np.nan])
    np.testing.assert_allclose(evaluate.f1(counts), [4 / 5, 1 / 2, 2 / 3, np.nan])


def test_a_class_that_is_never_answered_has_no_precision_and_no_f1_to_speak_of():
    counts = np.array([[3, 0], [2, 0]])
    np.testing.assert_array_equal(evaluate.precision(counts), [3 / 5, np.nan])
    np.testing.assert_array_equal(evaluate.f1(counts), [6 / 8, 0])


def test_recall_is_averaged_over_classes_not_over_clips():
    truth = np.array([0] * 9 + [1])
    logits = np.tile([1.0, 0.0, 0.0], (10, 1))  # always the first; the third has no clip
    assert evaluate.accuracy(truth, logits) == 0.9
    assert evaluate.uar(truth, logits) == 0.5


def test_perfect_answers_reach_one_and_chance_a_sixth():
    truth = np.arange(6000) % 6
    assert evaluate.uar(truth, np.eye(6)[truth]) == 1
    guesses = np.random.default_rng(0).random((6000, 6))
    assert evaluate.uar(truth, guesses) == pytest.approx(1 / 6, abs=0.02)


def test_no_clip_has_no_figure():
    truth, logits = np.zeros(0, int), np.zeros((0, 3))
    for figure in (evaluate.uar, evaluate.accuracy, evaluate.calibration_error):
        assert np.isnan(figure(truth, logits))


@pytest.mark.parametrize(
    "figure",
    [
        evaluate.uar,
        evaluate.accuracy,
        evaluate.calibration_error,
        evaluate.accuracy_at_coverage,
        evaluate.fit_temperature,
        evaluate.choose_threshold,
    ],
)
def test_the_order_of_the_clips_changes_nothing(figure):
    truth, logits = drawn(500)
    logits = logits.round(1)  # so that some are equally sure
    order = np.random.default_rng(1).permutation(500)
    assert figure(truth[order], logits[order]) == pytest.approx(figure(truth, logits), rel=1e-9)


# --- how sure they may be


def test_softmax_sums_to_one_and_bears_large_logits():
    probabilities = evaluate.softmax(np.array([[1000.0, 0, -1000], [0, 0, 0]]))
    np.testing.assert_allclose(probabilities, [[1, 0, 0], [1 / 3] * 3])


def test_reliability_and_calibration_error_by_hand():
    truth, logits = answers([1, 1, 0, 0] + [1], [0.9] * 4 + [0.6])
    bins = evaluate.reliability(truth, logits)
    assert bins.count.tolist() == [0] * 9 + [1] + [0] * 3 + [4] + [0]
    np.testing.assert_allclose(bins.confidence[[9, 13]], [0.6, 0.9])
    np.testing.assert_allclose(bins.accuracy[[9, 13]], [1, 0.5])
    assert np.isnan(bins.accuracy[0])
    assert evaluate.calibration_error(truth, logits) == pytest.approx(0.8 * 0.4 + 0.2 * 0.4)


def test_what_says_the_truth_needs_no_temperature():
    truth, logits = drawn(20_000)
    assert evaluate.fit_temperature(truth, logits) == pytest.approx(1, abs=0.03)
    assert evaluate.calibration_error(truth, logits) < 0.015


@pytest.mark.parametrize("factor", [3.0, 0.4])
def test_temperature_undoes_what_makes_logits_too_sure_or_too_shy(factor):
    truth, logits = drawn(20_000)
    found = evaluate.fit_temperature(truth, factor * logits)
    assert found == pytest.approx(factor, rel=0.03)
    raw, calibrated = (evaluate.calibration_error(truth, factor * logits / t) for t in (1, found))
    assert raw > 0.1 > 0.015 > calibrated


def test_a_temperature_stays_finite_where_all_is_right_or_wrong():
    low, high = evaluate.TEMPERATURES
    for truth in (np.array([0, 1]), np.array([1, 0])):
        assert low <= evaluate.fit_temperature(truth, np.eye(2)) <= high


# --- when the least sure are left out


def test_coverage_curve_by_hand():
    coverage, accuracy = evaluate.coverage_curve(*answers([1, 0, 1, 0], [0.7, 0.6, 0.9, 0.8]))
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(accuracy, [1, 1 / 2, 2 / 3, 1 / 2])


def test_answers_equally_sure_count_alike():
    _, accuracy = evaluate.coverage_curve(*answers([1, 0, 1, 1], [0.6] * 4))
    np.testing.assert_allclose(accuracy, 0.75)


def test_accuracy_on_the_surest_half_and_on_all():
    truth, logits = answers([1, 0, 1, 0, 1, 1], [0.6, 0.65, 0.7, 0.95, 0.9, 0.8])
    assert evaluate.accuracy_at_coverage(truth, logits) == pytest.approx(2 / 3)
    assert evaluate.accuracy_at_coverage(truth, logits, 1) == evaluate.accuracy(truth, logits)
    assert evaluate.accuracy_at_coverage(truth, logits, 0.01) == 0  # the surest one is wrong


def test_precision_and_coverage_by_hand():
    truth, logits = answers([1, 0, 1, 0], [0.7, 0.6, 0.9, 0.8])
    assert evaluate.precision_coverage(truth, logits, 0.65) == pytest.approx((2 / 3, 3 / 4))
    precision, coverage = evaluate.precision_coverage(truth, logits, 0.99)
    assert np.isnan(precision) and coverage == 0
    each = np.array([0.99, 0.5, 0.5, 0.99])
    assert evaluate.precision_coverage(truth, logits, each) == (0.5, 0.5)


def test_threshold_is_the_least_that_is_precise_enough():
    right = [True] * 30 + [True, False] * 20
    truth, logits = answers(right, [0.9] * 30 + [0.6] * 40)
    assert evaluate.choose_threshold(truth, logits, 0.7) == 0.3  # 50 of 70 are right
    assert evaluate.choose_threshold(truth, logits, 0.75) == 0.61


def test_where_nothing_is_precise_or_too_few_show_it_it_is_never_sure():
    wrong = answers([False] * 100, [0.9] * 100)
    few = answers([True] * (evaluate.MIN_SURE - 1), [0.9] * (evaluate.MIN_SURE - 1))
    for truth, logits in (wrong, few):
        assert evaluate.choose_threshold(truth, logits) == evaluate.NEVER_SURE


# --- when nobody feels anything


def read_speech(named: list[float], neutral: list[float]) -> np.ndarray:
    """Logits (n, 3) of answers so sure: an emotion, the second class, or neutral, the first."""
    answer = np.array([1] * len(named) + [0] * len(neutral), int)
    sure = np.array([*named, *neutral])
    probabilities = np.full((len(answer), 3), (1 - sure)[:, None] / 2)
    probabilities[np.arange(len(answer)), answer] = sure
    return np.log(probabilities)


def share_named(logits: np.ndarray, threshold: float) -> float:
    probabilities = evaluate.softmax(logits)
    sure = probabilities.max(axis=1) >= threshold
    return float(np.mean(sure & (probabilities.argmax(axis=1) != 0)))


@pytest.mark.parametrize("n", [1, 7, 49, 50, 51, 100, 101, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_few_who_read_are_named_an_emotion(n, seed):
    logits = np.random.default_rng(seed).normal(0, 2, (n, 6))
    threshold = evaluate.quiet_threshold(logits, neutral=0)
    assert 0 <= threshold <= 1
    assert share_named(logits, threshold) <= evaluate.MAX_NAMED
    if n >= 1000:  # and no more are kept quiet than need be
        assert share_named(logits, threshold - 0.02) > evaluate.MAX_NAMED


def test_the_quiet_threshold_by_hand():
    named = [0.401 + 0.004 * k for k in range(100)]  # the surest 0.797, 0.793, 0.789
    assert evaluate.quiet_threshold(read_speech(named, []), neutral=0) == 0.79
    some = read_speech(named[:50], [0.99] * 150)  # the surest 0.597, then 0.593, 0.589, 0.585
    assert evaluate.quiet_threshold(some, neutral=0) == 0.59


def test_neutral_is_no_mistake_however_sure():
    assert evaluate.quiet_threshold(read_speech([], [0.4, 0.99, 0.9999]), neutral=0) == 0
    few, many = (read_speech([0.415] * 10, [0.99] * n) for n in (10, 90))
    assert evaluate.quiet_threshold(few, 0) == evaluate.quiet_threshold(many, 0) == 0.42
    swapped = few[:, [1, 0, 2]]  # neutral is another class
    assert evaluate.quiet_threshold(swapped, 1) == 0.42
    assert evaluate.quiet_threshold(swapped, 0) == 1.0  # ten of 20 lie at 0.99 and a little more


def test_where_nobody_reads_nothing_need_be_kept_quiet():
    assert evaluate.quiet_threshold(np.zeros((0, 6)), neutral=0) == 0
