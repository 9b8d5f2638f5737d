"""Several real processes train as one would: on one machine, on two, and when one of them dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_model import EmotionRecognizer
from tests.program import PATIENCE_S, free_port
from tests.training.made_corpora import record_all
from tests.training.small_listener import NETWORK, small_dataset, small_listener
from tests.training.test_train import OTHERS
from training import parallel
from training.__main__ import main
from training.emotion.train import logits
from training.run import STATE
from utils.emotion.network import Listener
from utils.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
SMALL = ["-m", "tests.training.small_listener"]
HERE = ["--nproc-per-node", "2", "--master-port"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def start(*words: object) -> subprocess.Popen:
    command = [*TORCHRUN, *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=ROOT, env=ENVIRONMENT, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )


def done(*words: object) -> tuple[int, str]:
    """Run to the end: the exit status, and what was told."""
    with start(*words) as running:
        told, _ = running.communicate(timeout=2 * PATIENCE_S)
    return running.returncode, told


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What one process comes to."""
    folder = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        small_listener(folder, lambda step, loss: None)
    yield folder


def assert_same(folder: Path, alone: Path) -> None:
    """The same losses, judgements and answers; the rounding of sums differs alone."""
    ours, theirs = (torch.load(one / STATE)["history"] for one in (folder, alone))
    assert [sorted(look) for look in ours] == [sorted(look) for look in theirs]
    for look, expected in zip(ours, theirs, strict=True):
        assert look == pytest.approx(expected, abs=1e-4)
    examples = small_dataset()
    arrays = [examples.steps(clip) for clip in OTHERS]
    answers = []
    for one in (folder, alone):
        model = Listener(NETWORK).eval()
        model.load_state_dict(torch.load(one / "weights.pt"))
        answers.append(logits(model, arrays))  # type: ignore[arg-type]  # it is called as one
    assert np.abs(answers[0]).max() > 1
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-3)


def test_two_machines_come_to_what_one_process_comes_to(tmp_path, alone):
    port = free_port()
    folders = [tmp_path / "first", tmp_path / "second"]
    nodes = [
        start(
            *("--nnodes", 2, "--node-rank", number, "--nproc-per-node", 1),
            *("--master-addr", "127.0.0.1", "--master-port", port, *SMALL, folder),
        )
        for number, folder in enumerate(folders)
    ]
    told = [node.communicate(timeout=2 * PATIENCE_S)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], told
    assert_same(folders[0], alone)
    assert len(list(folders[0].glob("events.*"))) == 1  # TensorBoard's log
    assert not folders[1].exists()  # the second keeps nothing


def test_one_that_dies_ends_all_and_training_goes_on_later(tmp_path, alone, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    port = free_port()
    status, told = done(*HERE, port, *SMALL, tmp_path, 25)
    assert status == 1 and f"exitcode  : -{signal.SIGKILL:d}" in told, told
    assert torch.load(tmp_path / STATE)["step"] == 20
    small_listener(tmp_path, lambda step, loss: None)  # one process, from the state of two
    assert_same(tmp_path, alone)


def test_one_whose_peer_is_gone_says_so(tmp_path):
    """As on another machine, where nobody ends it."""
    port, processes = free_port(), []
    for rank in range(2):
        known = {"RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        environment = ENVIRONMENT | {name: str(value) for name, value in known.items()}
        command = [sys.executable, *SMALL, str(tmp_path), "25"]
        processes.append(
            subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        )
    told = [process.communicate(timeout=2 * PATIENCE_S)[1] for process in processes]
    assert [process.returncode for process in processes] == [1, -signal.SIGKILL]
    assert "process 0 of 2 has lost another one" in told[0] and "goes on" in told[0]


def test_the_workshop_trains_in_two_processes(tmp_path):
    record_all(tmp_path)
    corpora = ["--corpora", tmp_path / "corpora", "--cache", tmp_path / "cache"]
    runs, weights = tmp_path / "runs", tmp_path / "own.pt"
    network = ["--model", "cnn5-1d", "--features", "mfcc", "--epochs", 2, "--batch", 7]
    train = ["-m", "training", "train", *corpora, "--only", "ravdess", *network]
    status, told = done(*HERE, free_port(), *train, "--runs", runs, "--weights", weights)
    assert status == 0 and told.count(f"{weights}: ") == 1, told
    recognizer = EmotionRecognizer.load(weights)
    assert recognizer.facts["network"] == "cnn5-1d"
    assert len(list(runs.rglob("events.*"))) == 1 and not list(runs.rglob(STATE))


def test_what_one_process_does_is_refused_to_several(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["corpora", "--corpora", str(tmp_path)]) == 1
    assert "torchrun is for `train`" in capsys.readouterr().err


def test_each_process_has_a_part_and_all_parts_are_the_batch(monkeypatch):
    monkeypatch.setattr(parallel, "count", lambda: 3)
    parts = []
    for number in range(3):
        monkeypatch.setattr(parallel, "rank", lambda number=number: number)
        parts += list(range(8)[parallel.share(8)])
    assert sorted(parts) == list(range(8))
    with pytest.raises(ConfigError, match="3 processes and a batch of 2"):
        parallel.share(2)


def test_one_process_learns_as_ever():
    weight = torch.nn.Parameter(torch.ones(2))
    loss = (3 * weight).sum()
    loss.backward()
    assert parallel.add_up([weight], loss) == 6 and weight.grad is not None
    assert weight.grad.tolist() == [3, 3] and parallel.share(4) == slice(0, None, 1)
    assert parallel.leads() and parallel.agreed({"x": 1}) == {"x": 1}
