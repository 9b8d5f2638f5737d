"""The emotion network: steps of features in, logits of classes out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from utils.emotion.encoder import STEP
from utils.emotion.place import Place

CLAMP = 4.0  # standard deviations: a statistic further out than any voice says no more
WIDTH = 128  # of a step between its features and the LSTM
OVERLAP = 9  # frames that the convolution sees of a step and its neighbours, 0.18 s
# How far what is usual counts: after n remarks it is TRUST n / (n + DOUBT) of the way.
TRUST, DOUBT = 0.9, 2.0
LSTM_SHARE = 0.25  # of the answer; the rest is of what was heard as a whole


@dataclass(frozen=True)
class ModelConfig:
    """Size of the network; a checkpoint carries the one it was trained with.

    Parameters
    ----------
    n_features : columns of a frame: MFCC, zero-crossing rate, RMS
    n_heard : columns of what the encoder heard in a step
    n_classes : width of the logits
    n_listeners : networks whose logits are averaged, each trained by itself
    n_components : principal components of what was heard that the LSTM gets
    hidden : units of the LSTM in each direction
    dense : units between what was pooled and the logits
    dropout : share of inputs of each layer that training leaves out
    encoder : identity of the encoder that it learnt with
    """

    n_features: int
    n_heard: int
    n_classes: int
    n_listeners: int = 1
    n_components: int = 128
    hidden: int = 64
    dense: int = 128
    dropout: float = 0.4
    encoder: str = ""

    def check(self, n_features: int, labels: Sequence[str]) -> None:
        """Raise ValueError where it does not fit the frames that are made, or the labels."""
        if self.n_features != n_features:
            raise ValueError(
                f"the network expects {self.n_features} features a frame, "
                f"its feature settings give {n_features}"
            )
        if not 1 <= self.n_components <= self.n_heard:
            raise ValueError(
                f"{self.n_components} principal components of {self.n_heard} columns heard, "
                f"expected 1 to {self.n_heard}"
            )
        if not len(labels) == len(set(labels)) == self.n_classes:
            raise ValueError(
                f"{self.n_classes} classes but the labels {list(labels)}, "
                "expected one distinct label per class"
            )


@dataclass(frozen=True, eq=False)
class Usual:
    """How speech usually sounds where a remark is made: by that microphone, of those voices.

    Parameters
    ----------
    mean : (batch, width) mean `description` of other remarks
    n_remarks : (batch,) how many those are; 0 where there is none
    """

    mean: torch.Tensor
    n_remarks: torch.Tensor

    @classmethod
    def of(cls, mean: np.ndarray, n_remarks: int) -> "Usual":
        """Of one place: the mean description (width,) of so many remarks."""
        found = torch.from_numpy(mean.astype(np.float32))[None]
        return cls(found, torch.tensor([float(n_remarks)]))

    @classmethod
    def at(cls, place: Place) -> "Usual | None":
        """Of a place; None where nothing is known of it."""
        return None if place.mean is None else cls.of(place.mean, place.n_remarks)

    def to(self, device: torch.device) -> "Usual":
        """The same on a device."""
        return Usual(self.mean.to(device), self.n_remarks.to(device))


class EmotionLSTM(nn.Module):
    """Listeners, each trained by itself, whose logits are averaged.

    Parameters
    ----------
    config : size of the network
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.listeners = nn.ModuleList(Listener(config) for _ in range(config.n_listeners))

    def forward(
        self, steps: torch.Tensor, lengths: torch.Tensor, usual: Usual | None = None
    ) -> torch.Tensor:
        """Logits (batch, n_classes) of steps (batch, n_steps, width), `utils.emotion.steps`.

        Steps at and after `lengths` (batch,) are padding and change nothing. The width is that
        of four frames, with or without what the encoder heard.

        Parameters
        ----------
        usual : how speech usually sounds there; None where nothing was heard yet
        """
        found = [listener(steps, lengths, usual) for listener in self.listeners]
        return torch.stack(found).mean(dim=0)


class Listener(nn.Module):
    """A bidirectional LSTM on features and on what an encoder heard, and attentive pooling.

    MFCC, zero-crossing rate and RMS pass a convolution over nine frames; what the encoder heard
    is turned to its principal components and projected. Their sum, a step of 80 ms, goes to the
    LSTM, of which is kept what was found worth attending to (Okabe et al., "Attentive statistics
    pooling for deep speaker embedding", Interspeech 2018). Beside it stand mean and deviation
    over time of all that the encoder heard. Each of the two comes to logits of its own, and
    learns by itself; the second knows more, and has more say. Without an encoder its part is as
    if it had heard what it hears on average.

    A remark is heard against how speech usually sounds there: the microphone, the room and the
    voice shift features more than a feeling does.

    Parameters
    ----------
    config : size of the network
    """

    mean: torch.Tensor
    std: torch.Tensor
    heard_mean: torch.Tensor
    heard_std: torch.Tensor
    components: torch.Tensor
    statistics_mean: torch.Tensor
    statistics_std: torch.Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.n_features))
        self.register_buffer("std", torch.ones(config.n_features))
        self.register_buffer("heard_mean", torch.zeros(config.n_heard))
        self.register_buffer("heard_std", torch.ones(config.n_heard))
        self.register_buffer("components", torch.zeros(config.n_heard, config.n_components))
        self.register_buffer("statistics_mean", torch.zeros(2 * config.n_heard))
        self.register_buffer("statistics_std", torch.ones(2 * config.n_heard))
        self.front = nn.Conv1d(config.n_features, WIDTH, OVERLAP, STEP, OVERLAP // 2)
        self.project = nn.Linear(config.n_components, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        # Two one-way networks and a turned copy: several times as fast on a CPU as packed
        # sequences, and padding stays behind each sequence in both directions.
        self.forth = nn.LSTM(WIDTH, config.hidden, batch_first=True)
        self.back = nn.LSTM(WIDTH, config.hidden, batch_first=True)
        self.attention = nn.Linear(2 * config.hidden, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.whole = nn.Linear(2 * config.n_heard, config.dense)
        self.whole_norm = nn.LayerNorm(config.dense)
        self.whole_out = nn.Linear(config.dense, config.n_classes)
        self.dense = nn.Linear(4 * config.hidden, config.dense)
        self.dense_norm = nn.LayerNorm(config.dense)
        self.out = nn.Linear(config.dense, config.n_classes)

    def forward(
        self, steps: torch.Tensor, lengths: torch.Tensor, usual: Usual | None = None
    ) -> torch.Tensor:
        """Logits (batch, n_classes); parameters as in `EmotionLSTM.forward`."""
        shift = self.unusual(usual) if usual else None
        of_lstm, of_whole = self.classify(*self.scale(steps, lengths, shift), lengths).unbind(dim=1)
        return LSTM_SHARE * of_lstm + (1 - LSTM_SHARE) * of_whole

    def unusual(self, usual: Usual) -> torch.Tensor:
        """What sets a place apart from the training, (batch, width): as far as it is known."""
        n = usual.n_remarks[:, None]
        centre = torch.cat([self.mean, self.statistics_mean])[: usual.mean.shape[1]]
        return TRUST * n / (n + DOUBT) * (usual.mean - centre)

    def scale(
        self, steps: torch.Tensor, lengths: torch.Tensor, shift: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What `classify` takes, scaled to the training's mean and deviation.

        Parameters
        ----------
        shift : (batch, width) what is taken from the `description` of each

        Returns
        -------
        frames : (batch, 4 n_steps, n_features), zero after each end
        heard : principal components (batch, n_steps, n_components)
        whole : mean and deviation over time of all that was heard, (batch, 2 n_heard); this
            and `heard` are zero where no encoder heard
        """
        n_features = self.config.n_features
        n = STEP * n_features
        if shift is None:
            shift = steps.new_zeros(len(steps), n_features + 2 * (steps.shape[-1] - n))
        mask = within(lengths, steps.shape[1])[..., None]
        frames = steps[..., :n].unflatten(-1, (STEP, -1)) - shift[:, None, None, :n_features]
        # Zero after scaling, as the convolution pads: an end looks alike in every batch.
        frames = ((frames - self.mean) / self.std).masked_fill(~mask[..., None], 0.0)
        if steps.shape[-1] == n:
            heard = steps.new_zeros(*steps.shape[:2], self.config.n_components)
            return frames.flatten(1, 2), heard, steps.new_zeros(len(steps), 2 * self.config.n_heard)
        found = statistics(steps[..., n:], lengths) - shift[:, n_features:]
        heard = steps[..., n:] - shift[:, None, n_features : n_features + self.config.n_heard]
        heard = ((heard - self.heard_mean) / self.heard_std) @ self.components
        whole = ((found - self.statistics_mean) / self.statistics_std).clip(-CLAMP, CLAMP)
        return frames.flatten(1, 2), heard, whole

    def classify(
        self, frames: torch.Tensor, heard: torch.Tensor, whole: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """Logits (batch, 2, n_classes) of what `scale` gives: of the LSTM, and of the whole."""
        whole = torch.relu(self.whole_norm(self.whole(self.dropout(whole))))
        x = self._listen(frames, heard, lengths)
        x = torch.relu(self.dense_norm(self.dense(self.dropout(x))))
        return torch.stack([self.out(self.dropout(x)), self.whole_out(self.dropout(whole))], dim=1)

    def _listen(
        self, frames: torch.Tensor, heard: torch.Tensor, lengths: torch.Tensor
    ) -> torch.Tensor:
        """What the LSTM attended to, (batch, 4 hidden)."""
        mask = within(lengths, heard.shape[1])[..., None]
        x = self.front(frames.transpose(1, 2)).transpose(1, 2)  # (batch, n_steps, WIDTH)
        x = self.dropout(torch.relu(self.norm(x + self.project(self.dropout(heard)))))
        x = torch.cat([self.forth(x)[0], _turn(self.back(_turn(x, lengths))[0], lengths)], dim=-1)
        weights = self.attention(torch.tanh(x)).masked_fill(~mask, -torch.inf).softmax(dim=1)
        mean = (weights * x).sum(dim=1)
        variance = (weights * (x - mean[:, None]).square()).sum(dim=1)
        return torch.cat([mean, (variance + 1e-5).sqrt()], dim=-1)  # no infinite slope at 0


def description(steps: torch.Tensor, lengths: torch.Tensor, n_features: int) -> torch.Tensor:
    """How remarks sound: (batch, n_features + 2 n_heard) of steps (batch, n_steps, width).

    Mean over time of the frames, mean and deviation of what the encoder heard.
    """
    n = STEP * n_features
    mask = within(lengths, steps.shape[1])[..., None]
    frames = (steps[..., :n] * mask).sum(dim=1) / lengths[:, None]
    found = statistics(steps[..., n:], lengths)
    return torch.cat([frames.unflatten(1, (STEP, -1)).mean(dim=1), found], dim=1)


def describe(steps: np.ndarray, n_features: int) -> np.ndarray:
    """`description` float32 (width,) of the steps (n_steps, width) of one remark."""
    array = torch.from_numpy(np.asarray(steps, np.float32))[None]
    return description(array, torch.tensor([len(steps)]), n_features)[0].numpy()


def statistics(heard: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Mean and deviation over time (batch, 2 n_heard) of steps (batch, n_steps, n_heard)."""
    mask = within(lengths, heard.shape[1])[..., None]
    n = lengths[:, None]
    mean = (heard * mask).sum(dim=1) / n
    variance = ((heard - mean[:, None]).square() * mask).sum(dim=1) / n
    return torch.cat([mean, variance.sqrt()], dim=1)


def within(lengths: torch.Tensor, n_steps: int) -> torch.Tensor:
    """Which of `n_steps` lie before each length: bool (batch, n_steps)."""
    return torch.arange(n_steps, device=lengths.device) < lengths[:, None]


def _turn(x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Sequences (batch, n, width) from last step to first; padding stays where it is."""
    step = torch.arange(x.shape[1], device=x.device)
    index = torch.where(step < lengths[:, None], lengths[:, None] - 1 - step, step)
    return x.gather(1, index[..., None].expand_as(x))
