"""The search for settings: what it varies, how it goes on, whom it prunes."""

import argparse
import logging
import sqlite3
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import TrialState

import training.emotion.fit
from tests.training.test_fit import LABELS, NETWORK, Sung, clips_of
from training.corpora import Clip
from training.emotion import baseline
from training.emotion.arguments import Choice, add_features, add_network, chosen
from training.emotion.bench import Shape
from training.emotion.evaluate import uar
from training.emotion.fit import FitConfig, fit
from training.emotion.space import space_of, suggest, values_of, with_values
from training.emotion.splits import Split
from training.emotion.train import logits
from training.run import STATE
from training.search import study as studies
from training.search.plots import PLOTS, draw_study
from training.search.study import check_file, n_finished, open_study, pruner_of
from training.search.trials import Search, _alone_in, folds_inside, go_on
from utils.emotion.networks import Network
from utils.emotion.networks.config import IMAGES, NAMES, OURS, STEPWISE, SVM, NetworkConfig
from utils.errors import ConfigError, DataError

RATE = FloatDistribution(3e-4, 2e-2, log=True)
ALSO_POOR = FloatDistribution(1e-7, 2e-2, log=True)  # rates with which hardly anything is learnt
CLIPS = clips_of("1", "2", "3", "4")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
ABOUT = {"network": "svm", "seed": "0"}


@pytest.fixture(autouse=True)
def quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def asked(*words: str) -> Choice:
    parser = argparse.ArgumentParser()
    add_network(parser)
    add_features(parser)
    return chosen(parser.parse_args(words))


# --- spaces


@pytest.mark.parametrize(
    ("name", "noisy"),
    [
        *((name, ()) for name in NAMES[1:]),
        *((name, ("--mixnoise", "10")) for name in STEPWISE),
    ],
)
def test_the_recipe_lies_in_the_space_and_each_draw_can_be_asked_for(
    name: str, noisy: tuple[str, ...]
) -> None:
    choice = asked("--model", name, *noisy)
    space = space_of(choice)
    usual = values_of(choice, space)
    assert usual.keys() == space.keys() and with_values(choice, usual) == choice
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial(usual)
    assert suggest(study.ask(), space) == usual  # Optuna would draw anew what lies outside
    for _ in range(20):
        drawn = with_values(choice, suggest(study.ask(), space))
        assert drawn != choice
        assert asked(*drawn.arguments) == drawn


def test_each_kind_of_network_has_settings_of_its_own() -> None:
    found = {name: set(space_of(asked("--model", name))) for name in NAMES}
    assert found[OURS] == set()
    assert found[SVM] == {"c", "gamma"}
    stepwise = {"learning_rate", "weight_decay", "batch", "blank", "hop"}
    assert found["cnn5"] == found["cnn-lstm"] == stepwise | {"dropout", "width"}
    assert found["alexnet-gap"] == stepwise | {"dropout"}
    assert all(found[name] == stepwise for name in IMAGES if name != "alexnet-gap")
    assert "stability" in space_of(asked("--model", "cnn5", "--mixnoise", "10"))


@pytest.mark.parametrize("name", ["cnn5", "cnn8-1d", "cnn-lstm"])
def test_a_wider_network_has_more_weights(name: str) -> None:
    from utils.emotion.networks import build

    config = replace(NETWORK, name=name, n_features=40, segment=64)
    sizes = [
        sum(p.numel() for p in build(replace(config, width=width)).parameters())
        for width in (0.5, 1.0, 2.0)
    ]
    assert sizes[0] < 0.5 * sizes[1] < 0.25 * sizes[2]


def test_settings_with_which_nothing_is_learnt_are_told() -> None:
    for words, message in (
        (("--model", "cnn5", "--learning-rate", "-1"), "learning_rate is -1.0"),
        (("--model", "cnn5", "--dropout", "1"), "a dropout of 1.0"),
        (("--model", "cnn5", "--width", "9"), "9.0 times the usual width"),
        (("--model", "svm", "--c", "0"), "c is 0.0, expected more than 0"),
        (("--model", "svm", "--width", "1"), "svm has no --width"),
        (("--model", "resnet18", "--dropout", "0.1"), "resnet18 has no --dropout"),
        (("--model", "cnn5", "--gamma", "1"), "cnn5 has no --gamma"),
    ):
        with pytest.raises(ConfigError, match=message):
            asked(*words)


# --- trials


class SungBench:
    """Trains for real on tunes that tell the classes, in place of recordings."""

    def __init__(self, choice: Choice, learnt: list[Choice]) -> None:
        self.choice, self.learnt, self.examples = choice, learnt, Sung()
        self.stop_at: int | None = None

    def learn(
        self,
        clips: Sequence[Clip],
        validation: Sequence[Clip],
        seed: int,
        folder: Path,
        title: str,
        looked: Callable[[int, float], None],
    ) -> Network:
        assert not {clip.speaker for clip in clips} & {clip.speaker for clip in validation}
        self.learnt.append(self.choice)
        if self.choice.network == SVM:
            config = NetworkConfig(SVM, NETWORK.n_features, len(LABELS), n_vectors=1, n_taught=2)
            made = self.choice.fit
            machine = baseline.fit(self.examples, clips, config, made.c, made.gamma)
            looked(1, self.uar(machine, validation))
            return machine
        return fit(
            self.examples,
            clips,
            validation,
            self.choice.fit,
            NETWORK,
            seed,
            lambda *_: None,
            folder,
            looked=looked,
        )[0]

    def uar(self, model: Network, clips: Sequence[Clip]) -> float:
        found = logits(model, [self.examples.steps(clip) for clip in clips])
        return uar(np.array([LABELS.index(clip.label) for clip in clips]), found)


def searched(folder: Path, choice: Choice | None = None, learnt: list[Choice] | None = None):
    choice = choice or asked("--model", "svm")
    told = [] if learnt is None else learnt
    folds = folds_inside(CLIPS, 2, 0)
    return Search(choice, space_of(choice), folds, lambda c: SungBench(c, told), 0, folder)  # type: ignore[arg-type, return-value]


def opened(folder: Path, name: str = "songs", about: dict[str, str] = ABOUT) -> Study:
    return open_study(f"sqlite:///{folder / 'study.sqlite'}", name, about)


def drawn(study: Study) -> list[tuple[dict[str, float], float | None]]:
    finished = study.get_trials(states=studies.FINISHED)
    return [(trial.params, trial.value) for trial in finished]


def test_the_first_trial_is_the_recipe_and_the_others_differ(tmp_path: Path) -> None:
    study, learnt = opened(tmp_path), list[Choice]()
    search = searched(tmp_path, learnt=learnt)
    go_on(study, search, 4)
    assert study.trials[0].params == {"c": 1.0, "gamma": 1.0} and learnt[0] == search.choice
    assert len(learnt) == 4 * len(search.folds) and len(set(learnt)) == 4
    assert all(0 <= (trial.value or 0) <= 100 for trial in study.trials)
    assert study.best_value == max(value for _, value in drawn(study) if value)


def test_a_search_goes_on_as_one_that_was_not_stopped(tmp_path: Path) -> None:
    whole, parts, other = (tmp_path / name for name in ("whole", "parts", "other"))
    for folder in (whole, parts, other):
        folder.mkdir()
    go_on(opened(whole), searched(whole), 14)  # beyond the sampler's random start
    go_on(opened(parts), searched(parts), 5)
    assert n_finished(opened(parts)) == 5
    go_on(opened(parts), searched(parts), 14)
    assert drawn(opened(parts)) == drawn(opened(whole))
    go_on(opened(other), replace(searched(other), seed=1), 3)
    assert drawn(opened(other))[1:] != drawn(opened(whole))[1:3]


def test_a_study_that_has_its_trials_is_left_as_it_is(tmp_path: Path) -> None:
    learnt: list[Choice] = []
    go_on(opened(tmp_path), searched(tmp_path, learnt=learnt), 2)
    n = len(learnt)
    go_on(opened(tmp_path), searched(tmp_path, learnt=learnt), 2)
    go_on(opened(tmp_path), searched(tmp_path, learnt=learnt), 1)
    assert len(learnt) == n and n_finished(opened(tmp_path)) == 2


def stepwise(**changes: float) -> Choice:
    config = FitConfig(epochs=8, batch_size=8, learning_rate=1e-2, jitter=0.05, blank=0.1)
    return Choice("cnn5-1d", None, replace(config, **changes), Shape())  # type: ignore[arg-type]


class Killed(BaseException):
    """Ends a process without a word to the storage, but for locks, which end with it."""


@pytest.mark.parametrize("end", [KeyboardInterrupt, Killed])
def test_ctrl_c_and_a_kill_lose_no_trial_and_none_of_its_epochs(
    end: type[BaseException], tmp_path: Path, monkeypatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    space = {"learning_rate": RATE}
    go_on(opened(whole), replace(searched(whole, stepwise()), space=space), 3)
    looks, report = 0, optuna.Trial.report

    def until_stopped(trial: optuna.Trial, value: float, step: int) -> None:
        nonlocal looks
        looks += 1
        if looks == 20:  # in the second trial of 16 looks each
            raise end
        report(trial, value, step)

    epochs, settle = 0, training.emotion.fit._settle

    def counted(*parts) -> None:
        nonlocal epochs
        epochs += 1
        settle(*parts)

    monkeypatch.setattr(optuna.Trial, "report", until_stopped)
    monkeypatch.setattr(training.emotion.fit, "_settle", counted)
    search = replace(searched(cut, stepwise()), space=space)
    with pytest.raises(end):
        go_on(opened(cut), search, 3)
    assert n_finished(opened(cut)) == 1 and len(list(cut.rglob(STATE))) == 1
    epochs = 0
    go_on(opened(cut), search, 3)
    assert epochs == 2 * 16 - 3  # epochs that were kept are not done again
    for trial in opened(cut).get_trials(states=[TrialState.COMPLETE]):
        assert sorted(trial.intermediate_values) == list(range(1, 17))  # the pruner knows them
    for (params, value), (same, other) in zip(drawn(opened(cut)), drawn(opened(whole))):
        assert params == same and value == pytest.approx(other, abs=5)
    assert not opened(cut).get_trials(states=[TrialState.RUNNING])
    assert not list(cut.rglob(STATE))  # weights of trials that ended are dropped


def test_trials_of_the_same_settings_at_a_time_have_folders_of_their_own(tmp_path: Path) -> None:
    with _alone_in(tmp_path / "trial") as one, _alone_in(tmp_path / "trial") as other:
        assert one != other
        (one / "voices-1").mkdir()
    assert not list(tmp_path.iterdir())  # nothing was kept in them
    with _alone_in(tmp_path / "trial") as again:
        assert again == one  # goes on from what a killed one has left
        (again / "voices-1").mkdir()
        (again / "voices-1" / STATE).touch()
    assert [path.name for path in tmp_path.iterdir()] == ["trial"]  # it is kept for who goes on


def test_a_trial_that_is_worse_than_others_is_pruned(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(studies, "WHOLE_FIRST", 1)
    choice, study = stepwise(), opened(tmp_path)
    search = replace(
        searched(tmp_path, choice),
        space={"learning_rate": ALSO_POOR},
    )
    study.pruner = pruner_of("median", search.epochs, len(search.folds))
    go_on(study, search, 1)
    study.enqueue_trial({"learning_rate": 1e-7})
    go_on(study, search, 2)
    good, poor = study.trials
    assert good.state == TrialState.COMPLETE and good.value is not None and good.value > 80
    assert poor.state == TrialState.PRUNED
    assert max(poor.intermediate_values) < search.epochs * len(search.folds)
    assert max(good.intermediate_values) == search.epochs * len(search.folds)
    assert not list(tmp_path.rglob(STATE))


def test_a_trial_that_diverges_is_pruned_and_the_search_goes_on(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    study = opened(tmp_path)
    search = replace(
        searched(tmp_path, stepwise(epochs=2)),
        space={"learning_rate": FloatDistribution(1e-3, 1e35, log=True)},
    )
    study.enqueue_trial({"learning_rate": 1e30})
    go_on(study, search, 1)
    assert "trial 0: the training diverged: a loss of" in caplog.text
    assert "trial 0: pruned at look " in caplog.text
    study.enqueue_trial({"learning_rate": 1e-2})
    go_on(study, search, 2)
    assert [trial.state for trial in study.trials] == [TrialState.PRUNED, TrialState.COMPLETE]
    assert not list(tmp_path.rglob(STATE))


def test_pruners_are_fed_from_every_epoch_of_every_fold() -> None:
    assert isinstance(pruner_of("median", 8, 3), MedianPruner)
    assert isinstance(pruner_of("hyperband", 8, 3), HyperbandPruner)
    assert isinstance(pruner_of("none", 8, 3), NopPruner)


def test_hyperband_prunes_too(tmp_path: Path) -> None:
    search = replace(
        searched(tmp_path, stepwise(epochs=4)),
        space={"learning_rate": ALSO_POOR},
    )
    study = opened(tmp_path)
    study.pruner = pruner_of("hyperband", search.epochs, len(search.folds))
    go_on(study, search, 8)
    assert n_finished(study) == 8
    assert study.get_trials(states=(TrialState.PRUNED,))


def test_voices_of_training_judge_in_turn() -> None:
    folds = folds_inside(CLIPS, 3, 0)
    assert len(folds) == 3 and all(isinstance(split, Split) for split in folds)
    judged = [clip.speaker for split in folds for clip in split.test]
    assert sorted(judged) == sorted(clip.speaker for clip in CLIPS)  # each once
    assert len(folds_inside(CLIPS, 9, 0)) == 4
    with pytest.raises(DataError, match="1 clips of 1 are left .* --protocol of more speakers"):
        folds_inside(CLIPS[:1], 3, 0)


# --- plots


def test_pictures_are_drawn_as_soon_as_there_is_enough_to_see(tmp_path: Path) -> None:
    study = opened(tmp_path)
    go_on(study, searched(tmp_path), 1)
    assert [path.stem for path in draw_study(study, tmp_path)] == ["history", "slice"]
    go_on(study, searched(tmp_path), 6)
    paths = draw_study(study, tmp_path)
    assert [path.stem for path in paths] == list(PLOTS)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_trials_that_are_all_alike_are_drawn(tmp_path: Path) -> None:
    study = opened(tmp_path)
    for _ in range(3):
        study.add_trial(
            optuna.trial.create_trial(
                params={"c": 1.0},
                distributions={"c": space_of(asked("--model", "svm"))["c"]},
                value=50.0,
            )
        )
    assert len(draw_study(study, tmp_path)) == len(PLOTS)


# --- storage


def test_a_study_of_something_else_is_not_taken(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(ConfigError, match="network is 'svm', asked 'cnn5'. Give the arguments"):
        opened(tmp_path, about=ABOUT | {"network": "cnn5"})
    assert opened(tmp_path, "another", ABOUT | {"network": "cnn5"}).user_attrs["network"] == "cnn5"
    assert opened(tmp_path).user_attrs == ABOUT


def test_a_study_that_another_process_is_just_making_is_taken(tmp_path: Path) -> None:
    url = f"journal:///{tmp_path / 'shared.log'}"
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "shared.log")))
    optuna.create_study(storage=storage, study_name="both", direction="maximize")
    assert open_study(url, "both", ABOUT).user_attrs == ABOUT


@pytest.mark.parametrize("storage", ["sqlite:///{}/study", "journal:///{}/study"])
def test_two_searches_begun_at_once_under_one_name_are_not_mixed(
    storage: str, tmp_path: Path, monkeypatch
) -> None:
    url, other = storage.format(tmp_path), {"network": "cnn5", "folds": "3"}
    monkeypatch.setattr(studies, "WAIT_S", 0.1)

    class Told(dict[str, str]):
        """What a search is of; another one begins while it is told."""

        def keys(self) -> Any:
            with ThreadPoolExecutor() as beside, pytest.raises(DataError, match="another search"):
                beside.submit(open_study, url, "songs", other).result()
            return super().keys()

    assert open_study(url, "songs", Told(ABOUT)).user_attrs == ABOUT
    with pytest.raises(ConfigError, match="another search"):
        open_study(url, "songs", other)


def test_a_broken_file_is_told_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    url = f"sqlite:///{path}"
    assert not check_file(url) and not path.exists()
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(DataError, match="study.sqlite: cannot be read as a study"):
        check_file(url)
    assert path.read_bytes() == b"this is no database" * 100
    path.unlink()
    go_on(opened(tmp_path), searched(tmp_path), 2)
    assert check_file(url)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="study"):
        check_file(url)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (name TEXT)")
    other.close()
    with pytest.raises(DataError, match="something else than studies"):
        check_file(url)


def test_a_journal_that_machines_share_is_a_storage_too(tmp_path: Path) -> None:
    url = f"journal:///{tmp_path / 'journal.log'}"
    assert not check_file(url)
    go_on(open_study(url, "songs", ABOUT), searched(tmp_path), 2)
    assert check_file(url) and n_finished(open_study(url, "songs", ABOUT)) == 2
    path = tmp_path / "journal.log"
    path.write_text("{ no journal\n" + path.read_text())
    with pytest.raises(DataError, match="cannot be read as a journal"):
        check_file(url)
    with pytest.raises(DataError, match="it is a device, not a file"):
        check_file("journal:////dev/null")  # others have no end


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("nonsense", ConfigError, "no address of a storage, expected sqlite:///FILE"),
        ("oracle+none://host/db", ConfigError, "no address of a storage"),
        ("sqlite:////no/such/folder/a.sqlite", DataError, "beside it .No such file or directory"),
        ("journal:////no/such/folder/a.log", DataError, "beside it .No such file or directory"),
        (f"sqlite:////tmp/{250 * 'a'}", DataError, "beside it .File name too long"),
        pytest.param("sqlite:////proc/a.sqlite", DataError, "no file can be made", marks=LINUX),
        pytest.param("journal:////proc/a.log", DataError, "no file can be made", marks=LINUX),
    ],
)
def test_a_storage_that_cannot_be_opened_is_told(
    url: str, error: type[Exception], message: str, monkeypatch
) -> None:
    monkeypatch.setattr(studies, "WAIT_S", 0.1)  # for others; none is there
    with pytest.raises(error, match=message):
        open_study(url, "songs", ABOUT)


def test_a_password_is_not_shown(monkeypatch) -> None:
    with pytest.raises((ConfigError, DataError)) as caught:
        open_study("postgresql://ann:secret@localhost:1/db", "songs", ABOUT)
    assert "secret" not in str(caught.value) and "localhost" in str(caught.value)
