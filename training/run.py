"""A training run that goes on where it was killed, whatever it is that is trained."""

import copy
import logging
import math
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from torch.utils.tensorboard import SummaryWriter

from training import parallel
from training.sound.shards import replace
from utils import checkpoint
from utils.errors import DataError
from utils.folders import whole

logger = logging.getLogger(__name__)

STATE = "state.pt"  # in the folder of a run: what it needs to go on
FORMAT = "recognition-helpers/run/2"  # a new layout of it, a new number
KEPT = (
    "step",
    "best_step",
    "best_score",
    "best",
    "seconds",
    "history",
)  # of a run, beside its parts
SEED_STEP = 1_000_003  # keeps the random numbers of (seed, step) apart from those of others
MOST_NORM = 1.0  # to which longer gradients are clipped
KEEP_S = 30.0  # between two states, at the least: a gigabyte takes as long to write as an epoch


class Stateful(Protocol):
    """What can be kept and restored: models, optimisers, schedules, `Weights`."""

    def state_dict(self) -> dict[str, Any]:
        """Plain types and tensors."""
        ...

    def load_state_dict(self, state_dict: Any) -> Any:
        """Take over what `state_dict` gave."""
        ...


class Weights:
    """Tensors by name, such as the part of a model that is trained, or their running average.

    Parameters
    ----------
    tensors : changed in place
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        self.tensors = dict(tensors)

    def copy(self) -> "Weights":
        """The same values, which stay where they are when these change."""
        return Weights({name: tensor.detach().clone() for name, tensor in self.tensors.items()})

    def follow(self, others: Mapping[str, torch.Tensor], decay: float, step: int) -> None:
        """Move a running average towards `others`, faster in the first steps.

        Parameters
        ----------
        decay : part of the old values that stays at each step, later on
        step : from 1
        """
        share = 1 - min(decay, step / (step + 10))
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.lerp_(others[name], share)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The tensors themselves, without their gradients."""
        return {name: tensor.detach() for name, tensor in self.tensors.items()}

    def load_state_dict(self, state_dict: Mapping[str, torch.Tensor]) -> None:
        """Take over the values of tensors of the same names."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(state_dict[name])


class Run:
    """The steps of a training, each given once, whether it is killed in between or not.

    Entering it loads the state that an earlier process left, if it is of the same run; then

        with Run(…) as run:
            for step in run:
                run.learn(loss_of(step))

    draws, learns and ends with the same numbers as a run that nobody killed, if all that is
    random follows from the step, from a generator of PyTorch's or from `random`. The state is
    kept at the first look, at later ones every half minute, and at the last; a step after that is
    done again.

    Where several processes train (`training.parallel`), all go on from the first one's state, and
    it alone keeps anything; each learns from its part of a batch; what the first judged counts.

    Parameters
    ----------
    parts : all that changes from step to step, by name, but for the two that follow
    optimiser, schedule : of the learning rate
    steps : how many, all together
    every : steps between two looks, at which what was learnt is judged
    seed : with a step's number, of the random numbers of that step
    identity : of all that the run depends on; a state of another is not taken
    folder : keeps the state; made if need be. None keeps nothing
    log : whether the folder keeps TensorBoard's log too
    patience : looks without a better score after which it ends early; None goes to the end
    """

    def __init__(
        self,
        parts: Mapping[str, Stateful],
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        *,
        steps: int,
        every: int,
        seed: int,
        identity: str,
        folder: Path | None,
        log: bool = True,
        patience: int | None = None,
    ) -> None:
        self.parts = {**parts, "optimiser": optimiser, "schedule": schedule}
        self.optimiser, self.schedule = optimiser, schedule
        self.steps, self.every, self.patience = steps, every, patience
        self.seed, self.identity, self.folder = seed, identity, folder
        self.step, self.best_step, self.best_score = 0, 0, -math.inf
        self.best: Any = None  # weights, where `judged` was given some
        self.seconds = 0.0  # of the processor, in all processes: what else runs is not counted
        self.history: list[dict[str, float]] = []  # of each look: step, loss, what was judged
        self._since = time.process_time()
        self._kept_at = -math.inf
        self._with_log = log
        self._log: SummaryWriter | None = None
        self._losses: list[float] = []  # since the last look
        self._figures: dict[str, float] = {}

    def __enter__(self) -> Self:
        if self.folder and parallel.leads():
            make_folder(self.folder)
            self._load(self.folder / STATE)
            if self._with_log:  # without what was learnt after the state, and is learnt again
                self._log = SummaryWriter(str(self.folder), purge_step=self.step + 1)
        if parallel.many():
            self._follow_first()
        self._since = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        if self._log:
            self._log.close()

    def __iter__(self) -> Iterator[int]:
        """The number of each step that is still to do, from 1."""
        while not self._ended():
            self.step += 1
            torch.manual_seed(self.seed * SEED_STEP + self.step)
            random.seed(self.seed * SEED_STEP + self.step)
            yield self.step
            if self.due:
                self._look()

    @property
    def due(self) -> bool:
        """Whether a look follows this step: the time to judge what was learnt."""
        return self.step % self.every == 0 or self.step == self.steps

    def learn(self, loss: torch.Tensor) -> float:
        """Take a step against the gradient; the loss.

        Parameters
        ----------
        loss : of the batch; of several processes each gives its part of a sum
        """
        self.optimiser.zero_grad()
        loss.backward()
        weights = [weight for group in self.optimiser.param_groups for weight in group["params"]]
        loss = parallel.add_up(weights, loss)
        torch.nn.utils.clip_grad_norm_(weights, MOST_NORM)
        self.optimiser.step()
        self.schedule.step()
        self._losses.append(loss.item())
        return self._losses[-1]

    def judged(self, score: float, weights: Mapping, figures: Mapping[str, float]) -> None:
        """Keep weights where they are the best so far; to be called where a look is `due`.

        Parameters
        ----------
        score : the higher, the better
        weights : what has it; copied
        figures : for the log
        """
        score, self._figures = parallel.agreed((score, dict(figures)))
        if score > self.best_score:
            self.best_score, self.best_step = score, self.step
            self.best = copy.deepcopy(weights)

    def _ended(self) -> bool:
        """Whether all steps are done, or nothing was gained for too long."""
        waited = self.step - self.best_step
        stuck = self.patience is not None and waited >= self.patience * self.every
        return stuck or self.step >= self.steps

    def _look(self) -> None:
        """Log what was found since the last look, and keep the state where that is due."""
        now = time.process_time()
        self.seconds, self._since = self.seconds + now - self._since, now
        mean = sum(self._losses) / max(len(self._losses), 1)
        self.history.append({"step": self.step, "loss": mean, **self._figures})
        if self._log:
            figures = {"loss": mean, "learning_rate": self.schedule.get_last_lr()[0]}
            for name, value in (figures | self._figures).items():
                self._log.add_scalar(name, value, self.step)
            self._log.flush()
        self._losses.clear()
        late = time.monotonic() - self._kept_at >= KEEP_S
        if self.folder and parallel.leads() and (late or self._ended()):
            self._save(self.folder / STATE)
            self._kept_at = time.monotonic()

    def _save(self, path: Path) -> None:
        """Keep the state; a crash leaves the old file or none.

        Raises
        ------
        DataError : it cannot be written
        """
        try:
            with whole(path) as part:
                checkpoint.pack(self._content(), part)
        except OSError as err:
            raise _unwritten(path, str(err.strerror)) from err

    def _content(self) -> dict[str, Any]:
        """All that a process needs to go on."""
        content = {name: getattr(self, name) for name in KEPT}
        content |= {"format": FORMAT, "identity": self.identity}
        content["parts"] = {name: part.state_dict() for name, part in self.parts.items()}
        return content

    def _follow_first(self) -> None:
        """Begin where the first process does, with its weights."""
        found = parallel.agreed(self._content())
        if found["identity"] != self.identity:
            raise DataError(
                f"process {parallel.rank()} has other recordings or another recipe than the first "
                "one: give all the same command, files and version of the program"
            )
        self._take(found)

    def _take(self, found: Mapping[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(found["parts"][name])
        for name in KEPT:
            setattr(self, name, found[name])

    def _load(self, path: Path) -> None:
        """Go on from what was kept; where nothing fits, the log says why."""
        if not path.is_file():
            return
        try:
            found = checkpoint.unpack(path)
        except ValueError as err:
            logger.warning("%s: cannot be read (%s); training starts anew", path, err)
            return
        wanted = {"format": FORMAT, "identity": self.identity}
        if not isinstance(found, dict) or any(found.get(k) != v for k, v in wanted.items()):
            logger.info("%s: of another recipe or other voices; training starts anew", path)
            return
        self._take(found)
        logger.info("%s: resumed after step %d", path, self.step)


def _unwritten(path: Path, reason: str) -> DataError:
    remedy = "make room, or give --runs another folder; the same command goes on"
    return DataError(f"{path}: cannot be written ({reason}); {remedy}")


def make_folder(path: Path, option: str = "--runs") -> None:
    """Have a folder to write in.

    Parameters
    ----------
    option : that names it, for who is told

    Raises
    ------
    DataError : it cannot be made
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise DataError(
            f"{path}: cannot be made ({err.strerror}); give {option} another folder"
        ) from err


def write_file(path: Path, content: bytes) -> None:
    """Write a file of a run: whole, or as it was.

    Raises
    ------
    DataError : it cannot be written
    """
    try:
        replace(path, content)
    except OSError as err:
        raise _unwritten(path, str(err.strerror)) from err


def seconds_of(folder: Path) -> float:
    """Of the processor, in all runs whose states lie in a folder; 0 where there is none."""
    total = 0.0
    for path in folder.rglob(STATE):
        with suppress(ValueError):
            found = checkpoint.unpack(path)
            total += float(found.get("seconds", 0.0)) if isinstance(found, dict) else 0.0
    return total


def forget(folder: Path) -> None:
    """Drop all states in a folder, of what has ended: weights of many networks fill a disk."""
    for path in folder.rglob(f"{STATE}*"):  # one that was killed as it was written, too
        path.unlink(missing_ok=True)


def state_of(path: Path) -> str:
    """How far a run is whose state lies there, in words."""
    try:
        found = checkpoint.unpack(path)
    except ValueError:
        return "being written"
    return f"step {found['step']}" if isinstance(found, dict) and "step" in found else "begun"
