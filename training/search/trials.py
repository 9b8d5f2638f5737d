"""Trials: each trains a network with other settings, and is judged by voices that it never heard.

Who judges is taken from the voices of training: those that a protocol tests are nobody's here.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from optuna import TrialPruned
from optuna.samplers import TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from training.corpora import Clip
from training.emotion.arguments import Choice
from training.emotion.bench import Bench
from training.emotion.fit import Diverged
from training.emotion.space import Space, suggest, values_of, with_values
from training.emotion.splits import Split, check_voices, k_fold
from training.run import forget, make_folder
from training.search.study import n_finished
from utils.emotion.networks.config import SVM

LOCK = ".lock"  # of whoever works in a trial's folder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Search:
    """What every trial of a study shares; called with one, it gives the trial's score.

    Parameters
    ----------
    choice : the network; trials have other settings of `space`
    folds : who trains and who judges, one network each; a trial's score is their mean
    bench : where a network of these settings is trained
    seed : of all trials
    folder : keeps the trials' states, from which they go on after a kill
    """

    choice: Choice
    space: Space
    folds: Sequence[Split]
    bench: Callable[[Choice], Bench]
    seed: int
    folder: Path

    def __call__(self, trial: Trial) -> float:
        """UAR in percent, mean over corpora and folds, of the weights that are kept.

        Raises
        ------
        TrialPruned : it is worse than others were so far, or diverged
        """
        choice = with_values(self.choice, suggest(trial, self.space))
        with _alone_in(self.folder / _identity(choice, self.seed)) as own:
            return self._score(trial, choice, own)

    def _score(self, trial: Trial, choice: Choice, own: Path) -> float:
        """The same, with a folder of its own for its states."""
        bench = self.bench(choice)
        scores: list[float] = []
        try:
            for k, split in enumerate(self.folds, start=1):
                title = f"trial {trial.number}, voices {k} of {len(self.folds)}"
                looked = partial(self._report, trial, scores)
                model = bench.learn(
                    split.train, split.test, self.seed, own / f"voices-{k}", title, looked
                )
                scores.append(100 * bench.uar(model, split.test))
        except TrialPruned:
            forget(own)
            raise
        except Diverged as err:  # one that failed would count for nothing, and be drawn again
            forget(own)
            logger.warning("trial %d: %s", trial.number, err)
            raise TrialPruned(str(err)) from err
        except KeyboardInterrupt:
            trial.study.enqueue_trial(trial.params)
            raise
        forget(own)
        return float(np.mean(scores))

    @property
    def epochs(self) -> int:
        """Reports of each fold, at the most."""
        return 1 if self.choice.network == SVM else self.choice.fit.epochs

    def _report(self, trial: Trial, scores: Sequence[float], epoch: int, uar: float) -> None:
        """Tell the pruner how good it is after an epoch, and end the trial where that is little."""
        step = len(scores) * self.epochs + epoch
        trial.report(float(np.mean([*scores, 100 * uar])), step)
        if step < len(self.folds) * self.epochs and trial.should_prune():
            raise TrialPruned(f"after epoch {step} of {len(self.folds) * self.epochs}")


def go_on(study: Study, search: Search, trials: int, shared: bool = False) -> None:
    """Try until the study has so many trials; the first has the settings as they are.

    A trial's draws follow from the seed and from how many there were before, so that a search
    that was stopped goes on as one that was not. A stopped trial is the next one's.

    Parameters
    ----------
    shared : others search there at the same time, whose draws must be other ones
    """
    own = secrets.randbits(32) if shared else 0
    if not shared:
        _retry_killed(study, search)
    if not study.trials:
        study.enqueue_trial(values_of(search.choice, search.space), skip_if_exists=True)
    while n_finished(study) < trials:
        study.sampler = TPESampler(seed=_seed(search.seed, own, study))
        study.optimize(search, n_trials=1, callbacks=[_tell])


def folds_inside(clips: Sequence[Clip], n_folds: int, seed: int) -> list[Split]:
    """Folds of the voices of training: as many as asked, or as there are voices.

    Raises
    ------
    DataError : of one voice
    """
    remedy = "one trains and the other judges; give a --protocol of more speakers"
    speakers = check_voices(clips, "search with", remedy)
    return k_fold(clips, min(n_folds, len(speakers)), seed)


def _retry_killed(study: Study, search: Search) -> None:
    """Have trials tried again whose process was killed: nobody holds their folder any more.

    Optuna does so too, after minutes without a sign of life, and wherever the process was.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.params.keys() != search.space.keys():
            continue
        choice = with_values(search.choice, trial.params)
        name = _identity(choice, search.seed)
        folders = [search.folder / name, *search.folder.glob(f"{name}-*")]
        if all(_free(folder) for folder in folders if folder.is_dir()):
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params)


def _free(folder: Path) -> bool:
    """Whether nobody works in a trial's folder."""
    try:
        with FileLock(folder / LOCK, timeout=0):
            return True
    except Timeout:
        return False


def _seed(seed: int, own: int, study: Study) -> int:
    counted = [trial for trial in study.trials if trial.state != TrialState.FAIL]
    return int(np.random.SeedSequence([seed, own, len(counted)]).generate_state(1)[0])


def _tell(study: Study, trial: FrozenTrial) -> None:
    """A line on a trial that ended."""
    settings = ", ".join(f"{name} {value:.3g}" for name, value in sorted(trial.params.items()))
    if trial.state == TrialState.PRUNED:
        looks = trial.intermediate_values
        last = max(looks, default=0)
        how = f"pruned at look {last}, UAR {looks.get(last, 0.0):.1f} % so far,"
    else:
        how = f"UAR {trial.value or 0:.1f} %"
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    best = max((other.value or 0 for other in whole), default=0.0)
    logger.info("trial %d: %s with %s (best %.1f %%)", trial.number, how, settings, best)


def _identity(choice: Choice, seed: int) -> str:
    """Tells the folder of trials with these settings from all others."""
    return "trial-" + hashlib.sha256(f"{choice} {seed}".encode()).hexdigest()[:8]


@contextmanager
def _alone_in(wanted: Path) -> Iterator[Path]:
    """A folder for a trial alone: others of the study may try the same settings meanwhile."""
    for number in count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        make_folder(folder)
        lock = FileLock(folder / LOCK, timeout=0)
        try:
            lock.acquire()
        except (Timeout, FileNotFoundError):  # the latter: who had it is just leaving
            continue
        try:
            yield folder
        finally:
            _leave(folder)
            lock.release()
        return


def _leave(folder: Path) -> None:
    """Delete the folder of a trial of which neither states nor curves are kept."""
    for inside in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        with suppress(OSError):  # there is something in it
            inside.rmdir()
    if [path.name for path in folder.iterdir()] == [LOCK]:
        with suppress(OSError):  # Windows deletes no file that is open
            (folder / LOCK).unlink()
            folder.rmdir()
