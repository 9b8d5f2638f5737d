"""What a program holds in memory, whatever else runs on the machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.process_tree import memory_mb

HOLDS = "import numpy, sys; a = numpy.ones(5_000_000); print(1, flush=True); input()"
FORKS = HOLDS.replace("print", "import os; os.fork() or input(); print")


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6


@pytest.mark.parametrize("code", [HOLDS, FORKS])
def test_what_it_shares_with_others_counts_and_with_its_own_only_once(code):
    command = [sys.executable, "-c", code]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other,
    ):
        for program in (one, other):
            assert program.stdout and program.stdout.read(1)
        held, alone = memory_mb(one.pid), resident_mb(one.pid)
        for program in (one, other):
            program.communicate(b"\n\n")
    assert held == pytest.approx(alone, rel=0.1), "and a child adds next to nothing"
