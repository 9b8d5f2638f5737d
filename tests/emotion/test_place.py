"""A place knows the mean of what was said there, forgets slowly, and at once where it is asked."""

import numpy as np

from utils.emotion.place import LONG_ENOUGH, MOST, Place


def description(value: float, width: int = 3) -> np.ndarray:
    return np.full(width, value, np.float32)


def mean_of(place: Place) -> np.ndarray:
    assert place.mean is not None
    return place.mean


def test_at_first_nothing_is_known() -> None:
    assert Place().mean is None and Place().n_remarks == 0


def test_it_knows_the_mean_of_its_remarks() -> None:
    place = Place()
    for value in (1, 2, 6):
        place.add(description(value), LONG_ENOUGH)
    np.testing.assert_allclose(mean_of(place), [3, 3, 3])
    assert place.n_remarks == 3


def test_a_remark_that_is_too_short_changes_nothing() -> None:
    place = Place()
    place.add(description(1), LONG_ENOUGH - 1)
    assert place.mean is None


def test_what_was_heard_long_ago_is_driven_out() -> None:
    """As where the microphone was moved, or another speaks."""
    place = Place()
    for _ in range(1000):
        place.add(description(-5), LONG_ENOUGH)
    assert place.n_remarks == MOST
    for _ in range(4 * MOST):
        place.add(description(5), LONG_ENOUGH)
    assert place.n_remarks == MOST
    np.testing.assert_allclose(mean_of(place), [5, 5, 5], atol=0.25)


def test_it_forgets_when_asked() -> None:
    place = Place()
    place.add(description(1), LONG_ENOUGH)
    place.forget()
    assert place.mean is None and place.n_remarks == 0


def test_descriptions_of_another_width_begin_anew() -> None:
    """As where the encoder is given up for want of memory."""
    place = Place()
    place.add(description(1, 5), LONG_ENOUGH)
    place.add(description(2, 3), LONG_ENOUGH)
    np.testing.assert_allclose(mean_of(place), [2, 2, 2])
    assert place.n_remarks == 1
