"""The one copy of a stretch of speech: what was handed out of it stays as it is."""

import numpy as np

from utils.captions.segment import CAPACITY, Segment


def counting(start: int, n_samples: int) -> np.ndarray:
    """Samples of which each tells its place."""
    return np.arange(start, start + n_samples, dtype=np.float32)


def grown(*sizes: int) -> tuple[Segment, list[np.ndarray]]:
    """A segment that took so many samples at a time, and what was handed out after each."""
    segment, views = Segment(3, 100), []
    for size in sizes:
        segment.add(counting(len(segment), size))
        views.append(segment.samples)
    return segment, views


def test_it_has_what_it_took_in_order():
    segment, _ = grown(512, 1, 300)
    assert (segment.number, segment.start, len(segment)) == (3, 100, 813)
    np.testing.assert_array_equal(segment.samples, counting(0, 813))


def test_views_stay_while_it_grows():
    _, views = grown(512, 512, 200)
    assert [len(view) for view in views] == [512, 1024, 1224]
    for view in views:
        np.testing.assert_array_equal(view, counting(0, len(view)))


def test_views_are_of_one_copy():
    _, (first, *_, last) = grown(512, 512, 200)
    assert np.shares_memory(first, last)


def test_views_stay_after_a_cut():
    segment, views = grown(512, 512)
    segment.cut(700)
    assert len(segment) == 700
    np.testing.assert_array_equal(segment.samples, counting(0, 700))
    assert [len(view) for view in views] == [512, 1024]
    for view in views:
        np.testing.assert_array_equal(view, counting(0, len(view)))


def test_it_grows_past_its_first_capacity():
    segment, views = grown(CAPACITY, 1, CAPACITY, 5 * CAPACITY)
    assert len(segment) == 7 * CAPACITY + 1
    for view in [*views, segment.samples]:  # also those that were handed out before it moved
        np.testing.assert_array_equal(view, counting(0, len(view)))


def test_more_than_its_capacity_at_once():
    segment, [view] = grown(CAPACITY + 1)
    np.testing.assert_array_equal(view, counting(0, CAPACITY + 1))
    segment.cut(CAPACITY)
    assert len(segment) == CAPACITY and len(view) == CAPACITY + 1
