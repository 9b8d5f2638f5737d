"""The same few odd inputs each time, of every kind; `make bench ARGS=fuzz` tries thousands."""

import pytest

from tests.bench_fuzz import throw
from tests.fuzz import TARGETS

INPUTS = 40  # of each kind


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_ends_in_a_traceback_or_hangs(name):
    assert throw(name, INPUTS, same=True) >= INPUTS // 2
