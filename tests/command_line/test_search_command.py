"""`python -m training search`, on small real corpora."""

import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import pytest

from emotion_model import EmotionRecognizer
from tests.training.made_corpora import ACTORS, KOREAN
from training.__main__ import main
from training.search import trials
from training.search.plots import PLOTS
from training.search.study import n_finished, open_study

HOME = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("here")
LOSO = ("--protocol", "ravdess-loso", "--features", "mfcc")
STUDY = "ravdess-loso-svm-mfcc-fold1"


@pytest.fixture
def places(home: Path, tmp_path: Path) -> list[str]:
    corpora, cache, runs = home / "corpora", home / "cache", tmp_path / "runs"
    return ["--corpora", str(corpora), "--cache", str(cache), "--runs", str(runs)]


@pytest.fixture
def run(places: list[str]) -> Callable[..., int]:
    return lambda *words: main(["search", *map(str, words), *places])


def lines_of(told: str, command: str) -> list[str]:
    """The words of the command that was advised."""
    (line,) = [x for x in told.splitlines() if f"python -m training {command} " in x]
    return shlex.split(line)[3:]


def test_it_is_kept_goes_on_is_drawn_and_trains_what_it_found(
    run, places, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("svm", *LOSO, "--trials", 2) == 0
    assert f"{STUDY}: 0 of 2 trials are there" in capsys.readouterr().out
    assert run("svm", *LOSO, "--trials", 4) == 0
    told = capsys.readouterr().out
    assert f"{STUDY}: 2 of 4 trials are there" in told and f"{STUDY}: 4 trials, " in told
    folder = tmp_path / "runs" / "search" / STUDY
    assert {path.name for path in folder.glob("*.png")} == {f"{name}.png" for name in PLOTS}
    for path in folder.glob("*.png"):
        assert str(path) in told and matplotlib.image.imread(path)[..., :3].std() > 0.01
    study = open_study(f"sqlite:///{folder / 'study.sqlite'}", STUDY, {})
    best = {
        name: float(f"{value:.3g}") for name, value in study.best_params.items() if name != "hop"
    }
    assert main(lines_of(told, "crossval")) == 0
    (tested,) = (tmp_path / "runs").glob("ravdess-loso-svm-mfcc-*fold1/*/facts.json")
    assert json.loads(tested.read_text())["parameters"] > 0
    assert len(json.loads((tested.parents[1] / "run.json").read_text())["folds"]) == 1
    assert main(lines_of(told, "train")) == 0
    recipe = EmotionRecognizer.load(tmp_path / f"{STUDY}.pt").facts["recipe"]
    assert {name: recipe[name] for name in best} == best


def test_who_is_tested_is_never_heard(run, monkeypatch) -> None:
    heard: set[str] = set()
    go_on = trials.go_on

    def seen(study, search, n: int, shared: bool) -> None:
        for split in search.folds:
            heard.update(clip.speaker for clip in (*split.train, *split.test))
        heard.update(clip.speaker for clip in search.bench(search.choice).clips)
        go_on(study, search, n, shared)

    monkeypatch.setattr("training.search.commands.go_on", seen)
    assert run("svm", *LOSO, "--trials", 1, "--fold", 2) == 0
    assert heard == {f"ravdess-{actor:02d}" for actor in ACTORS if actor != 2}


def test_a_network_is_searched_with_the_settings_that_were_given(run, tmp_path, capsys) -> None:
    given = ("--epochs", 2, "--segment", 0.5, "--hop", 10, "--learning-rate", 0.004)
    assert run("cnn5-1d", *LOSO, *given, "--trials", 2, "--pruner", "hyperband") == 0
    told = capsys.readouterr().out
    best = lines_of(told, "train")
    assert best[best.index("--learning-rate") + 1] == "0.004"
    name = "ravdess-loso-cnn5-1d-mfcc-epochs2-learning-rate0.004-segment0.5-fold1"
    study = open_study(f"sqlite:///{tmp_path / 'runs/search' / name / 'study.sqlite'}", name, {})
    varied = {"batch", "blank", "dropout", "weight_decay", "width"}
    assert all(trial.params.keys() == varied for trial in study.trials)
    first = study.trials[0]
    assert first.params == {
        "batch": 32,
        "blank": 0.12,
        "dropout": 0.4,
        "weight_decay": 0.01,
        "width": 1.0,
    }
    assert sorted(first.intermediate_values) == [1, 2, 3, 4, 5, 6]  # each epoch of three parts


def test_a_search_of_which_all_trials_diverge_is_told(run, tmp_path: Path, capsys) -> None:
    given = ("--epochs", 1, "--segment", 0.5, "--batch", 4, "--learning-rate", 1e30)
    assert run("cnn5-1d", *LOSO, *given, "--hop", 10, "--trials", 2) == 1
    assert "none of 2 trials came to its end" in capsys.readouterr().err
    assert not list(tmp_path.rglob("state.pt"))


def started(places: list[str], *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "training", "search", *words, *places]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=HOME, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_two_processes_share_a_search(places, tmp_path: Path) -> None:
    url = f"journal:///{tmp_path / 'shared.log'}"
    words = ("svm", *LOSO, "--trials", "8", "--storage", url, "--study", "both")
    both = [started(places, *words) for _ in range(2)]
    told = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    study = open_study(url, "both", {})
    assert 8 <= n_finished(study) <= 9
    tried = [tuple(trial.params.values()) for trial in study.trials]
    assert len(set(tried)) >= len(tried) - 1
    assert not (tmp_path / "runs/search/both/study.sqlite").exists()


def test_ctrl_c_stops_it_and_the_same_command_goes_on(places, tmp_path: Path) -> None:
    words = ("svm", *LOSO, "--trials", "2000")
    with started(places, *words) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("trial 2:"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read()
    assert process.returncode == 130 and "the same command goes on from here" in rest, rest
    assert "Traceback" not in rest
    url = f"sqlite:///{tmp_path / 'runs/search' / STUDY / 'study.sqlite'}"
    n = n_finished(open_study(url, STUDY, {}))
    assert 3 <= n < 2000
    again = started(places, *words[:-1], str(n + 2))
    told = again.communicate()[0]
    assert again.returncode == 0 and f"{n} of {n + 2} trials are there" in told, told


# --- bad input


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cnn9", "--trials", 1), "unknown network 'cnn9', expected one of lstm"),
        (("lstm", "--trials", 1), "lstm has a recipe of its own"),
        (("svm", "--trials", 1, "--features", "x"), "unknown features 'x'"),
        (
            ("svm", "--trials", 1, "--c", 1, "--gamma", 1),
            "every setting of svm is given (c, gamma)",
        ),
        (("svm", "--trials", 1, "--study", "a/b", *LOSO), "with no / in it"),
        (("svm", "--trials", 1, "--study", "..", *LOSO), "--study ..: expected a name of a folder"),
        (("svm", "--trials", 1, "--study", "", *LOSO), "expected a name"),
        (("svm", "--trials", 1, "--study", 300 * "a", *LOSO), "expected a name of a folder"),
        (("svm", "--trials", 1, "--fold", 6, *LOSO), "no fold 6, expected 1 to 5"),
        (("svm", "--trials", 1, "--protocol", "iemocap"), "iemocap"),
        (("svm", "--trials", 1, "--protocol", "korean"), "are left to search with"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    run, words: tuple[object, ...], message: str, tmp_path: Path, capsys
) -> None:
    assert run(*words) == 1
    told = capsys.readouterr().err
    assert message in told and "Traceback" not in told
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
@pytest.mark.parametrize("words", [("--runs", "/proc"), ("--storage", "sqlite:////proc/a")])
def test_a_place_that_takes_no_file_is_told_before_features_are_computed(
    places: list[str], words: tuple[str, ...], monkeypatch, capsys
) -> None:
    monkeypatch.setattr("training.search.commands.features_here", lambda *_: pytest.fail("late"))
    assert main(["search", "svm", "--trials", "1", *LOSO, *places, *words]) == 1
    assert "/proc/" in capsys.readouterr().err


@pytest.mark.parametrize("words", [(), ("--trials", "0"), ("--trials", "1", "--pruner", "x")])
def test_a_search_without_trials_is_told(run, words: tuple[str, ...], capsys) -> None:
    with pytest.raises(SystemExit):
        run("svm", *words)
    assert "--trials" in capsys.readouterr().err


def test_a_study_of_another_network_corpus_or_features_is_told(run, capsys) -> None:
    assert run("svm", *LOSO, "--trials", 1, "--study", "mine") == 0
    for words, message in (
        (("cnn5-1d", *LOSO), "network is 'svm', asked 'cnn5-1d'"),
        (("svm", *LOSO[:2], "--features", "mel"), "features is"),
        (("svm", *LOSO, "--fold", 2), "protocol is 'ravdess-loso, fold 1', asked"),
        (("svm", *LOSO, "--seed", 1), "seed is '0', asked '1'"),
    ):
        assert run(*words, "--trials", 1, "--study", "mine") == 1
        told = capsys.readouterr().err
        assert message in told and "another --study NAME" in told


def test_a_broken_study_is_told_and_kept(run, tmp_path: Path, capsys) -> None:
    path = tmp_path / "runs/search" / STUDY / "study.sqlite"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"broken" * 99)
    assert run("svm", *LOSO, "--trials", 1) == 1
    assert "move it away, or give another --storage" in capsys.readouterr().err
    assert path.read_bytes() == b"broken" * 99
    assert [x.name for x in path.parent.iterdir()] == ["study.sqlite"]


def test_a_corpus_of_one_speaker_is_told(home: Path, tmp_path: Path, capsys) -> None:
    corpus = tmp_path / "corpora" / "korean-emotional"
    corpus.mkdir(parents=True)
    source = home / "corpora" / "korean-emotional"
    (corpus / KOREAN[0]).symlink_to(source / KOREAN[0])
    lines = (source / "manifest.csv").read_text().splitlines()
    own = [line for line in lines if not line.startswith(KOREAN[1])]
    (corpus / "manifest.csv").write_text("\n".join(own) + "\n")
    words = ("search", "svm", "--trials", "1", "--protocol", "korean-loso", "--features", "mfcc")
    assert main([*words, "--corpora", str(corpus.parent), "--runs", str(tmp_path / "runs")]) == 1
    assert "two speakers or more" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_study_that_breaks_meanwhile_is_told(run, tmp_path: Path, monkeypatch, capsys) -> None:
    path = tmp_path / "runs/search" / STUDY / "study.sqlite"
    go_on = trials.go_on

    def broken(study, search, n: int, shared: bool) -> None:
        with sqlite3.connect(path) as file:
            file.execute("DROP TABLE trials")
        file.close()
        go_on(study, search, n, shared)

    monkeypatch.setattr("training.search.commands.go_on", broken)
    assert run("svm", *LOSO, "--trials", 1) == 1
    assert "the storage fails (no such table: trials)" in capsys.readouterr().err
