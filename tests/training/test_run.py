"""A run that is killed goes on as if it had not been, whatever is trained."""

import errno
import itertools
import logging
import os
import random
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training import run as run_module
from training.run import FORMAT, STATE, Run, Stateful, Weights
from utils.errors import DataError

STEPS, EVERY = 10, 3
LARGE = os.strerror(errno.EFBIG)


class Killed(Exception):
    """What a test kills a run with."""


class Line:
    """A straight line through noisy points, and the running average of its weights."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.model = torch.nn.Linear(3, 1)
        self.average = Weights(dict(self.model.named_parameters())).copy()
        self.done: list[int] = []

    def train(
        self,
        folder: Path | None,
        kill: Callable[[int], bool] = lambda step: False,
        score: Callable[[int], float] | None = None,
        identity: str = "line",
        patience: int | None = None,
        log: bool = False,
    ) -> Run:
        optimiser = torch.optim.AdamW(self.model.parameters(), 0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=STEPS)
        parts: dict[str, Stateful] = {"model": self.model, "average": self.average}
        with Run(
            parts,
            optimiser,
            schedule,
            steps=STEPS,
            every=EVERY,
            seed=7,
            identity=identity,
            folder=folder,
            log=log,
            patience=patience,
        ) as run:
            for step in run:
                points = torch.randn(8, 3) + random.random()
                loss = (self.model(points) - points.sum(1, keepdim=True)).square().mean()
                run.learn(loss)
                self.average.follow(dict(self.model.named_parameters()), 0.9, step)
                self.done.append(step)
                if kill(step):
                    raise Killed
                if run.due and score:
                    run.judged(score(step), self.average.state_dict(), {"score": score(step)})
        return run

    def weights(self) -> list[float]:
        tensors = [*self.model.state_dict().values(), *self.average.state_dict().values()]
        return torch.cat([tensor.flatten() for tensor in tensors]).tolist()


@pytest.fixture(scope="module")
def whole() -> list[float]:
    line = Line()
    line.train(None)
    return line.weights()


@pytest.mark.parametrize("last", range(1, STEPS + 1))
def test_killed_after_any_step_it_ends_the_same(last: int, whole, tmp_path: Path) -> None:
    first = Line()
    with pytest.raises(Killed):
        first.train(tmp_path, lambda step: step == last)
    torch.rand(5)
    random.random()
    second = Line()
    second.train(tmp_path)
    assert second.weights() == whole
    assert second.done == list(range((last - 1) // EVERY * EVERY + 1, STEPS + 1))


def kill_after(n_steps: int) -> Callable[[int], bool]:
    """Kills after so many steps of one process, wherever it began."""
    steps = itertools.count(1)
    return lambda _: next(steps) > n_steps


def test_killed_at_every_look_it_ends_the_same(whole, tmp_path: Path) -> None:
    for _ in range(STEPS // EVERY):
        with pytest.raises(Killed):
            Line().train(tmp_path, kill_after(EVERY))
    last = Line()
    last.train(tmp_path)
    assert last.weights() == whole and last.done == [STEPS]


def test_looks_soon_after_one_another_keep_the_first_and_the_last(
    whole, tmp_path: Path, monkeypatch
) -> None:
    """The state of a large network takes as long to write as an epoch to learn."""
    monkeypatch.setattr(run_module, "KEEP_S", 1e9)
    with pytest.raises(Killed):
        Line().train(tmp_path, lambda step: step == 8)
    second = Line()
    second.train(tmp_path)
    assert second.done == list(range(EVERY + 1, STEPS + 1)) and second.weights() == whole
    third = Line()
    third.train(tmp_path)
    assert third.done == [] and third.weights() == whole


def test_the_log_has_each_look_once_though_some_are_done_again(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_module, "KEEP_S", 1e9)
    with pytest.raises(Killed):
        Line().train(tmp_path, lambda step: step == 8, log=True)
    Line().train(tmp_path, log=True)
    seen = EventAccumulator(str(tmp_path)).Reload().Scalars("loss")
    assert [look.step for look in seen] == [3, 6, 9, 10]


def test_a_state_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as on a full disk
    try:
        with pytest.raises(
            DataError, match=rf"state\.pt: cannot be written \({LARGE}\); make room"
        ):
            Line().train(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_finished_run_does_no_step(whole, tmp_path: Path) -> None:
    Line().train(tmp_path)
    again = Line()
    again.train(tmp_path)
    assert again.done == [] and again.weights() == whole


def test_the_best_weights_and_their_step_outlive_a_kill(tmp_path: Path) -> None:
    scores = {3: 0.1, 6: 0.9, 9: 0.5, 10: 0.9}
    unbroken = Line().train(None, score=scores.__getitem__)
    assert (unbroken.best_step, unbroken.best_score) == (6, 0.9)  # an equal one comes too late
    with pytest.raises(Killed):
        Line().train(tmp_path, lambda step: step == 8, scores.__getitem__)
    resumed = Line().train(tmp_path, score=scores.__getitem__)
    assert (resumed.best_step, resumed.best_score) == (6, 0.9)
    for name, tensor in unbroken.best.items():
        assert torch.equal(resumed.best[name], tensor)


def test_the_best_weights_do_not_change_with_later_steps(tmp_path: Path) -> None:
    line = Line()
    run = line.train(tmp_path, score=lambda step: -step)
    assert run.best_step == EVERY
    assert not torch.equal(run.best["weight"], line.average.tensors["weight"])


@pytest.mark.parametrize("keep_s", [0.0, 1e9])
def test_it_ends_where_nothing_is_gained(keep_s: float, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_module, "KEEP_S", keep_s)
    line = Line()
    line.train(tmp_path, score=lambda step: -step, patience=2)
    assert line.done == list(range(1, 3 * EVERY + 1))
    again = Line()
    again.train(tmp_path, score=lambda step: -step, patience=2)
    assert again.done == []


@pytest.mark.parametrize(
    "other", [{"format": FORMAT, "identity": "curve"}, {"identity": "line"}, [1, 2]]
)
def test_what_something_else_left_is_not_taken(other, whole, tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    torch.save(other, tmp_path / STATE)
    line = Line()
    line.train(tmp_path)
    assert line.done == list(range(1, STEPS + 1)) and line.weights() == whole
    assert "of another recipe or other voices; training starts anew" in caplog.text


def test_a_state_half_written_does_not_matter(whole, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        Line().train(tmp_path, lambda step: step == 4)
    (tmp_path / f"{STATE}.part").write_bytes(b"half")
    line = Line()
    line.train(tmp_path)
    assert line.done[0] == 4 and line.weights() == whole
    assert [path.name for path in tmp_path.iterdir()] == [STATE]


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Line().train(None)
    assert list(tmp_path.iterdir()) == []


def test_the_log_is_closed_where_a_run_is_killed(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(Killed):
        Line().train(tmp_path, lambda step: step == 2, log=True)
    assert threading.active_count() == before
    assert [path.name.partition(".")[0] for path in tmp_path.iterdir()] == ["events"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=f"{tmp_path}/file/run: cannot be made .*--runs"):
        Line().train(tmp_path / "file" / "run")


def test_a_running_average_follows_faster_at_first() -> None:
    average = Weights({"w": torch.zeros(1)})
    average.follow({"w": torch.ones(1)}, decay=0.99, step=1)
    assert average.tensors["w"].item() == pytest.approx(10 / 11)
    late = Weights({"w": torch.zeros(1)})
    late.follow({"w": torch.ones(1)}, decay=0.99, step=100_000)
    assert late.tensors["w"].item() == pytest.approx(0.01)
