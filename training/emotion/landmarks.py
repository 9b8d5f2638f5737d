"""The closed-form part of the network: recordings that others are compared with."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.linalg
import torch

from emotion_model import EmotionLSTM
from training.corpora import Clip
from training.emotion.config import SHARES
from training.emotion.dataset import Dataset
from training.emotion.whitening import whitening
from utils.emotion.network import Listener, kernel

PER_SHARE = 320  # landmarks of a class and corpus, times the share of the corpus
RIDGE = 1.0  # keeps the answers small
VARIED = 6.0  # weight of a clip's variants together, relative to the clip as recorded
NAMELESS = 0.5  # weight of all sounds without an emotion, relative to all clips as recorded
# From a regression on one-hot truth to logits that weigh about as much as those of the listeners.
# From 6 to 16 it makes no difference to clean speech; in noise and rooms, listeners do better.
SCALE = 10.0


def unite(listeners: Sequence[Listener], examples: Dataset, clips: Sequence[Clip]) -> EmotionLSTM:
    """One network of all listeners, with landmarks among `clips` and what each of them says.

    Ridge regression of the truth on the nearness to the landmarks (Nyström; Williams and
    Seeger, NeurIPS 2000), of clips as recorded and varied. Corpora have their `SHARES`,
    classes of a corpus count the same, and sounds without an emotion say nothing.
    """
    chosen = _choose(clips)
    config = replace(listeners[0].config, n_listeners=len(listeners), n_landmarks=len(chosen))
    model = EmotionLSTM(config)
    for place, listener in zip(model.listeners, listeners):
        place.load_state_dict(listener.state_dict())
    recorded = np.stack([examples.statistics[clip, 0] for clip in clips])[:, : config.n_timeless]
    mean, std, directions = whitening(recorded, clips, config.n_timeless)
    model.timeless_mean.copy_(torch.from_numpy(mean))
    model.timeless_std.copy_(torch.from_numpy(std))
    model.timeless_directions.copy_(torch.from_numpy(directions))
    found, target, weights = _told(examples, clips)
    at = torch.from_numpy(np.stack([examples.statistics[clip, 0] for clip in chosen]))
    with torch.inference_mode():
        model.landmarks.copy_(model.place(at))
        near = kernel(model.place(torch.from_numpy(np.stack(found))), model.landmarks)
        among = kernel(model.landmarks, model.landmarks).double().numpy()
    nearness = near.double().numpy()
    weighted = nearness * weights[:, None]
    left = weighted.T @ nearness + RIDGE * among + 1e-4 * np.eye(len(chosen))
    answers = scipy.linalg.solve(left, weighted.T @ target, assume_a="pos")
    model.answers.copy_(torch.from_numpy(SCALE * answers))
    return model.eval()


def _choose(clips: Sequence[Clip]) -> list[Clip]:
    """Of each class and corpus, so many clips as its share allows."""
    rng, chosen = np.random.default_rng(0), []
    kinds = np.array([f"{clip.corpus} {clip.label}" for clip in clips])
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        n = round(PER_SHARE * SHARES[clips[own[0]].corpus])
        chosen += [clips[i] for i in rng.choice(own, min(n, len(own)), replace=False)]
    return chosen


def _told(
    examples: Dataset, clips: Sequence[Clip]
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Functionals, what is true of them (n, n_classes), and how much each counts (n,)."""
    found, truth, weights = [], [], []
    clean = _weights(clips)
    for clip, own in zip(clips, clean):
        n = examples.n_variants[clip.corpus]
        found += [examples.statistics[clip, variant] for variant in range(n)]
        truth += [examples.labels.index(clip.label)] * n
        weights += [own] + [own * VARIED / max(n - 1, 1)] * (n - 1)
    target = np.eye(len(examples.labels))[truth] - 1 / len(examples.labels)
    n = len(examples.nameless_statistics)
    found += examples.nameless_statistics
    target = np.concatenate([target, np.zeros((n, target.shape[1]))])
    return found, target, np.array(weights + [NAMELESS * sum(clean) / max(n, 1)] * n)


def _weights(clips: Sequence[Clip]) -> list[float]:
    """Of each clip, 1 in the mean: corpora by their `SHARES`, their classes alike."""
    kinds = [(clip.corpus, clip.label) for clip in clips]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    n_classes = {name: sum(k[0] == name for k in counts) for name, _ in counts}
    found = [SHARES[name] / n_classes[name] / counts[name, label] for name, label in kinds]
    return (np.array(found) / np.mean(found)).tolist()
