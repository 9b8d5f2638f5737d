"""`python -m training evaluate` on loose recordings, and on classes that a network never learnt."""

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import emotion_model
from tests.training.made_corpora import record
from tests.training.made_recognizer import untrained
from training.__main__ import main
from training.corpora import SHIPPED
from utils.emotion.judgement import Judgement

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A small network that names whatever is likeliest."""
    return saved(tmp_path)


def saved(folder: Path, **facts: object) -> Path:
    recognizer = untrained()
    zero = dict.fromkeys(SHIPPED, 0.0)
    one = dict.fromkeys(SHIPPED, 1.0)
    recognizer.judgement = recognizer.unaided = Judgement(1.5, one, zero)
    recognizer.facts |= facts
    recognizer.save(folder / "weights.pt")
    return folder / "weights.pt"


def evaluate(what: object, weights: Path, *more: object) -> int:
    runs = weights.parent / "runs"
    return main(
        ["evaluate", str(what), "--weights", str(weights), "--runs", str(runs), *map(str, more)]
    )


def found(folder: Path, name: str, file: str) -> Path:
    """The only file of that kind that was left of what was tested by a checkpoint."""
    (path,) = (folder / "runs").glob(f"evaluate-{name}-*/{file}")
    return path


def test_recordings_without_labels_have_no_accuracy(weights: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "talks"
    for seed in range(4):
        record(folder / f"talk{seed}.wav", seed)
    assert evaluate(folder, weights) == 0
    said = capsys.readouterr().out
    assert f"4 of 4 recordings in {folder}, by weights.pt" in said
    assert "4 without a label: no label in the name" in said and "No accuracy" in said
    assert "UAR" not in said and "recall" not in said
    with found(tmp_path, "talks-weights", "answers.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).name for row in rows] == [f"talk{k}.wav" for k in range(4)]
    named = Counter(row["named"] for row in rows)
    for row in rows:
        assert row["label"] == ""
        scores = {label: float(row[label]) for label in SHIPPED}
        assert sum(scores.values()) == pytest.approx(1, abs=1e-3)
        assert row["named"] in ("", max(scores, key=scores.__getitem__))
    for label, n in named.items():
        (line,) = (x for x in said.splitlines() if x.startswith(label or "nothing, unsure"))
        assert f"{n} ({25 * n} %)" in line


def test_each_checkpoint_and_each_folder_has_answers_of_its_own(
    weights: Path, tmp_path: Path, capsys
) -> None:
    talks, others = tmp_path / "talks", tmp_path / "others/talks"
    record(talks / "happy.wav", 0)
    record(others / "sad.wav", 1)
    mine, again = tmp_path / "mine.pt", tmp_path / "again/mine.pt"
    again.parent.mkdir()
    for copy in (mine, again):
        copy.write_bytes(weights.read_bytes())
    runs = str(tmp_path / "runs")
    for folder, by in ((talks, weights), (talks, mine), (talks, again), (others, mine)):
        for _ in range(2):
            assert main(["evaluate", str(folder), "--weights", str(by), "--runs", runs]) == 0
    assert "each of them: " in capsys.readouterr().out
    names = Counter(path.name.rpartition("-")[0] for path in (tmp_path / "runs").iterdir())
    assert names == {"evaluate-talks-weights": 1, "evaluate-talks-mine": 3}
    for name in ("answers.csv", "report.json"):
        assert len(list((tmp_path / "runs").glob(f"*/{name}"))) == 4


def test_a_name_that_is_no_utf_8_stands_in_the_answers(weights: Path, tmp_path: Path) -> None:
    record(tmp_path / "talks/talk.wav", 0)
    (tmp_path / "talks/talk.wav").rename(tmp_path / "talks/talk\udcff.wav")
    assert evaluate(tmp_path / "talks", weights) == 0
    with found(tmp_path, "talks-weights", "answers.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert Path(row["path"]).name == r"talk\udcff.wav"


def test_what_names_tell_is_judged_and_what_is_broken_is_named(tmp_path: Path, capsys) -> None:
    weights = saved(tmp_path, speakers=["ravdess-01"], classes=["happy", "sad", "angry"])
    folder = tmp_path / "mine"
    names = ("happy_1", "happy_2", "sad_1", "angry_1", "fear_1", "what")
    for seed, name in enumerate((*names, "03-01-05-02-01-02-01")):
        record(folder / f"{name}.wav", seed)
    (folder / "empty.wav").touch()
    (folder / "sad_broken.wav").write_text("no sound")
    assert evaluate(folder, weights) == 0
    said, told = capsys.readouterr()
    assert "7 of 9 recordings" in said
    for name in ("empty.wav", "sad_broken.wav"):
        assert f"left out: {folder / name}: " in said + told
    assert "left out of what is judged: 1 by voices that it trained on" in said
    assert (
        "left out of what is judged: fear (1); the network learnt happy, sad, angry alone" in said
    )
    report = json.loads(found(tmp_path, "mine-weights", "report.json").read_text())
    assert {k: c["answers"] for k, c in report["classes"].items()} == {
        "happy": 2,
        "sad": 1,
        "angry": 1,
    }
    recalls = [c["recall"] for c in report["classes"].values()]
    uar = report["overall"]["uar"]["mean"]
    assert uar == pytest.approx(sum(recalls) / 3, abs=1e-3)
    assert f"UAR {100 * uar:.1f} %, ECE" in said and "±" not in said


def test_folders_with_nothing_to_hear_are_told(weights: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "nothing"
    folder.mkdir()
    assert evaluate(folder, weights) == 1
    assert f"{folder}: holds no recordings" in capsys.readouterr().err
    (folder / "empty.wav").touch()
    assert evaluate(folder, weights) == 1
    assert f"{folder}: none of 1 recording can be heard" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    assert evaluate(folder / "empty.wav", weights) == 1
    assert "empty.wav: is one file; give a folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        evaluate("", weights)
    assert "CORPUS|FOLDER: it is empty; give a name" in capsys.readouterr().err
    assert evaluate(tmp_path / "gone", weights) == 1
    assert "no such folder" in capsys.readouterr().err
    assert evaluate("savee", weights) == 1
    assert "savee: give --corpora DIR too" in capsys.readouterr().err
    assert evaluate("esc10", weights, "--corpora", tmp_path) == 1
    assert "esc10: no corpus of that name, expected one of ravdess" in capsys.readouterr().err


@pytest.mark.parametrize("facts", [{"classes": ["sad", "happy"]}, {"corpora": ["thai-ser"]}])
def test_classes_that_were_never_learnt_do_not_count(
    facts: dict, home: Path, tmp_path: Path, capsys
) -> None:
    weights = saved(tmp_path, **facts)
    assert evaluate("emodb", weights, "--corpora", home / "corpora", "--cache", home / "cache") == 0
    said = capsys.readouterr().out
    known = ("neutral", "happy", "sad", "angry") if "corpora" in facts else ("happy", "sad")
    assert f"the network learnt {', '.join(known)} alone" in said
    assert "fear (2)" in said and "±" not in said
    report = json.loads(found(tmp_path, "emodb-weights", "report.json").read_text())
    assert tuple(report["classes"]) == known
    assert report["overall"]["uar"]["mean"] == pytest.approx(
        sum(c["recall"] for c in report["classes"].values()) / len(known), abs=1e-3
    )


def test_stats_of_the_terminal_are_those_of_the_workshop(home: Path, tmp_path: Path) -> None:
    words = ["stats", saved(tmp_path), "--corpus", "emodb", "--corpora", home / "corpora"]
    program = Path(emotion_model.__file__)
    ended = subprocess.run(
        [sys.executable, program, *map(str, words)], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert "recall" in ended.stdout and list((tmp_path / "runs").glob("evaluate-*/report.json"))


def test_no_value_of_stats_is_taken_for_an_option(tmp_path: Path) -> None:
    words = ["stats", saved(tmp_path), "--corpus=--help", "--corpora", tmp_path]
    ended = subprocess.run(
        [sys.executable, emotion_model.__file__, *map(str, words)], capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "--help: no corpus of that name" in ended.stderr
