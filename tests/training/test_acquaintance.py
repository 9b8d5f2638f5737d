"""What is known of a voice or a place beside a clip is drawn as it was asked for."""

import numpy as np
import pytest

from training.emotion.acquaintance import DRAWN, MOST, Acquaintance

CALM, ANGRY, HAPPY = (np.array([k, 10.0 * k], np.float32) for k in (1, 3, 5))
VOICE, PLACE = "ravdess-01", "ravdess"


@pytest.fixture
def known() -> Acquaintance:
    found = Acquaintance(2)
    for label, description in (
        ("calm", CALM),
        ("angry", ANGRY),
        ("angry", ANGRY),
        ("happy", HAPPY),
    ):
        found.add([VOICE, PLACE], label, description)
    found.add(["ravdess-02", PLACE], "angry", 7 * ANGRY)
    return found


def test_nothing_known_is_of_no_remark(known: Acquaintance) -> None:
    mean, n = known.nothing()
    assert n == 0 and mean.shape == (2,) and not mean.any()


@pytest.mark.parametrize(("calm_share", "expected"), [(1.0, 1.0), (0.0, 4.0), (0.5, 2.5)])
def test_so_many_are_calm_and_other_labels_count_the_same(
    calm_share: float, expected: float, known: Acquaintance
) -> None:
    mean = known.draw(VOICE, 4000, calm_share, np.random.default_rng(0))
    np.testing.assert_allclose(mean, [expected, 10 * expected], rtol=0.05)


def test_a_clip_is_not_heard_against_itself(known: Acquaintance) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        mean = known.draw(VOICE, 1, 0.0, rng, but=HAPPY)
        np.testing.assert_allclose(mean, ANGRY)
    without = known.draw(VOICE, 1, 1.0, rng, but=CALM)  # there is no other that is calm
    assert without[0] in (ANGRY[0], HAPPY[0])


def test_where_all_else_is_calm_all_that_is_drawn_is(known: Acquaintance) -> None:
    only = Acquaintance(2)
    only.add(["reader"], "neutral", CALM)
    np.testing.assert_allclose(only.draw("reader", 5, 0.0, np.random.default_rng(0)), CALM)


def test_some_remarks_are_of_the_voice_and_some_of_its_place(known: Acquaintance) -> None:
    rng = np.random.default_rng(0)
    found = [known.some(VOICE, PLACE, rng) for _ in range(400)]
    counts = np.array([n for _, n in found])
    assert counts.min() == 1 and 0.8 * MOST < counts.max() <= MOST
    assert np.median(counts) == pytest.approx(np.sqrt(MOST), abs=2)  # few as often as many
    of_the_place = np.mean([mean[0] > HAPPY[0] for mean, _ in found])
    assert 0.05 < of_the_place < 0.4
    assert DRAWN < MOST


def test_a_move_goes_some_way_to_the_other_voice(known: Acquaintance) -> None:
    rng = np.random.default_rng(0)
    own = (CALM + ANGRY + HAPPY) / 3  # labels count the same
    way = [known.move(VOICE, "ravdess-02", rng) / (7 * ANGRY - own) for _ in range(200)]
    np.testing.assert_allclose([w[0] for w in way], [w[1] for w in way], rtol=1e-4)
    assert 0 <= np.min(way) < 0.1 and 0.9 < np.max(way) <= 1


def test_anybody_is_somebody(known: Acquaintance) -> None:
    rng = np.random.default_rng(0)
    found = {known.anybody(rng) for _ in range(100)}
    assert found == {VOICE, "ravdess-02", PLACE}
