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

from emotion_model import EmotionRecognizer, ModelConfig
from tests.test_denoiser import random_denoiser
from tests.test_features import voice
from tests.test_network import network
from training import __main__ as program
from training import commands, evaluate, recipe, workshop
from training import train as train_module
from training.__main__ import main
from training.corpora import LABELS, SHIPPED, Clip
from training.denoise import DenoiseConfig
from training.predictions import CLEAN, READ_ALOUD, Predictions, join
from training.recipe import TrainConfig
from training.sounds import CONDITIONS, as_live
from utils.audio import SAMPLE_RATE, load
from utils.denoiser import Denoiser
from utils.errors import DataError
from utils.features import DEFAULT_CONFIG

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
    "command", [("extract",), ("crossval", "tess"), ("crossval", "tess", "--svm"), ("train",)],
    ids=" ".join,
)  # fmt: skip
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
    for fold in folds:
        assert set(os.listdir(fold)) == {"listener-1", "listener-2", "predictions.npz"}
        for listener in fold.glob("listener-*"):
            assert (listener / "state.pt").is_file()
            assert list(listener.glob("events.out.tfevents*"))
    out = capsys.readouterr().out
    assert out.index("tess, 7 classes") < out.index("tess, 6 classes")
    assert "UAR" in out


def test_an_interrupted_crossval_goes_on_with_what_is_not_done(
    run, tmp_path: Path, trained, no_report, monkeypatch, capsys
) -> None:
    steps = 0
    advance = train_module._Run.advance

    def until_interrupted(self) -> float:
        nonlocal steps
        if steps == 3 * FEW.steps + 3:  # in the second listener of the second fold
            raise KeyboardInterrupt
        steps += 1
        return advance(self)

    monkeypatch.setattr(train_module._Run, "advance", until_interrupted)
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
    config = ModelConfig(
        DEFAULT_CONFIG.n_features, len(SHIPPED), DEFAULT_CONFIG.n_mfcc, n_landmarks=8, hidden=8
    )
    weights = tmp_path / "weights.pt"
    recognizer = EmotionRecognizer(network(config), SHIPPED, random_denoiser())
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

    answers = write_answers(tmp_path / "answers.npz", right=(59, 60), read=read_aloud(1.0, 2))
    assert main(["calibrate", str(answers), "--weights", str(weights)]) == 0
    calibrated = EmotionRecognizer.load(weights)
    read = read_aloud(1.0, 2).restrict(SHIPPED)
    expected = commands.fit(commands.by_corpus([Predictions.load(answers)], SHIPPED), read)
    assert (calibrated.temperature, calibrated.threshold) == expected
    assert calibrated.facts["calibration"] == {"answers": 120, "target_precision": 0.95}
    assert set(calibrated.facts["judged"]) == {"ravdess", "tess"}
    assert calibrated.facts["read_aloud"] == commands.named(read, *expected)
    assert calibrated.facts["read_aloud"]["answers"] == len(read)
    assert calibrated.facts["judged"]["ravdess"]["coverage"] > 0
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
    answers = write_answers(tmp_path / "answers.npz", right=(40, 60))
    folder = tmp_path / "report"
    assert main(["report", str(answers), str(folder), "--corpus", "tess", "--shipped"]) == 0
    assert f"report in {folder}" in capsys.readouterr().out
    told = json.loads((folder / "report.json").read_text())
    assert told["tested"]["corpora"] == {"tess": 60}
    assert told["tested"]["labels"] == list(SHIPPED)
    assert main(["report", str(answers), str(folder), "--corpus", "savee"]) == 1
    assert "no answer to savee, found ravdess, tess" in capsys.readouterr().err


def write_answers(
    path: Path, right: tuple[int, int], condition: str = CLEAN, read: Predictions | None = None
) -> Path:
    """Answers to 60 clips of two corpora in turn, so many of which are right and all sure.

    Those to people who read aloud stand after them.
    """
    clips, logits = [], []
    for corpus, n_right in zip(("ravdess", "tess"), right):
        for k in range(60):
            label = LABELS.index(SHIPPED[k % 6])
            answer = label if k < n_right else (label + 1) % len(LABELS)
            clips.append(
                Clip(Path(f"{corpus}-{k}"), LABELS[label], f"{corpus}-{k % 4}", corpus, "en")
            )
            logits.append(6 * np.eye(len(LABELS))[answer])
    n = len(clips)
    fold = np.array([int(clip.speaker[-1]) for clip in clips])
    predictions = Predictions(
        LABELS, np.array(logits, np.float32), tuple(clips), fold,
        np.zeros(n, int), np.ones(n), np.full(n, condition),
    )  # fmt: skip
    join([predictions] if read is None else [predictions, read]).save(path)
    return path


def read_aloud(sure: float, n_named: int, n: int = 100) -> Predictions:
    """Answers to readers, all with a logit of `sure`; so many name an emotion."""
    clips = tuple(
        Clip(Path(f"read-{k}"), "neutral", f"librispeech-{k % 4}", "librispeech", "en")
        for k in range(n)
    )
    answer = np.where(np.arange(n) < n_named, LABELS.index("sad"), LABELS.index("neutral"))
    logits = sure * np.eye(len(LABELS), dtype=np.float32)[answer]
    return Predictions(
        LABELS, logits, clips, np.arange(n) % 4, np.zeros(n, int), np.ones(n),
        np.full(n, READ_ALOUD),
    )  # fmt: skip


def test_the_threshold_is_that_of_the_corpus_that_needs_the_highest(tmp_path: Path) -> None:
    good, mixed = (
        commands.by_corpus(
            [Predictions.load(write_answers(tmp_path / f"{n}.npz", right=(60, n)))], SHIPPED
        )
        for n in (60, 30)
    )
    nobody = read_aloud(0.0, 0, n=0)
    highest = commands.fit(mixed, nobody)[1]
    assert commands.fit(good, nobody)[1] < highest
    assert commands.fit(dict(reversed(mixed.items())), nobody)[1] == highest


def test_the_threshold_keeps_readers_quiet_and_leaves_the_temperature(tmp_path: Path) -> None:
    cleans = commands.by_corpus(
        [Predictions.load(write_answers(tmp_path / "a.npz", right=(59, 60)))], SHIPPED
    )
    temperature, threshold = commands.fit(cleans, read_aloud(0.0, 0, n=0))
    sure = temperature * 4.0
    neutral, few, many = (read_aloud(sure, n).restrict(SHIPPED) for n in (0, 1, 30))
    confidence = evaluate.softmax(few.logits / temperature).max()
    assert confidence > threshold
    for read in (neutral, few):
        assert commands.fit(cleans, read) == (temperature, threshold)
    found, quiet = commands.fit(cleans, many)
    assert found == temperature
    assert confidence < quiet <= confidence + 0.01
    assert commands.named(many, found, quiet) == {"answers": 100}
    shy = read_aloud(0.1 * temperature, 30).restrict(SHIPPED)  # often named, but never surely
    assert commands.fit(cleans, shy) == (temperature, threshold)


def test_who_reads_is_named_by_the_share_of_sure_answers() -> None:
    read = join([read_aloud(6.0, 10), read_aloud(0.5, 40)])
    assert commands.named(read, 1.0, 0.9) == {"answers": 200, "neutral": 0.45, "sad": 0.05}
    assert commands.named(read, 1.0, 0.0) == {"answers": 200, "neutral": 0.75, "sad": 0.25}
    assert commands.named(read, 20.0, 0.9) == {"answers": 200}


def test_where_nobody_reads_nobody_is_named() -> None:
    nobody = read_aloud(0.0, 0, n=0).restrict(SHIPPED)
    assert commands.named(nobody, 1.0, 0.5) == {"answers": 0}


def test_answers_to_nothing_as_recorded_calibrate_nothing(tmp_path: Path) -> None:
    room = Predictions.load(write_answers(tmp_path / "a.npz", right=(60, 60), condition="room"))
    with pytest.raises(DataError, match="no answer to a clip as recorded of neutral, "):
        commands.by_corpus([room], SHIPPED)


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
        ["crossval", "tess"], ["train", "--weights", made], ["denoiser", "--denoiser", made]
    ):  # fmt: skip
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
    assert main(["evaluate", "tess", "--corpora", str(tmp_path),
                 "--weights", str(tmp_path / "gone.pt")]) == 1  # fmt: skip
    assert f"{tmp_path / 'gone.pt'}: no such file" in capsys.readouterr().err
