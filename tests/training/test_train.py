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

from emotion_model import EmotionLSTM
from training.corpora import Clip
from training.emotion import train as train_module
from training.emotion.config import SHARES, TrainConfig
from training.emotion.dataset import Dataset, Draw, Nameless, pad
from training.emotion.train import judge, logits, normalise, train
from training.run import STATE
from utils.emotion.encoder import STEP
from utils.emotion.network import Listener, ModelConfig, statistics

LABELS = ("neutral", "happy", "sad")
N_FEATURES, N_HEARD = 6, 10  # columns of a frame, and of what an encoder heard in a step
CONFIG = TrainConfig(steps=40, batch_size=12, learning_rate=1e-2, every=10, decay=0.8, unaided=0.3)
MODEL = ModelConfig(N_FEATURES, N_HEARD, len(LABELS), n_components=5, hidden=8, dense=16)
FRAMES = STEP * N_FEATURES  # columns of the frames in a step


class Sung:
    """Each label is a tune of its own, each voice sings it at another pitch, with noise.

    The frames tell the label, and so does what was heard: either will do.
    """

    def __init__(self, identity: str = "sung") -> None:
        self.identity = identity

    def get(self, clip: Clip, variant: int) -> np.ndarray:
        rng = np.random.default_rng([*clip.path.name.encode(), variant])
        label, pitch = LABELS.index(clip.label), 0.3 * int(clip.speaker[-1])
        steps = pitch + rng.standard_normal((int(rng.integers(10, 20)), FRAMES + N_HEARD))
        steps[:, label:FRAMES:N_FEATURES] += 3.0
        steps[:, FRAMES + label] += 3.0
        return steps.astype(np.float32)


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
    nameless = [Nameless(np.full((20, FRAMES + N_HEARD), -3, np.float32))]
    return Dataset(Sung(), {"ravdess": 2, "tess": 2}, nameless, LABELS, N_FEATURES)


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
    """A network of one listener."""
    model = EmotionLSTM(listener.config)
    model.listeners[0].load_state_dict(listener.state_dict())
    return model.eval()


def answers(listener: Listener, examples: Dataset, width: int | None = None) -> list[str]:
    """What a listener takes the others' clips for, by so many columns of each step."""
    found = logits(alone(listener), [examples.steps(clip)[:, :width] for clip in OTHERS])
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


def test_it_learns_to_do_without_the_encoder_too(examples: Dataset) -> None:
    model = run(examples, validation=[])
    assert answers(model, examples, FRAMES) == [clip.label for clip in OTHERS]


@pytest.mark.parametrize(("unaided", "known"), [(0.0, True), (1.0, False)])
def test_in_draws_without_an_encoder_nothing_heard_has_a_say(
    unaided: float, known: bool, examples: Dataset
) -> None:
    torch.manual_seed(0)
    model = Listener(MODEL).eval()
    normalise(model, examples, CLIPS)
    config = replace(CONFIG, unaided=unaided, jitter=0.0, shift=0.0, blank=0.0)
    batch = Draw(examples, CLIPS, config, seed=0).batch(0)
    changed = batch.steps.clone()
    changed[..., FRAMES:] *= -1
    other = replace(batch, steps=changed)
    first, second = (
        train_module._loss(model, b, config, np.random.default_rng(0)).item()
        for b in (batch, other)
    )
    assert (abs(first - second) > 1e-4) == known


def test_a_part_of_the_draws_is_without_an_encoder(examples: Dataset, monkeypatch) -> None:
    model, found = Listener(MODEL), []
    normalise(model, examples, CLIPS)
    classify = model.classify

    def watched(frames, heard, whole, lengths):
        silent = (heard == 0).all(dim=2).all(dim=1)
        assert torch.equal(silent, (whole == 0).all(dim=1))
        found.extend(silent.tolist())
        return classify(frames, heard, whole, lengths)

    monkeypatch.setattr(model, "classify", watched)
    draw = Draw(examples, CLIPS, CONFIG, seed=0)
    for number in range(50):
        rng = np.random.default_rng(number)
        train_module._loss(model, draw.batch(number), CONFIG, rng)
    assert np.mean(found) == pytest.approx(CONFIG.unaided, abs=0.06)


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
        {"identity": "sung through another encoder"},
    ],
    ids=["seed", "recipe", "clips", "label", "validation", "features"],
)
def test_a_state_of_something_else_starts_anew_and_says_so(
    change: dict, tmp_path: Path, caplog
) -> None:
    change = dict(change)
    before, after = (
        Dataset(features, {"ravdess": 1, "tess": 1}, [], LABELS, N_FEATURES)
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
    model = EmotionLSTM(replace(MODEL, n_listeners=2)).eval()
    for listener in model.listeners:
        listener.get_buffer("components").normal_()
    rng = np.random.default_rng(0)
    arrays = [
        rng.standard_normal((n, FRAMES + N_HEARD)).astype(np.float32) for n in (90, 10, 40, 11, 1)
    ]
    for width in (FRAMES + N_HEARD, FRAMES):
        some = [array[:, :width] for array in arrays]
        by_itself = np.concatenate([model(*pad([a])).detach().numpy() for a in some])
        found = logits(model, some * 40)
        np.testing.assert_allclose(found, np.tile(by_itself, (40, 1)), atol=1e-5)
    assert len(logits(model, [])) == 0


def test_a_listener_is_judged_by_what_a_network_of_it_says(examples: Dataset, whole) -> None:
    listener, _ = whole
    found = train_module._heard(listener, examples, OTHERS)
    expected = logits(alone(listener), [examples.steps(clip) for clip in OTHERS])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert found.std(axis=0).min() > 0.1


def normalised(examples: Dataset, clips: list[Clip] = CLIPS) -> Listener:
    model = Listener(MODEL)
    normalise(model, examples, clips)
    return model


def test_what_it_was_normalised_by_has_mean_0_and_deviation_1(examples: Dataset) -> None:
    model = normalised(examples)
    arrays = [torch.from_numpy(examples.steps(clip)) for clip in CLIPS]
    scaled = [model.scale(a[None], torch.tensor([len(a)])) for a in arrays]
    frames, heard, whole = (torch.cat([x[k].flatten(0, -2) for x in scaled]) for k in range(3))
    assert frames.shape == (sum(map(len, arrays)) * STEP, N_FEATURES)
    for values in (frames, heard):
        torch.testing.assert_close(
            values.mean(dim=0), torch.zeros(values.shape[1]), atol=1e-3, rtol=0
        )
        deviation = values.std(dim=0, correction=0)
        torch.testing.assert_close(deviation, torch.ones_like(deviation), atol=0.01, rtol=0)
    assert whole.shape == (len(CLIPS), 2 * N_HEARD)
    torch.testing.assert_close(whole.mean(dim=0), torch.zeros(2 * N_HEARD), atol=0.05, rtol=0)


def test_what_was_heard_is_turned_to_its_widest_directions(examples: Dataset) -> None:
    """Its components do not go together, and nothing else of that many is as wide."""
    model = normalised(examples)
    heard = np.concatenate([examples.steps(clip)[:, FRAMES:] for clip in CLIPS])
    scaled = (heard - model.heard_mean.numpy()) / model.heard_std.numpy()
    turned = scaled @ model.components.numpy()
    scatter = turned.T @ turned / len(turned)
    np.testing.assert_allclose(scatter, np.eye(MODEL.n_components), atol=0.01)
    variances = np.linalg.eigvalsh(np.cov(scaled.T, bias=True))[-MODEL.n_components :]
    found = 1 / np.square(np.linalg.norm(model.components.numpy(), axis=0))
    np.testing.assert_allclose(found, variances, rtol=0.01)


def test_what_is_usual_is_asked_of_the_clips_given_by_the_shares_of_corpora(
    examples: Dataset,
) -> None:
    both = CLIPS + clips_of("tess-5", n=40)  # five times as many
    found = normalised(examples, both)
    ravdess, tess = (
        np.concatenate([examples.steps(clip) for clip in both if clip.corpus == name])
        for name in ("ravdess", "tess")
    )
    share = SHARES["ravdess"] / (SHARES["ravdess"] + SHARES["tess"])
    expected = share * ravdess.mean(axis=0) + (1 - share) * tess.mean(axis=0)
    np.testing.assert_allclose(found.heard_mean, expected[FRAMES:], rtol=1e-4)
    mean = expected[:FRAMES].reshape(STEP, N_FEATURES).mean(axis=0)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-4)


def test_statistics_are_scaled_by_those_of_the_clips_given(examples: Dataset) -> None:
    model = normalised(examples)
    arrays = [torch.from_numpy(examples.steps(clip)[:, FRAMES:]) for clip in CLIPS]
    found = torch.cat([statistics(a[None], torch.tensor([len(a)])) for a in arrays]).double()
    np.testing.assert_allclose(model.statistics_mean, found.mean(dim=0), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        model.statistics_std, found.std(dim=0, correction=0), rtol=0.01, atol=1e-3
    )
