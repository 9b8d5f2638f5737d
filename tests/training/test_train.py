"""Training learns, repeats with its seed, and goes on after a kill as if nothing had happened."""

import copy
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from emotion_model import EmotionLSTM, ModelConfig
from training.corpora import Clip
from training.emotion import train as train_module
from training.emotion.config import SHARES, TrainConfig
from training.emotion.dataset import Dataset, pad
from training.emotion.train import judge, logits, normalise, train
from training.run import STATE
from utils.emotion.functionals import n_functionals
from utils.emotion.network import Listener

LABELS = ("neutral", "happy", "sad")
N_MFCC, N_FEATURES = 4, 6
CONFIG = TrainConfig(steps=40, batch_size=12, learning_rate=1e-2, every=10, decay=0.8, mixup=0.1)
MODEL = ModelConfig(N_FEATURES, len(LABELS), N_MFCC, hidden=8, dense=16)


class Sung:
    """Each label is a tune of its own, each voice sings it at another pitch, with noise."""

    def __init__(self, identity: str = "sung") -> None:
        self.identity = identity

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        rng = np.random.default_rng([*clip.path.name.encode(), variant])
        n_frames = int(rng.integers(30, 60))
        tune = np.zeros(N_FEATURES)
        tune[LABELS.index(clip.label)] = 3.0
        frames = tune + 0.3 * int(clip.speaker[-1]) + rng.standard_normal((n_frames, N_FEATURES))
        frames[:, N_MFCC + 1] = -3
        frames[:, N_MFCC + 1] += 0.1 * rng.standard_normal(n_frames)
        return frames.astype(np.float32)


def clips_of(*speakers: str, n: int = 4) -> list[Clip]:
    return [
        Clip(Path(f"{speaker}-{label}-{k}"), label, speaker, speaker.partition("-")[0], "en")
        for speaker in speakers
        for label in LABELS
        for k in range(n)
    ]


CLIPS, OTHERS = clips_of("ravdess-1", "ravdess-2"), clips_of("ravdess-3", "tess-4")


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that CUDA can use")


class Killed(Exception):
    """What a test kills a run with."""


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs on a GPU need not be the same to the last bit."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture(scope="module")
def examples() -> Dataset:
    nameless = [np.full((20, N_FEATURES), -3, np.float32)]
    variants = {"ravdess": 2, "tess": 2}
    return Dataset([*CLIPS, *OTHERS], Sung(), variants, nameless, LABELS, N_MFCC)


def run(
    examples: Dataset,
    folder: Path | None = None,
    seed: int = 0,
    config: TrainConfig = CONFIG,
    progress: Callable[[int, float], None] = lambda step, loss: None,
    validation: list[Clip] = OTHERS,
    clips: list[Clip] = CLIPS,
) -> Listener:
    return train(examples, clips, validation, config, MODEL, seed, progress, folder)


@pytest.fixture(scope="module")
def whole(examples: Dataset) -> tuple[Listener, dict[int, float]]:
    """What a run that nobody killed ends with, and its losses by step."""
    losses: dict[int, float] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        return run(examples, progress=losses.__setitem__), losses


def killed_at(last: int) -> Callable[[int, float], None]:
    def progress(step: int, loss: float) -> None:
        if step == last:
            raise Killed

    return progress


def same(a: Listener, b: Listener) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return all(torch.equal(left[name], right[name]) for name in left)


def alone(listener: Listener) -> EmotionLSTM:
    """A network of one listener and no landmarks."""
    model = EmotionLSTM(listener.config)
    model.listeners[0].load_state_dict(listener.state_dict())
    return model.eval()


def answers(listener: Listener, examples: Dataset) -> list[str]:
    """What a listener takes the others' clips for."""
    found = logits(alone(listener), [examples.frames(clip) for clip in OTHERS])
    return [LABELS[k] for k in found.argmax(axis=1)]


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows of a run: step and value of each scalar."""
    log = EventAccumulator(str(folder))
    log.Reload()
    return {
        name: [(event.step, event.value) for event in log.Scalars(name)]
        for name in log.Tags()["scalars"]
    }


# --- what comes out


def test_it_learns_what_two_voices_have_in_common(examples: Dataset) -> None:
    losses: list[float] = []
    model = run(examples, progress=lambda _, loss: losses.append(loss), validation=[])
    assert isinstance(model, Listener)
    assert answers(model, examples) == [clip.label for clip in OTHERS]
    assert len(losses) == CONFIG.steps
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert not model.training


def test_it_repeats_with_its_seed_and_differs_with_another(examples: Dataset) -> None:
    config = replace(CONFIG, steps=8, every=4)
    first = run(examples, config=config)
    torch.rand(5)  # whatever else drew random numbers
    assert same(first, run(examples, config=config))
    assert not same(first, run(examples, config=config, seed=1))


def test_the_folder_changes_no_weight(examples: Dataset, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=8, every=4)
    folder = tmp_path / "new" / "run"
    assert same(run(examples, folder, config=config), run(examples, config=config))
    assert (folder / STATE).is_file()


@needs_gpu
def test_it_learns_on_a_gpu_too(examples: Dataset, monkeypatch) -> None:
    monkeypatch.undo()
    model = run(examples)
    assert answers(model, examples) == [clip.label for clip in OTHERS]
    assert model.mean.device.type == "cpu"


# --- the state to go on from


@pytest.mark.parametrize("last", [5, 20, 25, 40])
def test_a_killed_run_goes_on_as_if_it_had_not_been(
    last: int, examples: Dataset, whole, tmp_path: Path
) -> None:
    expected, losses = whole
    with pytest.raises(Killed):
        run(examples, tmp_path, progress=killed_at(last))
    rest: dict[int, float] = {}
    assert same(run(examples, tmp_path, progress=rest.__setitem__), expected)
    assert min(rest) == (last - 1) // CONFIG.every * CONFIG.every + 1  # after the last look
    assert rest == {step: losses[step] for step in rest}


def test_killed_twice(examples: Dataset, whole, tmp_path: Path) -> None:
    for last in (15, 35):
        with pytest.raises(Killed):
            run(examples, tmp_path, progress=killed_at(last))
    assert same(run(examples, tmp_path), whole[0])


def test_a_finished_run_is_not_trained_again(examples: Dataset, tmp_path: Path) -> None:
    config = replace(CONFIG, steps=8, every=4)
    first = run(examples, tmp_path, config=config)
    assert same(run(examples, tmp_path, config=config, progress=killed_at(1)), first)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3000])


def replace_by_arrays(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, step=3)


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[: len(data) // 2] = bytes(len(data) // 2)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        spoil,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no state"),
        replace_by_arrays,
    ],
    ids=["cut", "spoilt", "empty", "text", "numpy"],
)
def test_a_damaged_state_starts_anew_and_says_so(
    damage, examples: Dataset, tmp_path: Path, caplog
) -> None:
    config = replace(CONFIG, steps=8, every=4)
    expected = run(examples, tmp_path, config=config)
    damage(tmp_path / STATE)
    steps: list[int] = []
    again = run(examples, tmp_path, config=config, progress=lambda step, _: steps.append(step))
    assert f"{tmp_path / STATE}: cannot be read" in caplog.text
    assert "starts anew" in caplog.text
    assert steps == list(range(1, 9))
    assert same(again, expected)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"config": replace(CONFIG, steps=8, every=4, jitter=0.0)},
        {"clips": CLIPS[1:]},
        {"clips": [replace(CLIPS[0], label="sad"), *CLIPS[1:]]},
        {"validation": OTHERS[1:]},
        {"identity": "sung through another denoiser"},
    ],
    ids=["seed", "recipe", "clips", "label", "validation", "features"],
)
def test_a_state_of_something_else_starts_anew_and_says_so(
    change: dict, tmp_path: Path, caplog
) -> None:
    change = dict(change)
    clips = [*CLIPS, *OTHERS, *change.get("clips", [])]
    before, after = (
        Dataset(clips, features, {"ravdess": 1, "tess": 1}, [], LABELS, N_MFCC)
        for features in (Sung(), Sung(change.pop("identity", "sung")))
    )
    config: dict[str, Any] = {"config": replace(CONFIG, steps=8, every=4)}
    run(before, tmp_path, **config)
    caplog.set_level(logging.INFO)
    found = run(after, tmp_path, **config | change)
    assert f"{tmp_path / STATE}: of another recipe or other voices" in caplog.text
    assert same(found, run(after, **config | change))


def test_a_file_that_is_no_state_starts_anew(examples: Dataset, tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    torch.save([1, 2], tmp_path / STATE)
    run(examples, tmp_path, config=replace(CONFIG, steps=2, every=2))
    assert "of another recipe" in caplog.text


def test_only_whole_files_are_left(examples: Dataset, tmp_path: Path) -> None:
    run(examples, tmp_path, config=replace(CONFIG, steps=4, every=2))
    names = sorted(path.name.partition(".")[0] for path in tmp_path.iterdir())
    assert names == ["events", "state"]


def test_no_thread_is_left_behind(examples: Dataset, tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(Killed):
        run(examples, tmp_path, progress=killed_at(2))
    assert threading.active_count() == before


# --- when to stop


def test_it_stops_where_nothing_is_gained_and_keeps_the_best(
    examples: Dataset, monkeypatch, tmp_path: Path
) -> None:
    figures = iter([-0.8, -0.3, -0.6, -0.3, -0.1])
    looked: list[dict] = []

    heard = train_module._heard

    def look(model: Listener, examples: Dataset, clips: list[Clip]) -> np.ndarray:
        looked.append(copy.deepcopy(model.state_dict()))
        return heard(model, examples, clips)

    monkeypatch.setattr(train_module, "_heard", look)
    monkeypatch.setattr(train_module, "judge", lambda *_: ({}, next(figures)))
    config = replace(CONFIG, every=5, patience=2)
    steps: list[int] = []
    model = run(examples, tmp_path, config=config, progress=lambda step, _: steps.append(step))
    assert steps[-1] == 20  # two looks after the second, which only the fourth equals
    assert len(looked) == 4
    for name, value in model.state_dict().items():
        assert torch.equal(value, looked[1][name])
    assert not torch.equal(looked[1]["out.weight"], looked[3]["out.weight"])
    again = run(examples, tmp_path, config=config, progress=killed_at(21))
    assert same(again, model)


def told(right: float, n: int = len(LABELS)) -> np.ndarray:
    """Logits of a probability for each of the others' clips, the rest even, (n_clips, n)."""
    logits = np.full((len(OTHERS), n), np.log((1 - right) / (n - 1)), np.float32)
    logits[range(len(OTHERS)), [LABELS.index(clip.label) for clip in OTHERS]] = np.log(right)
    return logits


def test_a_judgement_is_of_classes_and_corpora_by_their_shares(examples: Dataset) -> None:
    found = told(0.9)
    uar, likelihood = judge(examples, OTHERS, found)
    assert uar == {"ravdess": 1.0, "tess": 1.0}
    assert likelihood == pytest.approx(np.log(0.9))
    tess = np.array([clip.corpus == "tess" for clip in OTHERS])
    sad = np.array([clip.label == "sad" for clip in OTHERS])
    found[tess & sad] = told(0.2)[tess & sad]
    uar, likelihood = judge(examples, OTHERS, found)
    assert uar == {"ravdess": 1.0, "tess": pytest.approx(2 / 3)}
    of_tess = (2 * np.log(0.9) + np.log(0.2)) / 3
    weights = SHARES["ravdess"], SHARES["tess"]
    assert likelihood == pytest.approx(np.average([np.log(0.9), of_tess], weights=weights))
    many = np.flatnonzero(~(tess & sad)).tolist() + 3 * np.flatnonzero(tess & sad).tolist()
    _, again = judge(examples, [OTHERS[k] for k in many], found[many])
    assert again == pytest.approx(likelihood)  # however many clips a class has


# --- the curves


def test_tensorboard_shows_every_look(examples: Dataset, tmp_path: Path) -> None:
    losses: dict[int, float] = {}
    with pytest.raises(Killed):
        run(examples, tmp_path, progress=killed_at(25))
    run(examples, tmp_path, progress=losses.__setitem__)
    found = curves(tmp_path)
    assert set(found) == {"loss", "learning_rate", "likelihood", "uar/ravdess", "uar/tess"}
    for points in found.values():
        assert [step for step, _ in points] == [10, 20, 30, 40]
    mean = np.mean([losses[step] for step in range(31, 41)])
    assert found["loss"][-1][1] == pytest.approx(mean, rel=1e-5)
    assert all(0 <= uar <= 1 for _, uar in found["uar/ravdess"])
    assert found["learning_rate"][-1][1] < found["learning_rate"][0][1] <= CONFIG.learning_rate


# --- parts


def test_batches_of_like_length_give_each_clip_its_own_logits() -> None:
    torch.manual_seed(0)
    model = EmotionLSTM(replace(MODEL, n_listeners=2, n_landmarks=5)).eval()
    model.timeless_std.fill_(20.0)
    for buffer in (model.timeless_directions, model.landmarks, model.answers):
        buffer.normal_(std=0.1)
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((n, N_FEATURES)).astype(np.float32) for n in (90, 10, 40, 11)]
    alone = np.concatenate([model(*pad([a])).detach().numpy() for a in arrays])
    np.testing.assert_allclose(logits(model, arrays * 40), np.tile(alone, (40, 1)), atol=1e-5)


def test_a_listener_is_judged_by_what_a_network_of_it_says(examples: Dataset, whole) -> None:
    listener, _ = whole
    found = train_module._heard(listener, examples, OTHERS)
    expected = logits(alone(listener), [examples.frames(clip) for clip in OTHERS])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert found.std(axis=0).min() > 0.1


def test_scaling_is_that_of_the_clips_given(examples: Dataset) -> None:
    model = Listener(MODEL)
    normalise(model, examples, CLIPS)
    frames = np.concatenate([examples.frames(clip) for clip in CLIPS])
    np.testing.assert_allclose(model.mean, frames.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.std, frames.std(axis=0), rtol=1e-4)
    found = np.stack([examples.statistics[clip, 0] for clip in CLIPS])
    np.testing.assert_allclose(model.statistics_mean, found.mean(axis=0), rtol=1e-4, atol=1e-5)
    assert model.directions.shape == (n_functionals(N_FEATURES, N_MFCC), MODEL.n_directions)
    assert torch.isfinite(model.directions).all()


def test_voices_of_one_label_scatter_alike_in_all_directions(examples: Dataset) -> None:
    model = Listener(MODEL)
    normalise(model, examples, CLIPS)
    found = torch.from_numpy(np.stack([examples.statistics[clip, 0] for clip in CLIPS]))
    turned = ((found - model.statistics_mean) / model.statistics_std).clamp(-4, 4)
    check_scatter((turned @ model.directions).numpy(), atol=1e-3)


def check_scatter(turned: np.ndarray, atol: float) -> None:
    """Of `CLIPS` in some space (n, n_directions): that labels scatter alike in all directions."""
    for label in LABELS:
        own = [clip.label == label for clip in CLIPS]
        turned[own] -= turned[own].mean(axis=0)
    scatter = turned.T @ turned / len(turned)
    np.testing.assert_allclose(scatter, np.diag(np.diag(scatter)), atol=atol)
    widest = np.diag(scatter)[: len(CLIPS) // 4]  # few clips scatter in few directions
    assert widest.min() > 0.5 and widest.max() < 1.5
