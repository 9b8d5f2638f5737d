"""When there is something to hear: a rise over the room, soon and then ever more rarely."""

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.sounds.gate import BEFORE, BLOCK, LONGEST, STEP, Gate


def noise(seconds: float, level_db: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, 10 ** (level_db / 20), int(seconds * SAMPLE_RATE)).astype(np.float32)


def looks(gate: Gate, *parts: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Where each look ends, and what was to be judged."""
    sound = np.concatenate(parts)
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    heard = ((gate.hear(block), gate.now) for block in blocks)
    return [(now, part) for part, now in heard if part is not None]


def test_a_quiet_room_is_never_looked_at():
    assert looks(Gate(), noise(60, -72)) == []


def test_silence_is_never_looked_at():
    assert looks(Gate(), np.zeros(30 * SAMPLE_RATE, np.float32)) == []


def test_a_short_sound_is_looked_at_twice_from_its_start_on():
    found = looks(Gate(), noise(3, -72), noise(0.2, -20), noise(5, -72))
    assert len(found) == 2
    ends = np.array([end for end, _ in found]) - 3 * SAMPLE_RATE
    assert np.all(np.abs(ends - [STEP, 2 * STEP]) <= 2 * BLOCK)
    for end, part in found:
        begins = end - len(part) - 3 * SAMPLE_RATE
        assert -BEFORE - 2 * BLOCK <= begins <= 0


def test_what_goes_on_is_looked_at_ever_more_rarely_and_no_more_than_four_seconds_of_it():
    found = looks(Gate(), noise(3, -72), noise(20, -30))
    gaps = np.diff([end for end, _ in found])
    assert gaps[0] < gaps[-1] and len(found) < 16
    assert max(len(part) for _, part in found) <= LONGEST


def test_a_room_that_has_become_louder_is_quiet_again_after_a_while():
    gate = Gate()
    looks(gate, noise(3, -72), noise(60, -40))
    assert not gate.sounding
    assert looks(gate, noise(20, -40)) == []
    assert len(looks(gate, noise(0.3, -15), noise(2, -40))) == 2


def test_what_is_skipped_is_not_judged_and_the_room_stays_as_it_was():
    gate = Gate()
    looks(gate, noise(10, -50))
    gate.skip(100 * SAMPLE_RATE)
    found = looks(gate, noise(1, -50), noise(1, -20))
    assert found and all(len(part) <= gate.now - 100 * SAMPLE_RATE for _, part in found)
