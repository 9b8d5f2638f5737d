"""The pace follows what the machine can do, and does not flap."""

import pytest

from utils.asr import Transcriber
from utils.captions.pace import (
    LATE_S,
    PATIENCE_S,
    PROVED_S,
    SETTLE_S,
    PaceKeeper,
    at_full_pace,
)

FRAME_S = 0.1


class Steps(Transcriber):
    """A recogniser with two steps to give up, which keeps up once both are."""

    def __init__(self) -> None:
        self.given_up = 0

    def step_down(self) -> bool:
        could = self.given_up < 2
        self.given_up += could
        return could

    def step_up(self) -> bool:
        could = self.given_up > 0
        self.given_up -= could
        return could


def run(keeper: PaceKeeper, steps: Steps, seconds: float, late_s: float, hearing: bool = True):
    """What the keeper did over some seconds, None left out."""
    judged = [
        keeper.judge(steps, late_s, FRAME_S, hearing) for _ in range(round(seconds / FRAME_S))
    ]
    return [what for what in judged if what]


def test_a_machine_that_keeps_up_is_left_alone():
    keeper, steps = PaceKeeper(), Steps()
    assert run(keeper, steps, 1000, 0.1) == []


def test_a_backlog_steps_down_once_until_it_has_settled():
    keeper, steps = PaceKeeper(), Steps()
    assert run(keeper, steps, SETTLE_S / 2, LATE_S + 1) == ["down"]
    assert run(keeper, steps, SETTLE_S, LATE_S + 1) == ["down"]
    assert run(keeper, steps, 100, LATE_S + 1) == []  # nothing is left to give up
    assert steps.given_up == 2


@pytest.mark.parametrize(("hearing", "expected"), [(True, ["up"]), (False, [])])
def test_only_speech_with_room_steps_up(hearing, expected):
    keeper, steps = PaceKeeper(), Steps()
    run(keeper, steps, 1, LATE_S + 1)
    assert run(keeper, steps, PATIENCE_S + 1, 0.1, hearing) == expected


def test_the_longer_more_proved_too_much_the_longer_it_waits():
    keeper, steps = PaceKeeper(), Steps()
    waits = []
    for _ in range(4):
        assert run(keeper, steps, 2 * SETTLE_S, LATE_S + 1)[-1] == "down"
        steps.given_up = 1  # one step is enough for this machine
        waited = 0
        while not run(keeper, steps, 1, 0.1):
            waited += 1
        waits.append(waited)
    assert waits[1] > 1.5 * waits[0]
    assert waits == sorted(waits)


def after_a_busy_spell():
    keeper, steps = PaceKeeper(), Steps()
    run(keeper, steps, 2 * SETTLE_S, LATE_S + 1)
    assert keeper.steps == steps.given_up == 2
    return keeper, steps


def test_after_a_busy_spell_all_is_back_within_half_a_minute_of_speech():
    keeper, steps = after_a_busy_spell()
    assert run(keeper, steps, 30, 0.1) == ["up", "up"]
    assert keeper.steps == steps.given_up == 0


def test_what_has_proved_itself_was_not_too_much_when_the_next_spell_comes():
    keeper, steps = after_a_busy_spell()
    run(keeper, steps, 30, 0.1)
    run(keeper, steps, PROVED_S, 0.1)
    assert run(keeper, steps, 2 * SETTLE_S, LATE_S + 1) == ["down", "down"]
    assert run(keeper, steps, 30, 0.1) == ["up", "up"]


def test_a_machine_that_is_too_slow_for_good_is_tried_ever_more_seldom():
    """It keeps up once one step is given up, and is late again 5 s after each attempt."""
    keeper, steps = PaceKeeper(), Steps()
    late_s, tried = 0.0, []
    for second in range(3600):
        late_s = late_s + 0.4 if steps.given_up < 1 else max(0.0, late_s - 0.4)
        tried += [second] * run(keeper, steps, 1, late_s).count("up")
    assert tried[0] < 60 and len(tried) <= 10
    assert sum(second > 1800 for second in tried) <= 3


def test_another_recogniser_begins_with_all_that_it_can():
    keeper, _ = after_a_busy_spell()
    other = Steps()
    assert run(keeper, other, 100, 0.1) == [] and keeper.steps == 0


def test_at_full_pace_nothing_is_given_up():
    _, steps = after_a_busy_spell()
    at_full_pace(steps)
    assert steps.given_up == 0
