"""Figures against values worked out by hand, and what must hold for any answers."""

import numpy as np
import pytest
from scipy.special import logit

from training.emotion import evaluate


def answers(right: list[bool], sure: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Truth (n,) and logits (n, 2) of answers that are so often right and so sure."""
    truth = np.where(right, 0, 1)
    return truth, np.stack([logit(np.array(sure)), np.zeros(len(sure))], axis=1)


def group(*rows: tuple[int, float, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Truth (n,) and logits (n, 3) of rows: answer, how sure, and how many right and wrong."""
    answer, sure, truth = [], [], []
    for label, confidence, n_right, n_wrong in rows:
        n = n_right + n_wrong
        answer += [label] * n
        sure += [confidence] * n
        truth += [label] * n_right + [(label + 1) % 3] * n_wrong
    return np.array(truth, int), so_sure(np.array(answer, int), np.array(sure))


def so_sure(answer: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Logits (n, 3) of answers (n,) with the probability that is given (n,)."""
    probabilities = np.full((len(answer), 3), (1 - sure)[:, None] / 2)
    probabilities[np.arange(len(answer)), answer] = sure
    return np.log(probabilities)


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
        lambda truth, logits: evaluate.choose_thresholds([(truth, logits)], 0.7).tolist(),
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


# --- from what confidence a class is named


def test_each_class_is_named_from_the_least_confidence_that_is_precise_enough():
    some = group((0, 0.605, 20, 20), (0, 0.905, 30, 0), (1, 0.505, 30, 0), (2, 0.705, 0, 90))
    assert evaluate.choose_thresholds([some], 0.7).tolist() == [0.3, 0.3, 1]  # 50 of 70
    assert evaluate.choose_thresholds([some], 0.75).tolist() == [0.61, 0.3, 1]


def test_a_share_that_is_just_reached_will_do():
    just = group((0, 0.9, 19, 1), (1, 0.9, 38, 2), (2, 0.9, 37, 3))
    assert evaluate.choose_thresholds([just], 0.95).tolist() == [0.3, 0.3, 1]


def test_where_nothing_is_precise_or_too_few_show_it_it_is_never_named():
    enough = evaluate.MIN_NAMED
    some = group((0, 0.9, 0, 100), (1, 0.9, enough - 1, 0), (2, 0.9, enough, 0))
    never = evaluate.NEVER
    assert evaluate.choose_thresholds([some], 0.95).tolist() == [never, never, 0.3]
    assert evaluate.softmax(some[1]).max() < never


@pytest.mark.parametrize("size", [1, 10])
def test_every_group_counts_the_same_whatever_its_size(size):
    good = group((0, 0.905, 1000, 0))
    other = group((0, 0.705, 80 * size, 20 * size))  # of the two together, 90 in a hundred
    for target, expected in ((0.89, 0.3), (0.91, 0.71)):
        assert evaluate.choose_thresholds([good, other], target)[0] == expected
        assert evaluate.choose_thresholds([other, good], target)[0] == expected


def test_a_group_counts_by_the_part_of_its_answers_that_names_the_class():
    good = group((0, 0.905, 100, 0))
    other = group((0, 0.705, 0, 10), (1, 0.905, 90, 0))  # of the two, 100 of 110 are right
    assert evaluate.choose_thresholds([good, other], 0.9)[0] == 0.3
    assert evaluate.choose_thresholds([good, other], 0.92)[0] == 0.71


def test_no_group_may_fall_far_short_however_good_the_others_are():
    good = group((0, 0.905, 100, 0))
    for n_right, expected in ((56, 0.3), (54, 0.71)):
        other = group((0, 0.705, n_right, 100 - n_right))
        assert evaluate.choose_thresholds([good, good, good, other], 0.7)[0] == expected
    few = group((0, 0.705, 0, evaluate.MIN_NAMED - 1), (1, 0.905, 100, 0))  # they prove nothing
    assert evaluate.choose_thresholds([good, good, good, few], 0.7)[0] == 0.3


def test_groups_with_few_answers_prove_something_only_together():
    few = group((0, 0.9, evaluate.MIN_NAMED // 2, 0))
    assert evaluate.choose_thresholds([few], 0.95)[0] == evaluate.NEVER
    assert evaluate.choose_thresholds([few, few], 0.95)[0] == 0.3


def test_what_is_asked_of_sure_is_more_than_of_likely():
    assert 0.5 < evaluate.TARGETS["likely"] < evaluate.TARGETS["sure"] < 1
    assert evaluate.MAX_NAMED["sure"] < evaluate.MAX_NAMED["likely"]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_named_is_right_often_enough_over_the_groups(seed):
    groups = [drawn(n, seed=10 * seed + k) for k, n in enumerate((900, 600, 90, 60))]
    found = evaluate.choose_thresholds(groups, 0.75)
    assert ((found > 0.3) & (found < 1)).any()
    for label, threshold in enumerate(found):
        n = right = 0.0
        for truth, logits in groups:
            answer, confidence = logits.argmax(axis=1), evaluate.softmax(logits).max(axis=1)
            named = (answer == label) & (confidence >= threshold)
            n += named.mean()
            right += (named & (truth == label)).mean()
            if named.sum() >= evaluate.MIN_NAMED:
                assert (truth[named] == label).mean() >= 0.75 - evaluate.MOST_UNDER
        assert right >= 0.75 * n - 1e-9
    order = [2, 0, 3, 1]
    again = evaluate.choose_thresholds([groups[k] for k in order], 0.75)
    assert again.tolist() == found.tolist()


# --- when nobody feels anything

NEUTRAL = 0


def read_speech(named: list[float], neutral: list[float], label: int = 1) -> np.ndarray:
    """Logits (n, 3) of answers so sure: an emotion, or neutral."""
    answer = np.array([label] * len(named) + [NEUTRAL] * len(neutral), int)
    return so_sure(answer, np.array([*named, *neutral]))


def quiet(logits: np.ndarray, *thresholds: float, neutral: int = NEUTRAL) -> list[float]:
    """Thresholds with which two in a hundred may be named."""
    return evaluate.quiet_thresholds(logits, np.array(thresholds), neutral, 0.02).tolist()


def share_named(logits: np.ndarray, thresholds: np.ndarray) -> float:
    answer, confidence = logits.argmax(axis=1), evaluate.softmax(logits).max(axis=1)
    return float(np.mean((answer != NEUTRAL) & (confidence >= thresholds[answer])))


@pytest.mark.parametrize("n", [1, 7, 49, 50, 51, 100, 101, 1000])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("most", evaluate.MAX_NAMED.values(), ids=list(evaluate.MAX_NAMED))
def test_few_who_read_are_named_an_emotion(n, seed, most):
    rng = np.random.default_rng(seed)
    logits, before = rng.normal(0, 2, (n, 6)), rng.uniform(0.3, 0.6, 6)
    found = evaluate.quiet_thresholds(logits, before, NEUTRAL, most)
    assert share_named(logits, found) <= most
    assert found[NEUTRAL] == before[NEUTRAL]
    raised = found > before
    assert (found >= before).all() and (found <= 1).all()
    assert len(set(found[raised])) <= 1  # all to the same
    if n >= 1000:  # and no more are kept quiet than need be
        assert raised[1:].all()
        assert share_named(logits, found - 0.02 * raised) > most


def test_quiet_thresholds_by_hand():
    named = [0.401 + 0.004 * k for k in range(100)]  # the surest 0.797, 0.793, 0.789
    assert quiet(read_speech(named, []), 0.3, 0.3, 0.3) == [0.3, 0.79, 0.79]
    some = read_speech(named[:50], [0.99] * 150)  # the surest 0.597, then 0.593, 0.589, 0.585
    assert quiet(some, 0.3, 0.3, 0.3) == [0.3, 0.59, 0.59]
    assert quiet(some, 0.3, 0.3, 0.95) == [0.3, 0.59, 0.95]  # a higher one stays


def test_two_in_a_hundred_may_be_named_and_a_third_may_not():
    few, many = (read_speech([0.9] * n, [0.9] * (100 - n)) for n in (2, 3))
    assert quiet(few, 0.3, 0.4, 0.5) == [0.3, 0.4, 0.5]
    assert quiet(many, 0.3, 0.4, 0.5) == [0.3, 0.91, 0.91]


def test_what_lies_under_its_own_threshold_is_not_named():
    happy, sad = (read_speech([0.8] * 50, [], label) for label in (1, 2))
    assert quiet(np.concatenate([happy, sad]), 0.3, 0.81, 0.81) == [0.3, 0.81, 0.81]
    assert quiet(np.concatenate([happy, sad[:2]]), 0.3, 0.81, 0.5) == [0.3, 0.81, 0.81]
    assert quiet(np.concatenate([happy, sad[:1]]), 0.3, 0.81, 0.5) == [0.3, 0.81, 0.5]


def test_neutral_is_no_mistake_however_sure():
    assert quiet(read_speech([], [0.4, 0.99, 0.9999]), 0.3, 0.3, 0.3) == [0.3, 0.3, 0.3]
    few, many = (read_speech([0.415] * 10, [0.99] * n) for n in (10, 90))
    assert quiet(few, 0.3, 0.3, 0.3) == quiet(many, 0.3, 0.3, 0.3) == [0.3, 0.42, 0.42]
    swapped = few[:, [1, 0, 2]]  # neutral is another class
    assert quiet(swapped, 0.3, 0.3, 0.3, neutral=1) == [0.42, 0.3, 0.42]
    assert quiet(swapped, 0.3, 0.3, 0.3) == [0.3, 1, 1]  # ten of 20 lie at 0.99 and a little more


def test_where_nobody_reads_nothing_need_be_kept_quiet():
    assert quiet(np.zeros((0, 3)), 0.3, 0.4, 1.0) == [0.3, 0.4, 1.0]
