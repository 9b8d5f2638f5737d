"""The report: its files are there, tell the figures, and the pictures show something."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from training.corpora import Clip
from training.emotion import evaluate
from training.emotion.predictions import READ_ALOUD, UNAIDED_READ, Predictions, join
from training.reports import breakdown
from training.reports.report import write_report
from utils.errors import DataError

LABELS = ("neutral", "happy", "sad")
PICTURES = ("confusion.png", "reliability.png", "coverage.png", "groups.png")
CONDITIONS = {"clean": 0, "gain -30 dB": 0.02, "gain +20 dB": 0.02, "noise 10 dB": 1.5}


def make(n_seeds: int = 2, n_folds: int = 3, conditions: tuple[str, ...] = tuple(CONDITIONS)):
    """Answers to 24 clips of each of 6 speakers, twice too sure."""
    rng = np.random.default_rng(0)
    logits, clips, rows = [], [], []
    for seed in range(n_seeds):
        for speaker in range(6):
            for i in range(24):
                clip = Clip(
                    path=Path(f"{speaker}-{i}.flac"),
                    label=LABELS[i % 3],
                    speaker=f"ravdess-{speaker:02d}",
                    corpus="ravdess",
                    language="en",
                    gender=("male", "female")[speaker % 2],
                    intensity=("normal", "strong")[i // 12],
                )
                heard = 2 * (2 * np.eye(3)[i % 3] + rng.normal(0, 1.3, 3))
                for condition in conditions:
                    logits.append(heard + CONDITIONS[condition] * rng.normal(0, 1, 3))
                    clips.append(clip)
                    rows.append((speaker % n_folds, seed, 1 + i / 6, condition))
    columns = (np.array(column) for column in zip(*rows))
    return Predictions(LABELS, np.array(logits, np.float32), tuple(clips), *columns)


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return make()


@pytest.fixture(scope="module")
def folder(predictions, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "ravdess"
    write_report(predictions, folder, "RAVDESS, three classes")
    return folder


@pytest.fixture(scope="module")
def report(folder) -> dict:
    return json.loads((folder / "report.json").read_text())


def test_all_files_are_there(folder):
    assert {p.name for p in folder.iterdir()} == {"report.json", "report.md", *PICTURES}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_large_and_coloured(folder, name):
    assert_picture(folder / name)


def assert_picture(path: Path) -> None:
    pixels = imread(path)
    assert min(pixels.shape[:2]) > 400
    assert len(np.unique((255 * pixels[..., :3]).astype(int) @ [65536, 256, 1])) > 10


def test_the_json_tells_what_was_tested(report):
    tested = report["tested"]
    assert (tested["clips"], tested["answers"], tested["speakers"]) == (144, 288, 6)
    assert tested["seeds"] == [0, 1]
    assert tested["folds"]["1"] == ["ravdess-01", "ravdess-04"]
    assert tested["conditions"] == ["clean", "gain -30 dB", "gain +20 dB", "noise 10 dB"]


def test_the_json_tells_the_figures_of_the_clips_as_recorded(predictions, report):
    clean = predictions.only(predictions.condition == "clean")
    uar = breakdown.over_seeds(clean, evaluate.uar)
    assert report["overall"]["uar"]["mean"] == pytest.approx(uar.mean, abs=1e-4)
    assert report["overall"]["uar"]["by_seed"] == pytest.approx(uar.by_seed, abs=1e-4)
    counts = evaluate.confusion(clean.truth, clean.answer, 3)
    assert report["confusion"] == counts.tolist()
    assert report["classes"]["happy"]["answers"] == 96
    assert report["classes"]["happy"]["recall"] == pytest.approx(counts[1, 1] / 96, abs=1e-4)
    assert sum(report["calibration"]["bins"]["count"]) == 288
    women, men = (report["groups"]["gender"][name]["mean"] for name in ("female", "male"))
    assert report["women_less_men"]["mean"] == pytest.approx(women - men, abs=2e-4)


def test_each_fold_is_calibrated_by_the_others(report):
    calibration = report["calibration"]
    assert calibration["how"] == "other folds"
    assert 1.2 < calibration["least"] <= calibration["most"] < 3
    assert calibration["ece"]["mean"] < calibration["ece_uncalibrated"]["mean"]
    assert report["shown"]["chosen"]["target"] == evaluate.TARGETS["sure"]


def test_the_json_tells_what_conditions_change(predictions, report):
    conditions = report["conditions"]
    assert set(conditions["uar_lost"]) == {"gain -30 dB", "gain +20 dB", "noise 10 dB"}
    every = breakdown.unchanged(predictions, ["gain -30 dB", "gain +20 dB"])
    assert conditions["label_unchanged"]["every gain"] == pytest.approx(every, abs=1e-4)


def test_the_page_tells_the_same_and_shows_the_pictures(folder, report):
    page = (folder / "report.md").read_text()
    uar = report["overall"]["uar"]
    assert page.startswith("# RAVDESS, three classes\n")
    assert f"| **UAR** | **{100 * uar['mean']:.1f} ± {100 * uar['sd']:.1f} %** |" in page
    assert "144 clips of 6 speakers" in page
    assert "Cross-validated" in page
    for name in PICTURES:
        assert f"]({name})" in page
    for word in ("nan", "None", "-0.0"):
        assert word not in page


def test_a_given_temperature_is_used(predictions, tmp_path):
    report = write_report(predictions, tmp_path, "one model", temperature=2.5)
    clean = predictions.only(predictions.condition == "clean")
    scaled = replace(clean, logits=clean.logits / 2.5)
    expected = breakdown.over_seeds(scaled, evaluate.calibration_error).mean
    assert report["calibration"]["ece"]["mean"] == pytest.approx(expected, abs=1e-4)
    assert "The temperature is that of the model, 2.500." in (tmp_path / "report.md").read_text()


def test_one_speaker_one_seed_and_a_class_without_clips(tmp_path):
    few = make(n_seeds=1, n_folds=1, conditions=("clean",))
    few = few.only((few.column("speaker") == "ravdess-00") & (few.truth != 2))
    report = write_report(few, tmp_path, "little")
    assert report["classes"]["sad"]["recall"] is None
    assert report["women_less_men"] is None
    page = (tmp_path / "report.md").read_text()
    assert "± " not in page.split("## Words")[0]
    assert "One fold" in page and "Under other conditions" not in page
    for name in PICTURES:
        assert_picture(tmp_path / name)


def test_without_clips_as_recorded_there_is_no_report(predictions, tmp_path):
    noisy = predictions.only(predictions.condition == "noise 10 dB")
    with pytest.raises(DataError, match="288 answers and none in condition 'clean'"):
        write_report(noisy, tmp_path, "noise only")


def read_aloud(n: int, like: Predictions, condition: str = READ_ALOUD) -> Predictions:
    """Wrong answers to readers, in the folds and with the seeds of others."""
    clips = tuple(
        Clip(Path(f"read-{k}.flac"), "neutral", f"librispeech-{k % 3}", "librispeech", "en")
        for k in range(n)
    )
    return Predictions(
        LABELS,
        np.tile(np.array([0, 9, 0], np.float32), (n, 1)),
        clips,
        like.fold[:n],
        like.seed[:n],
        np.full(n, 8.0),
        np.full(n, condition),
    )


def test_who_reads_aloud_is_left_out(predictions, folder, tmp_path):
    """However they were heard."""
    through = (READ_ALOUD, UNAIDED_READ, f"{READ_ALOUD}, phone speaker")
    readers = [read_aloud(30, predictions, condition) for condition in through]
    with_readers = join([*readers, predictions])
    write_report(with_readers, tmp_path, "RAVDESS, three classes")
    for name in ("report.json", "report.md"):
        assert (tmp_path / name).read_text() == (folder / name).read_text()
    assert "librispeech" not in (tmp_path / "report.json").read_text()


def test_on_readers_alone_there_is_no_report(predictions, tmp_path):
    with pytest.raises(DataError, match="none in condition 'clean'"):
        write_report(read_aloud(30, predictions), tmp_path, "readers only")
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_the_folder_is_named(predictions, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file: cannot write a report there"):
        write_report(predictions, tmp_path / "file", "nowhere")
