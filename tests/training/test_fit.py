"""Other networks than ours: they learn, repeat with their seed, and go on after a kill."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.corpora import Clip
from training.emotion import fit as fit_module
from training.emotion.fit import Diverged, FitConfig, class_weights, fit
from training.emotion.train import logits
from training.run import STATE, Run, seconds_of, state_of
from utils.emotion.networks.config import NetworkConfig

LABELS = ("neutral", "happy", "sad")
WIDTH, SEGMENT = 9, 12
CONFIG = FitConfig(epochs=12, batch_size=8, learning_rate=1e-2, jitter=0.05, blank=0.1)
NETWORK = NetworkConfig("cnn5-1d", WIDTH, len(LABELS), segment=SEGMENT)
NOISY = "noisy"


class Sung:
    """Each label is a tune of its own; its noisy copy has it fainter."""

    identity = "sung"
    labels = LABELS

    def __init__(self) -> None:
        self.asked: Counter[int | str] = Counter()

    def steps(self, clip: Clip, variant: int | str = 0) -> np.ndarray:
        self.asked[variant] += 1
        rng = np.random.default_rng([*clip.path.name.encode()])
        steps = rng.standard_normal((int(rng.integers(8, 20)), WIDTH))
        label = LABELS.index(clip.label)
        steps[:, 3 * label : 3 * label + 3] += 2.0
        noise = rng.standard_normal(steps.shape)
        return (steps + noise if variant == NOISY else steps).astype(np.float32)


def clips_of(*speakers: str, n: int = 4, labels: Sequence[str] = LABELS) -> list[Clip]:
    return [
        Clip(Path(f"{speaker}-{label}-{k}"), label, speaker, "ravdess", "en")
        for speaker in speakers
        for label in labels
        for k in range(n)
    ]


CLIPS, OTHERS = clips_of("1", "2", "3"), clips_of("4")


def fitted(
    folder: Path | None = None,
    config: FitConfig = CONFIG,
    network: NetworkConfig = NETWORK,
    noisy: str | None = None,
    validation: Sequence[Clip] = OTHERS,
    seed: int = 0,
):
    examples = Sung()
    model, origin = fit(
        examples, CLIPS, validation, config, network, seed, lambda *_: None, folder, noisy
    )
    return model, origin, examples


@pytest.mark.parametrize("name", ["cnn5-1d", "cnn6", "cnn-lstm"])
def test_it_learns_what_tells_the_classes_of_unheard_voices(name: str) -> None:
    model, origin, examples = fitted(network=replace(NETWORK, name=name))
    unheard = clips_of("5", "6")
    found = logits(model, [examples.steps(clip) for clip in unheard])
    right = [LABELS[k] == clip.label for k, clip in zip(found.argmax(axis=1), unheard)]
    assert np.mean(right) > 0.9
    assert origin == "scratch" and not model.training
    assert examples.asked[NOISY] == 0


@pytest.mark.parametrize("name", ["cnn5-1d", "cnn6"])
def test_what_is_usual_within_a_network_is_known_after_few_steps(name: str) -> None:
    """Running means of batch normalisation are not: with them cnn6 knows 38 % here."""
    few = replace(CONFIG, epochs=4, batch_size=len(CLIPS))  # a step each
    model, _, examples = fitted(config=few, network=replace(NETWORK, name=name))
    unheard = clips_of("5", "6")
    found = logits(model, [examples.steps(clip) for clip in unheard])
    right = [LABELS[k] == clip.label for k, clip in zip(found.argmax(axis=1), unheard)]
    assert np.mean(right) > 0.9


def test_one_seed_gives_one_network() -> None:
    first, again, other = (fitted(seed=seed)[0].state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["body.0.weight"], other["body.0.weight"])


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, monkeypatch) -> None:
    whole = fitted(tmp_path / "whole")[0].state_dict()
    steps, learn = 0, Run.learn

    def until_killed(self, loss: torch.Tensor) -> float:
        nonlocal steps
        steps += 1
        if steps == 11:
            raise KeyboardInterrupt
        return learn(self, loss)

    monkeypatch.setattr(Run, "learn", until_killed)
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "killed")
    assert state_of(tmp_path / "killed" / STATE) == "step 8"
    after = fitted(tmp_path / "killed")[0].state_dict()
    assert steps < 11 + len(CLIPS) // CONFIG.batch_size * CONFIG.epochs
    for name, value in whole.items():
        torch.testing.assert_close(after[name], value, rtol=1e-4, atol=1e-5)


def test_the_best_weights_are_kept_and_the_curves_drawn(tmp_path: Path, monkeypatch) -> None:
    scores = iter([-3.0, -1.0, *[-2.0] * 20])
    monkeypatch.setattr(fit_module, "judge", lambda *_: ({"ravdess": 0.5}, next(scores)))
    model, _, _ = fitted(tmp_path, replace(CONFIG, patience=3))
    found = torch.load(tmp_path / STATE, weights_only=True)
    per_epoch = len(CLIPS) // CONFIG.batch_size
    assert (found["best_step"], found["step"]) == (2 * per_epoch, 5 * per_epoch)  # early stop
    for name, value in model.state_dict().items():
        assert torch.equal(value, found["best"][name])
    assert [look["step"] for look in found["history"]] == [per_epoch * k for k in range(1, 6)]
    assert all({"loss", "uar/ravdess", "likelihood"} <= look.keys() for look in found["history"])
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert seconds_of(tmp_path) == pytest.approx(found["seconds"]) and found["seconds"] > 0


BEYOND = replace(CONFIG, learning_rate=1e30)


@pytest.mark.parametrize("validation", [OTHERS, []], ids=["judged", "not judged"])
def test_a_training_that_diverges_is_told_and_leaves_no_state(
    validation: list[Clip], tmp_path: Path, monkeypatch
) -> None:
    with pytest.raises(Diverged, match=r"a loss of (nan|inf) after step \d+; give a smaller --lea"):
        fitted(tmp_path, BEYOND, validation=validation)
    assert not list(tmp_path.rglob(f"{STATE}*"))


@pytest.mark.parametrize("validation", [OTHERS, []], ids=["judged", "not judged"])
def test_weights_that_the_last_step_broke_are_not_kept(
    validation: list[Clip], tmp_path: Path, monkeypatch
) -> None:
    learn, per_epoch = Run.learn, len(CLIPS) // CONFIG.batch_size

    def too_far(self, loss: torch.Tensor) -> float:
        found = learn(self, loss)
        if self.step == 2 * per_epoch:
            with torch.no_grad():
                self.parts["model"].body[0].weight[0] = math.nan
        return found

    monkeypatch.setattr(Run, "learn", too_far)
    with pytest.raises(Diverged, match=f"no finite numbers after step {2 * per_epoch}; give"):
        fitted(tmp_path, replace(CONFIG, epochs=2), validation=validation)
    assert not list(tmp_path.rglob(f"{STATE}*"))


def test_answers_that_are_no_numbers_judge_nothing(tmp_path: Path, monkeypatch) -> None:
    def beyond(*given) -> np.ndarray:
        return np.full((len(OTHERS), len(LABELS)), np.inf, np.float32)

    monkeypatch.setattr(fit_module, "logits", beyond)
    with pytest.raises(Diverged, match="answers that are no finite numbers after step 4; give"):
        fitted(tmp_path)
    assert not list(tmp_path.rglob(f"{STATE}*"))


def test_without_voices_that_judge_it_goes_to_the_end(tmp_path: Path) -> None:
    fitted(tmp_path, replace(CONFIG, epochs=2, patience=1), validation=[])
    assert state_of(tmp_path / STATE) == f"step {2 * (len(CLIPS) // CONFIG.batch_size)}"
    assert (tmp_path / "curves.png").is_file()


def test_stability_training_brings_answers_to_noisy_copies_closer() -> None:
    config = replace(CONFIG, snr_db=10.0)

    def apart(stability: float) -> float:
        model, _, examples = fitted(config=replace(config, stability=stability), noisy=NOISY)
        assert examples.asked[NOISY] > 0
        clips = clips_of("5", "6", "7")
        clean, noisy = (logits(model, [examples.steps(c, v) for c in clips]) for v in (0, NOISY))
        p, q = (torch.from_numpy(x).log_softmax(dim=1) for x in (clean, noisy))
        return float((p.exp() * (p - q)).sum(dim=1).mean())

    assert apart(3.0) < 0.8 * apart(0.0)


def test_rare_classes_count_as_much_as_common_ones() -> None:
    clips = [*clips_of("1", labels=("happy",), n=9), *clips_of("1", labels=("sad",), n=3)]
    weights = class_weights(clips, LABELS)
    assert weights.tolist() == pytest.approx([0, 12 / 18, 2])
    counts = torch.tensor([0.0, 9, 3])
    assert float((weights * counts).sum()) == pytest.approx(12)
