"""Thousands of damaged and malicious inputs, new ones each time."""

import logging
import signal
import time
from types import FrameType

from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz import TARGETS
from tests.measuring import row, table

INPUTS = 10_000  # of all kinds together
HANG_S = 60  # that one input may take, on a busy machine


def bench_fuzz() -> None:
    """How many inputs of each kind were thrown at the program; it ends at the first that hurts."""
    table(f"Fuzz: {INPUTS} inputs, none with a traceback, a hang or an answer that cannot be", [])
    for name in TARGETS:
        began = time.monotonic()
        n_inputs = throw(name, INPUTS // len(TARGETS))
        row(name, f"{n_inputs} in {time.monotonic() - began:.0f} s")


def throw(name: str, n_inputs: int, same: bool = False) -> int:
    """Throw inputs at a part of the program.

    Parameters
    ----------
    name : of `tests.fuzz.TARGETS`
    n_inputs : at the most; what is drawn twice counts once
    same : the same ones each time

    Returns
    -------
    how many

    Raises
    ------
    AssertionError, or whatever the program raised : with the smallest input that does it
    """
    target, n_thrown = TARGETS[name], 0
    with target.around() as context:

        @settings(
            max_examples=n_inputs,
            derandomize=same,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        @given(target.inputs())
        def one(data: object) -> None:
            nonlocal n_thrown
            n_thrown += 1
            signal.alarm(HANG_S)
            try:
                target.take(context, data)
            finally:
                signal.alarm(0)

        before = signal.signal(signal.SIGALRM, _hangs)
        logging.disable()  # thousands of lines that say what is refused
        try:
            one()
        finally:
            logging.disable(logging.NOTSET)
            signal.signal(signal.SIGALRM, before)
    return n_thrown


def _hangs(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"one input takes more than {HANG_S} s")
