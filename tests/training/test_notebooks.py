"""That the notebooks run from top to bottom, and are kept without outputs."""

import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from torch.utils.tensorboard import SummaryWriter

from app import open_emotion
from tests.training.made_corpora import record_all
from tests.training.made_recognizer import untrained
from training import corpora
from training.corpora import LABELS, READERS, SHIPPED, Clip
from training.emotion.predictions import (
    CLEAN,
    READ_ALOUD,
    UNAIDED,
    UNAIDED_READ,
    Predictions,
    join,
)
from training.reports.results import collect
from utils.live.loading import open_live

HOME = Path(__file__).resolve().parents[2]
FOLDER = HOME / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
AT_HAND = ("ravdess", "tess", "nemo-polish", "korean-emotional", "emodb")


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the kernel away from the settings and the history of whoever runs the tests."""
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("MPLBACKEND", raising=False)


@pytest.fixture(scope="session")
def folder(shared: Path) -> Path:
    """The folder of the five corpora; skips where one is absent."""
    absent = [name for name in AT_HAND if not (shared / "corpora" / name).is_dir()]
    if absent:
        pytest.skip(f"no {', '.join(absent)} in {shared / 'corpora'}")
    return shared / "corpora"


def run(name: str, cwd: Path = FOLDER, **settings: object) -> nbformat.NotebookNode:
    """Execute a notebook with other values in its first code cell; fails where a cell fails."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    for key, value in settings.items():
        value = str(value) if isinstance(value, Path) else value
        line = f"{key} = {value!r}".replace("\\", r"\\")
        cell.source, found = re.subn(rf"^{key} = .*$", line, cell.source, flags=re.MULTILINE)
        assert found == 1, f"the first cell of {name} sets no {key}"
    client = NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(cwd)}}
    )
    return client.execute()


def outputs(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """All outputs of a MIME type."""
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    return [o.data[kind] for c in cells for o in c.outputs if kind in o.get("data", {})]


def n_figures(notebook: nbformat.NotebookNode) -> int:
    return len(outputs(notebook, "image/png"))


def n_players(notebook: nbformat.NotebookNode) -> int:
    return sum("<audio" in html for html in outputs(notebook, "text/html"))


def printed(notebook: nbformat.NotebookNode) -> str:
    cells = (cell for cell in notebook.cells if cell.cell_type == "code")
    return "".join(o.text for c in cells for o in c.outputs if o.get("name") == "stdout")


def some(folder: Path) -> list[Clip]:
    """Some clips of the shipped classes, of each corpus."""
    found = []
    for name in AT_HAND:
        own = [c for c in corpora.read(name, folder / name) if c.label in SHIPPED]
        found += own[:: max(1, len(own) // 60)]
    return found


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "compare",
        "corpora",
        "failures",
        "features",
        "train",
        "training_curves",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_without_this_machine(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    assert not any(cell["metadata"] for cell in content["cells"])
    assert not re.search(r"/(home|root|Users|work|tmp)/|[A-Z]:\\\\", path.read_text())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_without_corpora_it_says_what_to_fetch_and_ends(path: Path, tmp_path: Path) -> None:
    settings = {"CORPORA": tmp_path / "none"}
    if "RUNS" in nbformat.read(path, as_version=4).cells[1].source:
        settings["RUNS"] = tmp_path / "none"
    done = run(path.stem, cwd=HOME, **settings)
    assert "here is no" in printed(done) or "here are no" in printed(done)
    assert "restart the kernel" in printed(done)
    assert n_figures(done) == 0


def test_corpora_at_a_glance(folder: Path) -> None:
    done = run("corpora", CORPORA=folder, N_CLIPS=30)
    assert n_figures(done) == 6
    tables = "".join(outputs(done, "text/markdown"))
    assert "| ravdess | 1440 | 24 (12/12) |" in tables
    assert "| **korean-emotional** | neutral | – | happy | angry | sad |" in tables


def test_features_heard_and_seen(folder: Path, whisper: Path) -> None:
    done = run("features", CORPORA=folder, N_ACTORS=4)
    assert n_figures(done) == 6
    assert n_players(done) == 8 + 4 + 4
    far = {
        name: [float(x) for x in found.split(", ")]
        for name, found in re.findall(r"^  (\S.*?) {2,}(\d+\.\d+, \d+\.\d+)$", printed(done), re.M)
    }
    gain, others = far["the same, gain -30 dB"], far["sad instead"]
    for of_gain, of_feeling in zip(gain, others, strict=True):  # features, encoder
        assert of_gain < 0.2 * of_feeling
    assert len(nbformat.writes(done)) < 5e6


def test_a_small_run_where_there_are_no_logs(folder: Path, whisper: Path, tmp_path: Path) -> None:
    done = run("training_curves", CORPORA=folder, RUNS=tmp_path / "none", N_STEPS=20, N_ACTORS=3)
    assert "small run: 1 finished or under way, the longest of 20 steps" in printed(done)
    assert n_figures(done) == 3


def test_curves_of_logs(tmp_path: Path) -> None:
    """Two protocols, one of them without validation voices, and a run that has only begun."""
    for protocol, corpus, fold in (("a", "ravdess", 1), ("a", "ravdess", 2), ("b", None, 1)):
        own = tmp_path / protocol / f"0-seed0-fold{fold}" / "listener-1"
        with SummaryWriter(str(own)) as log:
            for step in (100, 200, 300)[: 4 - fold]:
                log.add_scalar("loss", 100 / step, step)
                log.add_scalar("learning_rate", 0.001, step)
                if corpus:
                    log.add_scalar(f"uar/{corpus}", step / 1000, step)
    SummaryWriter(str(tmp_path / "c" / "0-seed0-fold1" / "listener-1")).close()
    done = run("training_curves", RUNS=tmp_path, CORPORA=tmp_path / "none")
    assert "a: 2 finished or under way, the longest of 300 steps" in printed(done)
    assert "a: kept step 250 and 25.0 % UAR" in printed(done)
    assert n_figures(done) == 3


def test_from_recordings_to_a_live_model(folder: Path, tmp_path: Path) -> None:
    done = run("train", CORPORA=folder, RUNS=tmp_path)
    assert "korean-emotional, 4 classes: Korean alone, five folds" in printed(done)
    assert n_figures(done) == 2 and n_players(done) == 1
    reported, drawn = re.findall(r"UAR (\d+\.\d)", printed(done))
    assert reported == drawn
    assert f"python app.py --emotion {tmp_path / 'model.pt'}" in printed(done)
    live = open_live(str(tmp_path / "model.pt"), open_emotion)
    assert {"neutral", "happy", "sad", "angry"} <= set(live.labels)


def test_networks_are_compared_on_a_small_corpus(tmp_path: Path) -> None:
    record_all(tmp_path)
    places = {"CORPORA": tmp_path / "corpora", "RUNS": tmp_path / "runs"}
    done = run("compare", NETWORKS="svm cnn5-1d", EPOCHS=2, **places)
    assert n_figures(done) == 1
    (table,) = outputs(done, "text/markdown")
    head, _, *rows = [line.strip("| ").split(" | ") for line in table.splitlines()]
    assert head[:4] == ["network", "features", "folds", "UA"]
    assert {row[0] for row in rows} == {"svm", "cnn5-1d"}
    shares = [float(row[3].strip("*%")) for row in rows]
    assert shares == sorted(shares, reverse=True)
    told = {result.about["network"]: result.figures["ua"] for result in collect(tmp_path / "runs")}
    for row, share in zip(rows, shares):
        assert share == pytest.approx(100 * told[row[0]], abs=0.051)
    assert f"best: {rows[0][0]} UA" in printed(done)
    assert f"{rows[1][0]} alone on" in printed(done)


def test_failures_of_a_cross_validation(folder: Path, tmp_path: Path) -> None:
    clips = some(folder)
    speakers = sorted({clip.speaker for clip in clips})
    rows = [
        (c, s, k) for s in (0, 1) for k in (CLEAN, UNAIDED, "gain -30 dB", "room") for c in clips
    ]
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((len(rows), len(LABELS))).astype(np.float32)
    logits[np.arange(len(rows)), [LABELS.index(clip.label) for clip, _, _ in rows]] += 1.5
    answers = Predictions(
        LABELS,
        logits,
        tuple(clip for clip, _, _ in rows),
        np.array([speakers.index(clip.speaker) % 5 for clip, _, _ in rows]),
        np.array([seed for _, seed, _ in rows]),
        rng.uniform(1, 6, len(rows)),
        np.array([condition for _, _, condition in rows]),
    )
    reader = Clip(tmp_path / "read.flac", "neutral", "librispeech-84", "librispeech", "en")
    as_read = np.array([READ_ALOUD, UNAIDED_READ, f"{READ_ALOUD}, pace 1.5"] * 3)
    read = replace(answers.take([0] * 9), clips=(reader,) * 9, condition=as_read)
    join([answers, read]).save(tmp_path / "voices" / "predictions.npz")
    done = run("failures", RUNS=tmp_path, CORPORA=folder, N_PLAYED=3)
    assert "models that had not heard the speaker" in printed(done)
    assert f"{2 * len(clips)} answers to {len(clips)} clips as recorded" in printed(done)
    assert "librispeech" not in printed(done) and READ_ALOUD not in printed(done)
    assert n_figures(done) == 6
    assert n_players(done) == 3


def test_failures_of_weights_say_whose_voices_they_heard(folder: Path, tmp_path: Path) -> None:
    model = untrained()
    model.facts["speakers"] = [f"ravdess-{actor:02d}" for actor in range(1, 25)]
    model.save(tmp_path / "weights.pt")
    done = run(
        "failures",
        RUNS=tmp_path / "none",
        CORPORA=folder,
        WEIGHTS=tmp_path / "weights.pt",
        N_CLIPS=12,
        N_PLAYED=1,
    )
    n_clips = 12 * sum((folder / name).is_dir() for name in READERS)
    assert f"12 of {n_clips} clips are by VOICES THAT IT TRAINED ON" in printed(done)
    assert n_figures(done) == 6
    assert n_players(done) == 1
