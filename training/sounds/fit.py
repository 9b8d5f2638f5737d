"""Fit the head, and choose from which score on each sound may be told."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from training.sounds.looks import Take
from utils.sounds import LOOKS, OTHER
from utils.sounds.head import NEVER, Head

N_COMPONENTS = 256  # directions in which features differ most; the rest is left out
EVERY = 4  # looks, one of which has a say in what these directions are
HIDDEN = 256
STEPS, BATCH = 600, 256
RATE, DECAY, MIXUP = 2e-3, 0.02, 0.3
OTHERS = 4.0  # all that is not told is drawn as often as so many sounds
RIGHT = 0.97  # of all that is told of recordings left out; on others it is some points less
RIGHT_EACH = 0.93  # … of what is told of each sound
OTHER_WEIGHS = 4.0  # confusions that a sound told of speech or noise counts as: there is more of it
MOST_PRICE, HALVINGS = 100.0, 40  # of a wrong one in right ones; how closely it is looked for
MOST_AS_SPEECH = 0  # recordings of speech that may be called a sound where words would be lost
AS_SPEECH = 0.8  # lowest threshold there
MARGIN = 0.25  # of the way from there to certainty, since unheard voices are not these


def rows(takes: Sequence[Take], labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """All looks of takes: features (n, n_features), and their classes (n,)."""
    features = np.concatenate([take.features for take in takes]).astype(np.float32)
    classes = np.concatenate(
        [np.full(len(take.ends), labels.index(take.label), int) for take in takes]
    )
    return features, classes


@dataclass(frozen=True, eq=False)
class View:
    """How features are looked at: normalised, then along the directions in which they differ most.

    Parameters
    ----------
    mean, scale : (n_features,)
    directions : (n_features, `N_COMPONENTS`)
    """

    mean: np.ndarray
    scale: np.ndarray
    directions: torch.Tensor

    @classmethod
    def of(cls, takes: Sequence[Take]) -> "View":
        """The view that takes give, whatever sounds in them."""
        features = np.concatenate([take.features for take in takes]).astype(np.float32)
        mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
        some = torch.from_numpy((features[::EVERY] - mean) / scale)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            directions = torch.svd_lowrank(some, q=min(N_COMPONENTS, *some.shape))[2]
        return cls(mean, scale, directions)

    def along(self, features: np.ndarray) -> torch.Tensor:
        """(n, `N_COMPONENTS`) of features (n, n_features)."""
        return torch.from_numpy((features - self.mean) / self.scale) @ self.directions


def fit(takes: Sequence[Take], labels: Sequence[str], encoder: str, view: View) -> Head:
    """A network with one hidden layer on the looks of takes; each class is drawn as often.

    Two looks are mixed each time (H. Zhang and others, "mixup: beyond empirical risk minimization",
    ICLR 2018), since there are few recordings.

    Parameters
    ----------
    labels : the classes, `OTHER` among them
    encoder : identity of the encoder that heard
    """
    features, classes = rows(takes, labels)
    x, y = view.along(features), torch.from_numpy(classes)
    size = x.std()
    with _without_denormals(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        hidden, out = _trained(x / size, y, len(labels), labels.index(OTHER))
    told = {label: NEVER for label in labels if label != OTHER}
    return Head(
        tuple(labels),
        *(view.mean, view.scale),
        hidden_weight=((hidden.weight / size) @ view.directions.T).detach().numpy(),
        hidden_bias=hidden.bias.detach().numpy(),
        weight=out.weight.detach().numpy(),
        bias=out.bias.detach().numpy(),
        least=told,
        least_as_speech=told,
        encoder=encoder,
    )


@contextmanager
def _without_denormals() -> Iterator[None]:
    """As weights decay, they become so small that sums are slow. Others count on them."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _trained(
    x: torch.Tensor, y: torch.Tensor, n_classes: int, other: int
) -> tuple[nn.Linear, nn.Linear]:
    """Both layers, of looks x (n, n_directions) and their classes y (n,)."""
    share = torch.ones(n_classes)
    share[other] = OTHERS
    drawn = torch.multinomial(
        (share / torch.bincount(y, minlength=n_classes).clamp(min=1))[y],
        2 * STEPS * BATCH,
        replacement=True,
    ).view(STEPS, 2, BATCH)
    mixed = torch.distributions.Beta(MIXUP, MIXUP).sample((STEPS, BATCH, 1))
    hidden, out = nn.Linear(x.shape[1], HIDDEN), nn.Linear(HIDDEN, n_classes)
    network = nn.Sequential(nn.Dropout(0.2), hidden, nn.ReLU(), nn.Dropout(0.5), out)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
    wanted = torch.eye(n_classes)
    for (first, second), part in zip(drawn, mixed, strict=True):
        found = network(part * x[first] + (1 - part) * x[second])
        aim = part * wanted[y[first]] + (1 - part) * wanted[y[second]]
        optimiser.zero_grad()
        F.cross_entropy(found, aim).backward()
        optimiser.step()
        rates.step()
    return hidden, out


def together(scores: np.ndarray, ends: np.ndarray) -> Iterator[np.ndarray]:
    """Mean scores (n, …) by which a sound is judged live, one after the other, for each onset.

    Parameters
    ----------
    scores : (n_looks, …)
    ends : (n_looks,), samples from where it sounds to the end of each look
    """
    starts = np.flatnonzero(np.diff(ends) < 0) + 1
    for part in np.split(scores, starts):
        means = [part[n - LOOKS : n].mean(axis=0) for n in range(LOOKS, len(part) + 1)]
        if means:
            yield np.array(means)


def best_score(scores: np.ndarray, ends: np.ndarray) -> float:
    """The most that a sound scores as it is judged live, `together`; 0 where it never is."""
    return max((float(means.max()) for means in together(scores, ends)), default=0.0)


@dataclass(frozen=True, eq=False)
class Judged:
    """A take as a head that heard none of its group judges it.

    Parameters
    ----------
    onsets : for each, the likeliest sounds (n,) one after the other, and their scores (n,)
    """

    take: Take
    onsets: list[tuple[list[str], np.ndarray]]

    @classmethod
    def by(cls, head: Head, take: Take) -> "Judged":
        """What a head makes of a take."""
        sounds = [i for i, label in enumerate(head.labels) if label != OTHER]
        onsets = []
        for means in together(head.probabilities(take.features), take.ends):
            likeliest = means[:, sounds].argmax(axis=1)
            labels = [head.labels[sounds[i]] for i in likeliest]
            onsets.append((labels, means[:, sounds].max(axis=1)))
        return cls(take, onsets)

    def most(self) -> dict[str, float]:
        """The most that each sound scores where it is the likeliest."""
        found: dict[str, float] = {}
        for labels, scores in self.onsets:
            for label, score in zip(labels, scores.tolist(), strict=True):
                found[label] = max(found.get(label, 0.0), score)
        return found

    def told(self, least: Mapping[str, float]) -> set[str]:
        """The sounds that are told: of what begins once, the first that is clear."""
        found = set()
        for labels, scores in self.onsets:
            clear = (
                label for label, score in zip(labels, scores, strict=True) if score >= least[label]
            )
            found |= {label for label in [next(clear, None)] if label}
        return found


def thresholds(
    judged: Sequence[Judged], labels: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """The scores from which on sounds may be told, and the same of what is taken for speech.

    Of all thresholds by which `RIGHT` of what is told is right, those by which most is found: each
    sound's is where one more of it found is worth the wrong ones that come with it, at one price.
    """
    curves = {label: _curve(judged, label) for label in labels if label != OTHER}
    dear, cheap = MOST_PRICE, 0.0
    for _ in range(HALVINGS):
        price = (dear + cheap) / 2
        chosen = [_bought(curve, price) for curve in curves.values()]
        n_right, n_wrong = (sum(c[i] for c in chosen) for i in (1, 2))
        good = n_right >= RIGHT * (n_right + n_wrong)
        dear, cheap = (price, cheap) if good else (dear, price)
    least = {label: _bought(curve, dear)[0] for label, curve in curves.items()}
    speech = [j.most() for j in judged if j.take.name.startswith("speech/")]
    as_speech = {}
    for label, score in least.items():
        worst = sorted([0.0] * (MOST_AS_SPEECH + 1) + [most.get(label, 0.0) for most in speech])
        highest = worst[-1 - MOST_AS_SPEECH]
        as_speech[label] = max(score, AS_SPEECH, highest + MARGIN * (1 - highest))
    return least, as_speech


Curve = tuple[
    np.ndarray, np.ndarray, np.ndarray
]  # scores, and the right and the wrong from them on


def _curve(judged: Sequence[Judged], label: str) -> Curve:
    """What is told of a sound by each threshold that may be: `RIGHT_EACH` of it is right."""
    scores = np.array([j.most().get(label, 0.0) for j in judged])
    right = np.array([j.take.label == label for j in judged])
    weight = np.array([OTHER_WEIGHS if j.take.label == OTHER else 1.0 for j in judged])
    order = np.argsort(-scores)
    falling = scores[order]
    n_right, n_wrong = (np.cumsum((x * weight)[order]) for x in (right, ~right))
    lower = np.append(falling[1:] < falling[:-1], True)  # all of an equal score are told, or none
    enough = n_right >= RIGHT_EACH * (n_right + n_wrong + 1)  # one more wrong one counted
    may = lower & enough & (falling > 0)
    return falling[may], n_right[may], n_wrong[may]


def _bought(curve: Curve, price: float) -> tuple[float, float, float]:
    """The threshold that is worth most, where a wrong one costs as much as `price` right ones."""
    scores, n_right, n_wrong = curve
    worth = n_right - price * n_wrong
    if not len(worth) or worth.max() <= 0:
        return NEVER, 0.0, 0.0
    best = int(worth.argmax())
    return float(scores[best]), float(n_right[best]), float(n_wrong[best])


def left_out(
    takes: Sequence[Take], labels: Sequence[str], encoder: str
) -> tuple[dict[str, Head], list[Judged]]:
    """For each group a head that did not hear it, and what that makes of the group's takes."""
    heads, judged = {}, []
    for group in tqdm(sorted({take.group for take in takes}), desc="left out", disable=None):
        others = [take for take in takes if take.group != group]
        heads[group] = fit(others, labels, encoder, View.of(others))
        judged += [Judged.by(heads[group], take) for take in takes if take.group == group]
    return heads, judged


def with_thresholds(takes: Sequence[Take], labels: Sequence[str], encoder: str) -> Head:
    """A head fitted on all takes, with thresholds chosen on each of their groups, left out."""
    judged = left_out(takes, labels, encoder)[1]
    least, as_speech = thresholds(judged, labels)
    facts = {
        "recordings": len({take.name for take in takes}),
        "groups": sorted({take.group for take in takes}),
        "left out": _summary(judged, least),
    }
    whole = fit(takes, labels, encoder, View.of(takes))
    return replace(whole, least=least, least_as_speech=as_speech, facts=facts)


def _summary(judged: Sequence[Judged], least: Mapping[str, float]) -> dict[str, dict[str, int]]:
    """Of each sound: takes of it, those in which it is found, and others that are called so."""
    told = [(j.take.label, j.told(least)) for j in judged]
    found = {}
    for label in least:
        n_takes = sum(what == label for what, _ in told)
        n_found = sum(what == label and label in sounds for what, sounds in told)
        n_wrong = sum(what != label and label in sounds for what, sounds in told)
        found[label] = {"takes": n_takes, "found": n_found, "wrong": n_wrong}
    return found
