"""Every command of `python -m training`, on small corpora of real files."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emotion_model import EmotionRecognizer
from tests.emotion.test_denoiser import random_denoiser
from tests.emotion.test_features import voice
from tests.training.test_calibrate import EACH, answers, read_aloud, untrained
from training import __main__ as program
from training import commands
from training.__main__ import main
from training.corpora import LABELS, SHIPPED
from training.emotion import config as recipe
from training.emotion import workshop
from training.emotion.calibrate import summary
from training.emotion.config import TrainConfig
from training.emotion.predictions import READ_ALOUD, Predictions, join
from training.run import Run
from training.sound.conditions import CONDITIONS, as_live
from training.sound.denoiser import DenoiseConfig
from utils.audio import SAMPLE_RATE, load
from utils.emotion.denoiser import Denoiser

FEW = TrainConfig(listeners=2, steps=4, batch_size=8, every=2)
SHORT = DenoiseConfig(steps=4, batch_size=4, longest=40, every=2)
ACTORS, POLISH, KOREAN = range(1, 6), ("AO0", "WR0"), ("ema", "nea")
N_CLIPS = {"ravdess": 40, "tess": 14, "nemo-polish": 12, "korean-emotional": 8}
READERS = ("1272-128104", "1462-170138", "84-121123")  # the second is heard in no training
N_READ = 2  # recordings of each


def record(path: Path, seed: int, duration_s: float = 0.7) -> None:
    """Something like a vowel; another seed, another pitch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, voice(duration_s, 100 + 9 * (seed % 17), seed), SAMPLE_RATE)


def record_all(folder: Path) -> None:
    """All four corpora, the noise and the readers, laid out as their makers published them."""
    names = [
        f"ravdess/Actor_{actor:02d}/03-01-{emotion:02d}-01-01-01-{actor:02d}.wav"
        for actor in ACTORS
        for emotion in range(1, 9)
    ]
    said = ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
    names += [f"tess/{who}_{e}/{who}_back_{e}.wav" for who in ("OAF", "YAF") for e in said]
    felt = ("anger", "fear", "happiness", "neutral", "sadness", "surprised")
    names += [f"nemo-polish/samples/{who}_{e}_1.wav" for who in POLISH for e in felt]
    spoken = {"00001": "neutral", "00101": "happy", "00201": "angry", "00301": "sad"}
    names += [f"korean-emotional/{who}/{who}{n}.wav" for who in KOREAN for n in spoken]
    for seed, name in enumerate(names):
        record(folder / "corpora" / name, seed)
    for seed, name in enumerate(("rain/1-17367-A.wav", "rooster/5-1-B.wav")):
        record(folder / "noise" / "esc10" / name, seed, duration_s=1.5)
    for seed, name in enumerate(f"{who}-{k:04d}.flac" for who in READERS for k in range(N_READ)):
        record(folder / "speech" / "librispeech-dev-clean" / name, seed, duration_s=1.0)
    rows = [f"{who}_{e}_1\t{e}\t{who}\tmale" for who in POLISH for e in felt]
    table(folder / "corpora/nemo-polish/data.tsv", "file_id\temotion\tspeaker_id\tgender", *rows)
    rows = [f"{who}/{who}{n}.wav,{e},{who}" for who in KOREAN for n, e in spoken.items()]
    table(folder / "corpora/korean-emotional/manifest.csv", "path,emotion,speaker_id", *rows)


def table(path: Path, *lines: str) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Corpora, and the features that the first tests compute and the others find."""
    home = tmp_path_factory.mktemp("home")
    record_all(home)
    return home


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TrainConfig", lambda: FEW)
    monkeypatch.setattr(commands, "DenoiseConfig", lambda: SHORT)
    monkeypatch.setattr(commands, "N_BACKGROUNDS", 5)
    monkeypatch.setattr(workshop, "N_VOICELESS", 6)
    monkeypatch.setattr(recipe, "VARIANTS", 2)
    monkeypatch.setattr(recipe, "FEWER_VARIANTS", {})


@pytest.fixture(autouse=True)
def at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a denoiser that leaves frames as they are, which commands take unless told."""
    path = tmp_path / "at hand.pt"
    torch.manual_seed(0)
    Denoiser().save(path)
    monkeypatch.setattr(program, "SHIPPED", path)
    return path


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


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what takes longest here."""
    monkeypatch.setattr(commands, "_report", lambda *_: None)


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
    assert f"{sum(N_CLIPS.values())} recordings are ready in {home / 'cache'}" in (
        capsys.readouterr().out
    )
    shards = sorted(os.listdir(home / "cache"))
    assert run("extract") == 0
    assert sorted(os.listdir(home / "cache")) == shards


# --- denoiser


def test_the_denoiser_learns_from_every_other_reader(
    run, home: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    told: list[tuple[int, int]] = []
    learn = commands.train_denoiser

    def counted(speech, noises, *rest) -> Denoiser:
        told.append((len(speech), len(noises)))
        return learn(speech, noises, *rest)

    monkeypatch.setattr(commands, "train_denoiser", counted)
    path = tmp_path / "new" / "denoiser.pt"
    assert run("denoiser", "--denoiser", path) == 0
    assert told == [(2 * N_READ, commands.N_BACKGROUNDS)]
    out = capsys.readouterr().out
    assert "unheard readers, clean: 0.0 dB off before" in out
    assert "unheard readers, noise 10 dB: " in out
    assert os.listdir(tmp_path / "runs" / "denoiser") == ["state.pt"]
    made = Denoiser.load(path)
    assert made.identity() != Denoiser.load(program.SHIPPED).identity()

    path.unlink()
    assert run("denoiser", "--denoiser", path) == 0  # from the state of the last step
    assert Denoiser.load(path).identity() == made.identity()
    assert run("extract", "--denoiser", path) == 0


def test_an_interrupted_denoiser_goes_on(run, tmp_path: Path, monkeypatch, capsys) -> None:
    steps: list[int] = []
    learn = commands.train_denoiser

    def watched(speech, noises, config, folder, progress) -> Denoiser:
        def until_interrupted(step: int, off: float) -> None:
            steps.append(step)
            progress(step, off)
            if len(steps) == 3:
                raise KeyboardInterrupt

        return learn(speech, noises, config, folder, until_interrupted)

    monkeypatch.setattr(commands, "train_denoiser", watched)
    path = tmp_path / "denoiser.pt"
    assert run("denoiser", "--denoiser", path) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert not path.exists()
    assert run("denoiser", "--denoiser", path) == 0
    assert steps == [1, 2, 3, 3, 4]
    assert path.is_file()


@pytest.mark.parametrize(
    "command",
    [("extract",), ("crossval", "tess"), ("crossval", "tess", "--svm"), ("train",)],
    ids=" ".join,
)
def test_a_missing_denoiser_is_named_with_the_remedy(
    command: tuple[str, ...], home: Path, tmp_path: Path, capsys
) -> None:
    gone = tmp_path / "gone.pt"
    places = ["--corpora", str(home / "corpora"), "--cache", str(tmp_path / "c")]
    assert main([*command, *places, "--denoiser", str(gone)]) == 1
    message = capsys.readouterr().err
    assert f"{gone}: no such file; `python -m training denoiser` makes it" in message
    assert not (tmp_path / "c").exists()


def test_features_of_another_denoiser_are_computed_anew(run, home: Path, tmp_path: Path) -> None:
    assert run("extract") == 0
    before = set(os.listdir(home / "cache"))
    random_denoiser().save(tmp_path / "other.pt")
    assert run("extract", "--denoiser", tmp_path / "other.pt") == 0
    after = set(os.listdir(home / "cache"))
    assert before < after
    assert run("extract") == 0
    assert set(os.listdir(home / "cache")) == after


# --- crossval


def reports_of(folder: Path) -> dict[str, dict]:
    return {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/report.json")}


def test_crossval_tests_every_voice_and_reports(run, tmp_path: Path, trained, capsys) -> None:
    assert run("crossval", "tess", "--seeds", 2) == 0
    folder = tmp_path / "runs" / "tess"
    assert trained == [f"tess, seed {seed}, fold {fold}" for seed in (0, 1) for fold in (1, 2)]
    found = Predictions.load(folder / "predictions.npz")
    assert found.labels == LABELS
    of_readers = found.condition == READ_ALOUD
    assert of_readers.sum() == 4 * N_READ
    assert set(found.only(of_readers).column("speaker")) == {"librispeech-1462"}
    assert set(found.fold[of_readers]) == {1, 2} and set(found.seed[of_readers]) == {0, 1}
    acted = found.only(~of_readers)
    assert len(acted) == 2 * N_CLIPS["tess"] * len(CONDITIONS)
    for fold, speaker in ((1, "tess-OAF"), (2, "tess-YAF")):
        assert set(acted.only(acted.fold == fold).column("speaker")) == {speaker}
    assert set(acted.condition) == set(CONDITIONS)
    assert (found.duration_s > 0.5).all()
    reports = reports_of(folder)
    assert set(reports) == {"report-tess-7", "report-tess-6"}
    assert set(reports["report-tess-6"]["tested"]["labels"]) == set(SHIPPED)
    assert reports["report-tess-7"]["tested"]["seeds"] == [0, 1]
    assert reports["report-tess-7"]["tested"]["conditions"] == list(CONDITIONS)
    folds = [path for path in folder.iterdir() if "-fold" in path.name]
    assert len(folds) == 4
    for part in folds:
        assert set(os.listdir(part)) == {"listener-1", "listener-2", "predictions.npz"}
        for listener in part.glob("listener-*"):
            assert (listener / "state.pt").is_file()
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
    trained.clear()
    assert run("crossval", "tess", "--seeds", 1) == 0
    assert trained == ["tess, seed 0, fold 1"]
    again = Predictions.load(folder / "predictions.npz")
    np.testing.assert_array_equal(again.logits, whole.logits)


def test_another_recipe_is_trained_anew(run, trained, no_report, monkeypatch) -> None:
    assert run("crossval", "tess", "--seeds", 1) == 0
    monkeypatch.setattr(commands, "TrainConfig", lambda: TrainConfig(1, steps=2, batch_size=8))
    trained.clear()
    assert run("crossval", "tess", "--seeds", 1) == 0
    assert len(trained) == 2


def test_another_denoiser_is_another_recipe(
    run, tmp_path: Path, trained, no_report, monkeypatch
) -> None:
    monkeypatch.setattr(commands, "TrainConfig", lambda: TrainConfig(1, steps=2, batch_size=8))
    random_denoiser().save(tmp_path / "other.pt")
    folder = tmp_path / "runs" / "tess"
    found = []
    for options in ((), ("--denoiser", tmp_path / "other.pt"), ()):
        assert run("crossval", "tess", "--seeds", 1, *options) == 0
        found.append(Predictions.load(folder / "predictions.npz").logits)
    assert len(trained) == 2 * 2  # the third finds what the first left
    assert len(list(folder.glob("*-fold*"))) == 2 * 2
    assert not np.allclose(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


# --- train, calibrate, evaluate, report


def test_the_state_of_a_training_is_not_taken_by_another_denoiser(
    run, tmp_path: Path, monkeypatch, caplog
) -> None:
    """Nor is a denoiser that was made while a network trained kept beside that network."""
    caplog.set_level(logging.INFO)
    other, weights = tmp_path / "other.pt", tmp_path / "weights.pt"
    random_denoiser(1).save(other)
    assert run("train", "--weights", weights) == 0
    assert "of another recipe" not in caplog.text
    of_the_workshop = workshop.Workshop.train

    def train(*given):
        random_denoiser(2).save(other)
        return of_the_workshop(*given)

    monkeypatch.setattr(workshop.Workshop, "train", train)
    assert run("train", "--weights", weights, "--denoiser", other) == 0
    assert caplog.text.count("of another recipe") == FEW.listeners
    heard_through = EmotionRecognizer.load(weights).denoiser
    assert heard_through.identity() == random_denoiser(1).identity()


def test_a_checkpoint_is_tested_with_its_own_denoiser(
    run, home: Path, tmp_path: Path, at_hand: Path, monkeypatch
) -> None:
    weights = tmp_path / "weights.pt"
    recognizer = untrained()
    recognizer.save(weights)
    at_hand.unlink()
    heard: list[np.ndarray] = []
    answer = commands.logits

    def spy(model, arrays: list[np.ndarray]) -> np.ndarray:
        heard.extend(arrays)
        return answer(model, arrays)

    monkeypatch.setattr(commands, "logits", spy)
    assert run("evaluate", "nemo-polish", "--weights", weights) == 0
    (told,) = reports_of(tmp_path / "runs").values()
    assert told["tested"]["clips"] == len(heard)
    sounds = sorted((home / "corpora/nemo-polish/samples").glob("*.wav"))
    live = [recognizer.frames(as_live(load(path))) for path in sounds]
    for found in heard:
        alike = [a for a in live if len(a) == len(found)]
        assert min(np.abs(a - found).max() for a in alike) < 0.3


def test_from_training_to_a_calibrated_checkpoint(
    run, home, tmp_path: Path, at_hand: Path, capsys
) -> None:
    weights = tmp_path / "new" / "weights.pt"
    assert run("train", "--weights", weights, "--seed", 3) == 0
    assert f"{weights}: " in capsys.readouterr().out
    recognizer = EmotionRecognizer.load(weights)
    assert recognizer.labels == SHIPPED
    heard_through = recognizer.denoiser.identity()
    assert heard_through == Denoiser.load(at_hand).identity()
    assert (recognizer.temperature, recognizer.facts["seed"]) == (1.0, 3)
    assert recognizer.facts["corpora"] == sorted(N_CLIPS)
    speakers = recognizer.facts["speakers"]
    assert len(speakers) == len(ACTORS) + 2 + len(POLISH) + len(KOREAN)
    assert recognizer.facts["recipe"]["steps"] == FEW.steps
    assert recognizer.model.config.n_listeners == FEW.listeners
    assert recognizer.model.config.n_landmarks > 0
    for k in range(FEW.listeners):
        assert (tmp_path / "runs" / "train-3" / f"listener-{k + 1}" / "state.pt").is_file()

    assert run("evaluate", "tess", "--weights", weights) == 1
    message = capsys.readouterr().err
    assert f"{weights} trained on every speaker of tess" in message
    assert "crossval" in message

    voices, nemo = tmp_path / "voices.npz", tmp_path / "nemo.npz"
    heard = [answers(corpus, n_folds=4) for corpus in ("ravdess", "tess")]
    join([*heard, read_aloud(1.0, 2)]).save(voices)
    answers("nemo-polish", {"sad": 15}).save(nemo)
    command = ["calibrate", str(voices), "--weights", str(weights)]
    assert main(command) == 0
    before = EmotionRecognizer.load(weights)
    assert set(before.facts["judged"]) == {"ravdess", "tess"}
    assert before.facts["judged"]["ravdess"]["coverage"] > 0
    assert before.facts["unheard_language"] == {}
    assert before.facts["read_aloud"]["answers"] == 100

    capsys.readouterr()
    assert main([*command, "--unheard", str(nemo)]) == 0
    calibrated = EmotionRecognizer.load(weights)
    assert capsys.readouterr().out == f"{weights}: {summary(calibrated)}\n"
    assert calibrated.temperature == before.temperature != 1
    assert calibrated.thresholds["sad"] > before.thresholds["sad"]
    assert calibrated.thresholds | {"sad": 0} == before.thresholds | {"sad": 0}
    assert set(calibrated.facts["unheard_language"]) == {"nemo-polish"}
    assert calibrated.facts["speakers"] == speakers
    assert calibrated.denoiser.identity() == heard_through
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
    assert told["calibration"]["most"] == pytest.approx(calibrated.temperature, abs=1e-3)


def test_the_larger_feature_set_stands_apart(run, tmp_path: Path) -> None:
    weights = tmp_path / "weights.pt"
    assert run("train", "--weights", weights, "--extended") == 0
    recognizer = EmotionRecognizer.load(weights)
    assert recognizer.feature_config.extended
    assert sum(recognizer.scores(voice(1.0)).values()) == pytest.approx(1)
    assert (tmp_path / "runs" / "train-0-extended" / "listener-1" / "state.pt").is_file()


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


def test_a_language_that_some_folds_heard_leaves_the_checkpoint_as_it_was(
    tmp_path: Path, capsys
) -> None:
    weights, voices, heard = (tmp_path / name for name in ("w.pt", "voices.npz", "heard.npz"))
    untrained().save(weights)
    answers("tess", n_folds=4).save(voices)
    answers("nemo-polish", n_folds=4).save(heard)
    before = weights.read_bytes()
    command = ["calibrate", str(voices), "--unheard", str(heard), "--weights", str(weights)]
    assert main(command) == 1
    assert "several folds to nemo-polish, whose language is said to be" in capsys.readouterr().err
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
    [("denoiser",), ("extract",), ("crossval", "tess"), ("crossval", "tess", "--svm"), ("train",)],
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


def test_a_denoiser_of_one_reader_could_not_be_tested(home: Path, tmp_path: Path, capsys) -> None:
    for name in ("corpora", "noise"):
        (tmp_path / name).symlink_to(home / name)
    read = tmp_path / "speech" / "librispeech-dev-clean"
    record(read / f"{READERS[0]}-0000.flac", seed=0)
    places = ["--corpora", str(tmp_path / "corpora"), "--cache", str(tmp_path / "c")]
    assert main(["denoiser", *places, "--denoiser", str(tmp_path / "denoiser.pt")]) == 1
    assert f"{read}: 1 reader, expected two or more" in capsys.readouterr().err
    assert not (tmp_path / "c").exists() and not (tmp_path / "denoiser.pt").exists()


def test_noise_lies_beside_the_corpora_wherever_they_are_named_from(
    run, home: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(home / "corpora" / "tess")
    assert main(["extract", "--corpora", "..", "--cache", str(home / "cache")]) == 0
    assert "recordings are ready" in capsys.readouterr().out


def test_places_that_cannot_be_written_are_named(home: Path, tmp_path: Path, capsys) -> None:
    file = tmp_path / "file"
    file.write_text("")
    places = ["--corpora", str(home / "corpora"), "--cache", str(home / "cache")]
    made = str(tmp_path / "made.pt")
    for command in (
        ["crossval", "tess"],
        ["train", "--weights", made],
        ["denoiser", "--denoiser", made],
    ):
        assert main([*command, *places, "--runs", str(file)]) == 1
        assert f"{file}/" in (message := capsys.readouterr().err)
        assert "cannot be made" in message and "--runs" in message
    weights = file / "w.pt"
    assert main(["train", *places, "--runs", str(tmp_path), "--weights", str(weights)]) == 1
    assert f"{weights}: cannot be written" in capsys.readouterr().err
    assert main(["denoiser", *places, "--runs", str(tmp_path), "--denoiser", str(weights)]) == 1
    assert f"{weights}: cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "COMMAND"),
        (("guess",), "invalid choice: 'guess'"),
        (("crossval", "all", "--corpora", "x"), "invalid choice: 'all'"),
        (("crossval", "tess"), "--corpora"),
        (("crossval", "tess", "--corpora", "x", "--seeds", "0"), "'0', expected a whole number"),
        (("train", "--corpora", "x", "--seed", "-1"), "--seed"),
        (("evaluate", "esc10", "--corpora", "x"), "invalid choice: 'esc10'"),
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
    ["corpora", "denoiser", "extract", "crossval", "train", "calibrate", "evaluate", "report"],
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
