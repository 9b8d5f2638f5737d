"""Commands of `python -m training` on other networks and on features, on small real corpora."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas
import pytest
import soundfile
import torch

from emotion_model import EmotionRecognizer
from tests.emotion.small_encoder import small_encoder
from tests.training.made_corpora import ACTORS, KOREAN, N_CLIPS
from training import commands
from training.__main__ import main
from training.corpora import SHIPPED
from training.emotion.predictions import CLEAN, Predictions
from training.features.table import load
from training.run import Run
from training.sound.cache import FeatureCache
from training.sound.conditions import CONDITIONS
from utils.emotion.spectra import SpectraConfig

pytestmark = pytest.mark.usefixtures("here")
QUICK = ("--features", "mfcc", "--epochs", 2, "--batch", 8, "--segment", 0.5)
QUICKLY = "-mfcc-epochs2-batch8-segment0.5"  # in the names of its folders
MEL = ("--features", "mel", "--out", "mel.npz")
SPEECH = Path(__file__).parents[1] / "data" / "speech.flac"


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Callable[..., int]:
    def run(command: str, *arguments: object) -> int:
        places: list[object] = []
        if command in ("corpora", "extract", "crossval", "train", "evaluate"):
            places += ["--corpora", home / "corpora"]
        if command in ("extract", "crossval", "train", "evaluate"):
            places += ["--cache", home / "cache"]
        if command in ("crossval", "train", "evaluate", "results"):
            places += ["--runs", tmp_path / "runs"]
        return main([command, *map(str, [*arguments, *places])])

    return run


def pictures(folder: Path) -> dict[str, tuple[int, ...]]:
    """Height and width of each PNG, none of which is blank."""
    found = {}
    for path in folder.glob("*.png"):
        image = matplotlib.image.imread(path)
        assert image[..., :3].std() > 0.01
        found[path.name] = image.shape[:2]
    return found


# --- features


def test_means_are_written_for_pandas(run, tmp_path: Path, capsys) -> None:
    out = tmp_path / "means.csv"
    kind = "mfcc+chroma+mel"
    assert run("extract", "--features", kind, "--out", out, "--only", "tess", "emodb") == 0
    frame = pandas.read_csv(out)
    n = N_CLIPS["tess"] + N_CLIPS["emodb"]
    assert len(frame) == n and f"{n} x 180 values of {n} recordings" in capsys.readouterr().out
    assert list(frame.columns[-180:]) == list(SpectraConfig(kind).columns)
    assert set(frame.corpus) == {"tess", "emodb"} and frame.label.notna().all()


def test_frames_of_the_encoder_are_written(run, tmp_path: Path) -> None:
    out = tmp_path / "frames.csv"
    options = ("--only", "korean-emotional", "--form", "frames", "--out", out)
    assert run("extract", "--features", "encoder", *options) == 0
    found = load(out)
    assert len(set(found.clips)) == N_CLIPS["korean-emotional"] < len(found)
    assert found.columns[-1] == f"encoder_{small_encoder().width}"
    assert found.start_s[:3].tolist() == [0, 0.08, 0.16]
    assert found.features == "encoder, frames"


@pytest.mark.parametrize("rate", [8000, 16000])
def test_segments_have_a_noisy_copy_beside_them(run, rate: int, tmp_path: Path) -> None:
    out = tmp_path / "segments.npz"
    options = ("--nfreq", 150, "--rate", rate, "--segment", 0.4, "--mixnoise", 5, "--only", "tess")
    asked = ("--features", "logspec", "--form", "segments", "--out", out)
    assert run("extract", *asked, *options) == 0
    found = load(out)
    assert found.values.shape[1:] == (150, 40)
    assert found.copy.tolist() == ["clean", "noisy"] * (len(found) // 2)
    clean, noisy = found.values[::2], found.values[1::2]
    assert 0.5 < np.abs(noisy - clean).mean() < 20
    assert found.clips[::2] == found.clips[1::2]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_as_image_networks_take_them(run, channels: int, tmp_path: Path) -> None:
    out = tmp_path / "images.npz"
    options = ("--form", "images", "--channels", channels, "--only", "korean-emotional")
    assert run("extract", "--features", "mfcc", "--out", out, *options) == 0
    found = load(out)
    channel = "1 channel" if channels == 1 else "3 channels"
    assert found.features == f"mfcc 16000 Hz, hop 10 ms, images of 3 s in {channel}"
    values = found.values
    assert values.shape == (N_CLIPS["korean-emotional"], channels, 224, 224)
    assert values.min() >= 0 and values.max() <= 1


def test_data_sets_are_merged(run, tmp_path: Path, capsys) -> None:
    one, two, both = (tmp_path / f"{name}.csv" for name in ("one", "two", "both"))
    assert run("extract", "--features", "mfcc", "--only", "ravdess", "--out", one) == 0
    assert run("extract", "--features", "mfcc", "--only", "emodb", "--out", two) == 0
    options = ("--map", "calm=neutral", "surprised=", "--min-clips", len(ACTORS) + 1)
    assert run("merge", one, two, "--out", both, *options) == 0
    out = capsys.readouterr().out
    assert f"neutral: {2 * len(ACTORS) + 2} recordings" in out
    frame = pandas.read_csv(both)
    assert "surprised" not in set(frame.label) and set(frame.corpus) == {"ravdess", "emodb"}
    assert run("merge", one, one, "--out", both) == 0  # named twice is given once


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ((), ("--form", "segments"), "mfcc 16000 Hz, hop 10 ms, segments of 3 s"),
        (
            ("--form", "segments"),
            ("--form", "segments", "--segment", "1"),
            "mfcc 16000 Hz, hop 10 ms, segments of 1 s",
        ),
        ((), ("--rate", "8000", "--hop", "20"), "mfcc 8000 Hz, hop 20 ms, mean"),
        (
            ("--mixnoise", "10"),
            ("--mixnoise", "5"),
            "mfcc 16000 Hz, hop 10 ms, mean, noisy copies at 5 dB",
        ),
    ],
)
def test_features_of_other_settings_are_not_merged(
    run, ours: tuple[str, ...], theirs: tuple[str, ...], told: str, tmp_path: Path, capsys
) -> None:
    one, two, both = (tmp_path / f"{name}.npz" for name in ("one", "two", "both"))
    asked = ("extract", "--features", "mfcc", "--only")
    assert run(*asked, "emodb", "--out", one, *ours) == 0
    assert run(*asked, "tess", "--out", two, *theirs) == 0
    assert run("merge", one, two, "--out", both) == 1
    assert f"{two} is of {told}; {one} of mfcc 16000 Hz, hop 10 ms" in capsys.readouterr().err
    assert not both.exists()


def test_features_of_a_recording_are_drawn(run, tmp_path: Path) -> None:
    out = tmp_path / "new" / "speech.png"
    assert run("plots", "features", SPEECH, "--out", out) == 0
    assert list(pictures(tmp_path / "new")) == ["speech.png"]


@pytest.mark.parametrize(
    ("n_samples", "message"), [(16_000, "silent; give"), (160, "at least 0.1")]
)
def test_a_recording_without_features_is_named(
    run, n_samples: int, message: str, tmp_path: Path, capsys
) -> None:
    path = tmp_path / "quiet.wav"
    soundfile.write(path, np.zeros(n_samples), 16_000)
    assert run("plots", "features", path, "--out", tmp_path / "quiet.png") == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{path}: ") and message in told and "microphone" not in told


def test_corpora_are_drawn(run, tmp_path: Path) -> None:
    assert run("corpora", "--plots", tmp_path / "pictures") == 0
    names = ("classes", "lengths", "levels", "speakers", "languages")
    assert set(pictures(tmp_path / "pictures")) == {f"{name}.png" for name in names}


# --- networks


@pytest.mark.parametrize("model", ["cnn5-1d", "cnn-lstm", "svm"])
def test_a_network_is_tested_on_unheard_voices(run, model: str, tmp_path: Path) -> None:
    options = QUICK if model != "svm" else QUICK[:2]
    assert run("crossval", "korean", "--seeds", 1, "--model", model, *options) == 0
    folder = tmp_path / "runs" / f"korean-{model}{'-mfcc' if model == 'svm' else QUICKLY}"
    found = Predictions.load(folder / "predictions.npz")
    assert set(found.condition) == set(CONDITIONS)
    clean = found.only(found.condition == CLEAN)
    assert len(clean) == N_CLIPS["korean-emotional"]
    assert {clip.speaker for clip in clean.clips} == {f"korean-emotional-{who}" for who in KOREAN}
    told = json.loads((folder / "run.json").read_text())
    assert (told["network"], told["features"]) == (model, "mfcc")
    assert (folder / "report-korean-emotional-4" / "report.md").is_file()
    for name in told["folds"]:
        facts = json.loads((folder / name / "facts.json").read_text())
        assert facts["parameters"] > 100 and facts["weights"] == "scratch"
        kept = {"facts.json", "predictions.npz"}
        if model != "svm":
            kept |= {"curves.png"}
        there = set(os.listdir(folder / name))
        assert kept <= there and "state.pt" not in there  # the weights of all folds fill a disk


def test_noisy_copies_are_learnt_from(run, home: Path, tmp_path: Path) -> None:
    options = (*QUICK, "--mixnoise", 10, "--stability", 2)
    name = QUICKLY.replace("-segment", "-mixnoise10-stability2-segment")
    assert run("crossval", "korean", "--seeds", 1, "--model", "cnn5-1d", *options) == 0
    assert (tmp_path / "runs" / f"korean-cnn5-1d{name}" / "predictions.npz").is_file()


def test_results_tell_what_is_finished_and_what_runs(
    run, tmp_path: Path, monkeypatch, capsys
) -> None:
    folder = tmp_path / "runs" / f"korean-cnn5-1d{QUICKLY}"
    learn = Run.learn

    def until_stopped(self, loss: torch.Tensor) -> float:
        if self.history and list(folder.glob("*-fold1/predictions.npz")):
            raise KeyboardInterrupt  # after the first look of the second fold
        return learn(self, loss)

    def at_once(self, loss: torch.Tensor) -> float:
        if self.history:
            raise KeyboardInterrupt
        return learn(self, loss)

    korean = ("crossval", "korean", "--seeds", 1, "--model")
    monkeypatch.setattr(Run, "learn", at_once)
    assert run(*korean, "cnn5-1d", *QUICK) == 130
    assert run("results") == 1
    assert (
        "\nkorean, cnn5-1d, mfcc, epochs 2, batch 8, segment 0.5: fold1: step "
        in capsys.readouterr().err
    )

    assert run(*korean, "svm", *QUICK[:2]) == 0
    assert run("results") == 0
    assert "no fold is finished yet of korean, cnn5-1d, mfcc, epochs 2" in capsys.readouterr().out

    monkeypatch.setattr(Run, "learn", until_stopped)
    assert run(*korean, "cnn5-1d", *QUICK) == 130
    capsys.readouterr()
    assert run("results") == 0
    out = capsys.readouterr().out
    found = json.loads((tmp_path / "runs" / "results" / "results.json").read_text())
    by_network = {result["network"]: result for result in found}
    whole, part = by_network["svm"], by_network["cnn5-1d"]
    assert whole["folds"] == [2, 2] and part["folds"] == [1, 2]
    assert part["accuracy"]["sd"] is None and whole["accuracy"]["sd"] is not None
    assert part["running"][0].startswith("fold2: step ") and not whole["running"]
    predictions = Predictions.load(tmp_path / "runs" / "korean-svm-mfcc" / "predictions.npz")
    clean = predictions.only(predictions.condition == CLEAN)
    right = clean.truth == clean.answer
    assert whole["wa"] == pytest.approx(right.mean())
    recalls = [right[clean.truth == k].mean() for k in np.unique(clean.truth)]
    assert whole["ua"] == pytest.approx(np.mean(recalls))
    assert np.sum(whole["confusion"]) == len(clean)
    assert sum(f["support"] for f in whole["classes"].values()) == len(clean)
    names = {f"korean-{name}-korean-emotional.png" for name in ("svm-mfcc", f"cnn5-1d{QUICKLY}")}
    assert set(pictures(tmp_path / "runs" / "results")) == names
    assert "| korean-emotional | svm | mfcc |  | korean | 2 of 2 |" in out
    assert "taken for" in (tmp_path / "runs" / "results" / "results.md").read_text()


def test_runs_of_other_settings_stand_beside_each_other(run, tmp_path: Path, capsys) -> None:
    korean = ("crossval", "korean", "--model", "svm", "--features", "mfcc")
    more = [("--hop", 20.0000001), ("--c", 2)]
    for options in ((), ("--hop", 20), ("--hop", 20, "--fold", 1), *more):
        assert run(*korean, *options) == 0
    capsys.readouterr()
    assert run("results") == 0
    out = capsys.readouterr().out
    for settings in ("", "hop 20", "hop 20.0000001", "hop 20, fold 1", "c 2"):
        assert f"| svm | mfcc | {settings} | korean |" in out
    assert len(pictures(tmp_path / "runs" / "results")) == 5
    assert (
        "## svm on mfcc with hop 20, korean" in (tmp_path / "runs/results/results.md").read_text()
    )


def test_more_seeds_than_are_asked_for_again_still_count(run, tmp_path: Path) -> None:
    korean = ("crossval", "korean", "--model", "cnn5-1d", *QUICK, "--epochs", 1, "--fold", 1)
    told = []
    for seeds in (2, 1):
        assert run(*korean, "--seeds", seeds) == 0
        (path,) = (tmp_path / "runs").glob("*/run.json")
        told.append(json.loads(path.read_text())["folds"])
    assert len(told[0]) == 2 and told[0] == told[1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("*-fold1/facts.json", "{}"),
        ("*-fold1/facts.json", "[1]"),
        ("*-fold1/facts.json", "{"),
        ("*-fold1/facts.json", "[" * 100_000),
        ("run.json", '{"protocol": "", "network": "", "features": "", "folds": "fold"}'),
        ("run.json", "{}"),
        ("run.json", "[1]"),
    ],
)
def test_a_damaged_run_is_told_and_left_out(
    run, name: str, content: str, tmp_path: Path, caplog
) -> None:
    korean = ("crossval", "korean", "--model", "svm", "--features", "mfcc")
    for hop in (10, 20):
        assert run(*korean, "--hop", hop) == 0
    (path,) = (tmp_path / "runs" / "korean-svm-mfcc-hop20").glob(name)
    path.write_text(content)
    assert run("results") == 0
    found = json.loads((tmp_path / "runs" / "results" / "results.json").read_text())
    assert [result["folds"][0] for result in found if not result["settings"]] == [2]
    assert [result["folds"][0] for result in found if result["settings"]] == (
        [] if name == "run.json" else [1]
    )
    assert f"{path}: not readable" in caplog.text and "left out" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [("parameters", "9372"), ("train_s", "0.3"), ("train_s", -5), ("threads", 1.5), ("device", 1)],
)
def test_a_fold_whose_facts_were_edited_is_left_out(
    run, name: str, value: object, tmp_path: Path, caplog
) -> None:
    assert run("crossval", "korean", "--model", "svm", "--features", "mfcc") == 0
    (path,) = (tmp_path / "runs").glob("*/*-fold1/facts.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    assert run("results") == 0
    (found,) = json.loads((tmp_path / "runs" / "results" / "results.json").read_text())
    assert found["folds"] == [1, 2]
    assert f"{path}: {name} not as crossval writes it" in caplog.text


def test_settings_that_a_machine_does_not_have_are_refused(run, capsys) -> None:
    for option in ("epochs", "batch", "learning-rate", "weight-decay", "blank", "mixnoise"):
        assert run("crossval", "korean", "--model", "svm", f"--{option}", 1) == 1
        assert f"svm has no --{option}: it is for cnn5, " in capsys.readouterr().err


@pytest.mark.parametrize("model", ["cnn5-1d", "svm"])
def test_a_network_is_trained_for_the_live_program(run, model: str, tmp_path: Path, capsys) -> None:
    weights = tmp_path / "mine.pt"
    options = QUICK if model != "svm" else QUICK[:2]
    asked = ("--model", model, "--only", "ravdess", "emodb", "--weights", weights)
    assert run("train", *asked, *options) == 0
    assert "app.py --emotion FILE" in capsys.readouterr().out
    recognizer = EmotionRecognizer.load(weights)
    assert recognizer.labels == SHIPPED and recognizer.feature_config == SpectraConfig("mfcc")
    assert recognizer.facts["corpora"] == ["emodb", "ravdess"]
    assert recognizer.judgement.temperature > 0
    assert run("evaluate", "tess", "--weights", weights) == 0
    (report,) = (tmp_path / "runs").glob("evaluate-tess-mine-*/report.json")
    assert report.is_file()


@pytest.mark.parametrize("model", ["cnn5-1d", "svm"])
def test_a_network_that_nobody_judged_names_nothing(
    run, model: str, tmp_path: Path, caplog, capsys
) -> None:
    weights = tmp_path / "mine.pt"
    options = QUICK if model != "svm" else QUICK[:2]
    asked = ("--model", model, "--only", "korean-emotional", "tess", "--weights", weights)
    assert run("train", *asked, *options) == 0
    assert caplog.text.count("no voice chooses when to stop, and nothing is calibrated") == 1
    assert "nobody judged it: it names nothing" in capsys.readouterr().out
    judgement = EmotionRecognizer.load(weights).judgement
    certain = dict.fromkeys(SHIPPED, 0.0) | {"sad": 1.0}
    assert judgement.decide(certain) is None


def test_a_training_that_diverges_is_told(run, tmp_path: Path, capsys) -> None:
    options = (*QUICK, "--batch", 2, "--learning-rate", 1e30)
    assert run("crossval", "korean", "--seeds", 1, "--model", "cnn5", *options) == 1
    told = capsys.readouterr().err
    assert "the training diverged: " in told and "give a smaller --learning-rate" in told
    assert not list(tmp_path.rglob("state.pt"))


# --- bad input


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("crossval", "korean", "--model", "cnn9"), "unknown network 'cnn9', expected one of lstm"),
        (("crossval", "korean", "--model", "cnn5", "--features", "x"), "unknown features 'x'"),
        (("crossval", "korean", "--features", "mel"), "lstm hears encoder, not mel"),
        (("crossval", "korean", "--epochs", "3"), "lstm has a recipe of its own"),
        (("crossval", "korean", "--model", "cnn5", "--stability", "1"), "give --mixnoise too"),
        (("crossval", "korean", "--model", "cnn5", "--nfreq", "9"), "--nfreq is for logspec"),
        (("crossval", "korean", "--model", "cnn5", "--rate", "44100"), "expected 8000 or 16000"),
        (("crossval", "korean", "--model", "cnn5", "--channels", "3"), "cnn5 has no --channels"),
        (("crossval", "korean", "--model", "cnn5", "--size", "96"), "cnn5 has no --size"),
        (("crossval", "korean", "--model", "vgg11", "--size", "32"), "an edge of 64 to 512"),
        (("crossval", "korean", "--model", "cnn5", "--segment", "0.01"), "expected 0.2 to 30"),
        (("train", "--model", "cnn5"), "name its --weights FILE"),
        (("extract", "--features", "mel"), "--features KIND --out FILE"),
        (("extract", "--features", "mel", "--out", "a.txt"), "ends in .csv or .npz"),
        (
            ("extract", "--features", "mel", "--out", "a.csv", "--form", "images"),
            "pictures go into an .npz",
        ),
        (("extract", "--segment", "3"), "--segment: only for a file of features; give --features"),
        (("extract", "--rate", "8000", "--hop", "0"), "--rate, --hop: only for a file of features"),
        (("extract", "--features", ""), "--features KIND --out FILE"),
        (("extract", *MEL, "--hop", "0"), "frames 0.0 s apart, expected 0.001 to 0.04"),
        (
            ("extract", *MEL, "--form", "segments", "--segment", "0"),
            "segments of 0.0 s, expected 0.2 to 30",
        ),
        (("extract", *MEL, "--segment", "3"), "--segment is for --form segments or images, not"),
        (
            ("extract", *MEL, "--form", "segments", "--channels", "3"),
            "--channels is for --form images, not segments",
        ),
        (("crossval", "korean", "--model", "cnn5", "--hop", "0"), "frames 0.0 s apart"),
        (("results",), "no such folder"),
        (("plots", "features", "none.wav"), "none.wav"),
        (("plots", "features", str(SPEECH), "--out", "a.jpg"), "ends in .png"),
        (("merge", "none.csv", "--out", "b.csv"), "none.csv: no such file"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    run, command: tuple[str, ...], message: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*command) == 1
    told = capsys.readouterr().err
    assert message in told and "Traceback" not in told
    assert not list(tmp_path.iterdir())


def test_where_no_file_can_be_written_no_feature_is_computed(
    run, tmp_path: Path, monkeypatch, capsys
) -> None:
    def prepared(*_: object) -> None:
        raise AssertionError("features are computed")

    monkeypatch.setattr(FeatureCache, "prepare", prepared)
    folder = tmp_path / "means.npz"
    folder.mkdir()
    for out in (folder, "/proc/means.npz", SPEECH / "means.npz", tmp_path / f"{'a' * 300}.npz"):
        assert run("extract", "--features", "mel", "--out", out) == 1
        told = "is a folder; name a file" if out == folder else "cannot be written ("
        assert f"{out}: {told}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "crossval korean --model vgg11",
        "train --model vgg11 --weights a.pt",
        "search vgg11 --trials 1",
    ],
)
def test_image_networks_without_torchvision_are_told_before_features_are_computed(
    command: str, home: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setattr(FeatureCache, "prepare", lambda *_: pytest.fail("late"))
    monkeypatch.chdir(tmp_path)
    assert main([*command.split(), "--corpora", str(home / "corpora")]) == 1
    assert "need torchvision" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "model"),
    [
        ("crossval korean", "cnn5-1d"),
        *(("train", model) for model in ("lstm", "cnn5-1d", "svm")),
    ],
)
def test_a_corpus_of_one_speaker_is_told(
    command: str, model: str, run, home: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    corpora = tmp_path / "corpora"
    corpora.mkdir()
    (corpora / "korean-emotional").mkdir()
    source = home / "corpora" / "korean-emotional"
    (corpora / "korean-emotional" / "ema").symlink_to(source / "ema")
    lines = (source / "manifest.csv").read_text().splitlines()
    own = [line for line in lines if not line.startswith("nea")]
    (corpora / "korean-emotional" / "manifest.csv").write_text("\n".join(own) + "\n")
    (tmp_path / "noise").symlink_to(home / "noise")
    places = ("--corpora", corpora, "--cache", home / "cache", "--runs", tmp_path / "runs")
    asked = [*command.split(), "--model", model, *places]
    if command == "train":
        monkeypatch.setattr(commands, "features_here", lambda *_: pytest.fail("late"))
        asked += ["--only", "korean-emotional", "--weights", tmp_path / "mine.pt"]
    assert main([*map(str, asked)]) == 1
    assert "two speakers or more" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
