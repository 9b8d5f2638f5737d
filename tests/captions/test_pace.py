"""The pace follows what the machine can do, and does not flap."""

import pytest

from utils.asr import Transcriber
from utils.captions.pace import LATE_S, PATIENCE_S, SETTLE_S, PaceKeeper

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
