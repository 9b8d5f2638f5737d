"""What libraries are told through the environment reaches them, whatever starts the program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from utils.environment import FRUGAL, N_THREADS, SILENT, UNSAFE, cores, prepare, sharing

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "entry", ["app", "emotion_model", "training.commands", "web.server", "utils.captions.vad"]
)
def test_each_way_into_the_program_sets_it(entry):
    code = f"import {entry}, json, os; print(json.dumps(dict(os.environ)))"
    bare = {name: value for name, value in os.environ.items() if name not in SILENT | FRUGAL}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=bare
    )
    found = json.loads(run.stdout)
    assert {name: found.get(name) for name in SILENT | FRUGAL} == SILENT | FRUGAL


def test_what_an_operator_has_set_stays(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    prepare()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_what_lets_a_models_file_run_code_does_not_stay(monkeypatch):
    for name in UNSAFE:
        monkeypatch.setenv(name, "1")
    prepare()
    assert not set(UNSAFE) & set(os.environ)


@pytest.mark.parametrize(
    ("told", "n_processes", "each"),
    [(None, 1, str(cores())), (None, 1000, "1"), ("3", 2, "3")],
)
def test_processes_that_start_together_share_the_cores(monkeypatch, told, n_processes, each):
    monkeypatch.delenv(N_THREADS, raising=False)
    if told:
        monkeypatch.setenv(N_THREADS, told)
    with sharing(n_processes):
        code = f"import os; print(os.environ[{N_THREADS!r}])"
        assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == each
    assert os.environ.get(N_THREADS) == told
