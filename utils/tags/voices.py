"""Whether another voice than before is speaking, by a model that tells voices apart.

A line says that it is another voice's than the line before and, once there have been two, which
voice of the session it is: a number, never a name. A wrong mark is worse than a missing one, so in
doubt the voice is the same, and a line that is too short to be judged has none.
"""

from collections import deque
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from utils.audio import SAMPLE_RATE
from utils.tags import Tag

MOST = 8  # voices that are remembered; the one not heard for longest is forgotten
HEAVIEST = 20.0  # segments that a voice's mean stands for, so that it can follow the speaker
# Samples of a segment after which its voice is judged; it begins with 0.3 s from before the speech.
PLACES = tuple(int(seconds * SAMPLE_RATE) for seconds in (1.3, 2.0, 3.3, 5.0))


@dataclass(frozen=True)
class Likeness:
    """What the cosine of a voice and an embedding says of a model's voices.

    Parameters
    ----------
    learn : from here on the present voice follows what it is heard to be
    known : from here on it may be a voice heard before, if that is nearer than the present one
    margins : at each of `PLACES`, by how much nearer
    others : at each of `PLACES`, the cosine below which the present voice does not speak any more;
        less speech says less, so it has to say it more clearly
    in_noise : the same where it is noisy (`QUIET_DB`)
    new : how little one embedding says of a voice's mean: the cosine with a voice that was heard n
        times is multiplied by sqrt(1 + new / n)
    """

    learn: float
    known: float
    margins: tuple[float, ...]
    others: tuple[float, ...]
    in_noise: tuple[float, ...]
    new: float = 0.0


# Where NeMo's verify_speakers() draws the line: 0.7 on its scale from 0 to 1.
NEMO = Likeness(
    learn=0.4,
    known=0.4,
    margins=(0.2, 0.2, 0.2, 0.2),
    others=(0.1, 0.1, 0.2, 0.2),
    in_noise=(0.1, 0.1, 0.2, 0.2),
)


# Speech is so much louder than what was before it, or it is in noise. Readers as they were recorded
# and across a room have 31 to 58 dB; in rain at 10 dB 12 to 24.
QUIET_DB = 27.0
FRAME = SAMPLE_RATE // 50
BEFORE = 12  # frames at the beginning of a line that are taken to be before the speech


@dataclass(frozen=True)
class _Heard:
    """An embedding of length 1, and what `Likeness` asks of it."""

    embedding: np.ndarray
    other: float
    margin: float


class VoiceModel(Protocol):
    """What the pipeline needs of a model that tells voices apart."""

    def embed(self, samples: np.ndarray) -> "Future[np.ndarray]":
        """Begin to work out where the voice in float32 (n,) at 16 kHz lies; returns at once.

        Returns
        -------
        to be an embedding (n_dimensions,), near to those of the same voice in angle
        """
        ...

    def close(self) -> None:
        """Let the model go; what has not been worked out is cancelled."""
        ...


class _Voice:
    """A voice by the weighted sum of its embeddings, and its number."""

    def __init__(self, embedding: np.ndarray, number: int) -> None:
        self._sum, self._weight, self.number = embedding.copy(), 1.0, number

    def likeness(self, embedding: np.ndarray, new: float) -> float:
        """Cosine between the voice and an embedding of length 1, as `Likeness.new` has it."""
        length = float(np.linalg.norm(self._sum))
        cosine = float(self._sum @ embedding) / length if length else 0.0
        return cosine * float(np.sqrt(1 + new / self._weight))

    def add(self, embedding: np.ndarray) -> None:
        if self._weight >= HEAVIEST:
            self._sum *= (HEAVIEST - 1) / HEAVIEST
        else:
            self._weight += 1
        self._sum += embedding


class VoicesTag(Tag):
    """Whether a line is another voice's than the one before it.

    Parameters
    ----------
    model : tells them apart
    likeness : of its embeddings

    Attributes
    ----------
    voice : number of the line's voice as far as is known, None where it is not
    speaker : the same, None as well while there has been one voice alone
    """

    name, missing = "new_voice", "voices.missing"

    def __init__(self, model: VoiceModel, likeness: Likeness = NEMO) -> None:
        super().__init__()
        self.model, self._likeness = model, likeness
        self._voices: deque[_Voice] = deque(maxlen=MOST)  # the last is the present one
        self._n_voices = 0  # that have been heard, those that are forgotten included
        self._last: Future[np.ndarray] | None = None  # the newest embedding of any line
        self.begin(live=True)

    def begin(self, live: bool) -> None:
        """A line begins. Where nobody reads along, every embedding is waited for; otherwise one
        that is late is done without, and none is begun while another is under way."""
        self._wait = not live
        self._asked: list[tuple[Future[np.ndarray] | None, bool]] = []  # at places, and if in noise
        self.voice: int | None = None
        self.speaker: int | None = None

    def grow(self, samples: np.ndarray) -> bool | None:
        """Whether float32 (n,) is another voice's, as far as is known."""
        for n_samples in PLACES[len(self._asked) :]:
            if len(samples) >= n_samples:
                line = samples[:n_samples]
                self._asked.append((self._embed(line), _in_noise(line)))
        return self._judge(self._newest(len(samples), wait=False)) or None

    def finish(self, samples: np.ndarray) -> None:
        """Find the voice of the whole line; what it means is said once the line has words."""
        self._judge(self._newest(len(samples), self._wait))

    def after_text(self, text: str, samples: np.ndarray) -> bool | None:
        """Whether the whole line was another voice's, which is then the present one."""
        known = self._newest(len(samples), self._wait)
        is_other = self._judge(known)
        if known is not None:
            self._heard(known)
        return is_other or None

    def close(self) -> None:
        """Let the model go."""
        self.voice = self.speaker = None
        self.model.close()

    def _embed(self, samples: np.ndarray) -> "Future[np.ndarray] | None":
        """Begin to work out an embedding, unless the model is busy and is not to be waited for."""
        if self._last and not self._last.done() and not self._wait:
            return None
        self._last = self.model.embed(samples)
        return self._last

    def forget(self) -> None:
        """Forget every voice: the next one is the first."""
        self._voices.clear()

    def _judge(self, known: _Heard | None) -> bool:
        """Whether what was heard is another voice than the present one, and which."""
        self.voice = self.speaker = None
        if known is None:
            return False
        voice = self._find(known)
        self.voice = voice.number
        if not self._voices:
            return False
        if len(self._voices) > 1 or voice not in self._voices:  # one alone is not numbered
            self.speaker = voice.number
        return voice is not self._voices[-1]

    def _heard(self, known: _Heard) -> None:
        """A voice has spoken, as `_judge` has it."""
        voice, embedding = self._find(known), known.embedding
        if voice in self._voices:
            same = voice is self._voices[-1]
            if not same or self._like(voice, embedding) >= self._likeness.learn:
                voice.add(embedding)
            self._voices.remove(voice)
        self._voices.append(voice)
        self._n_voices = max(self._n_voices, voice.number)

    def _find(self, known: _Heard) -> _Voice:
        """The voice that it is, or a new one; in doubt the present one."""
        embedding = known.embedding
        if not self._voices:
            return _Voice(embedding, self._n_voices + 1)
        *before, present = self._voices
        here = self._like(present, embedding)
        nearest = max(before, key=lambda voice: self._like(voice, embedding), default=present)
        best = self._like(nearest, embedding)
        if best >= self._likeness.known and best - here >= known.margin:
            return nearest
        if here >= known.other:
            return present
        if best >= known.other:
            return nearest
        return _Voice(embedding, self._n_voices + 1)

    def _like(self, voice: _Voice, embedding: np.ndarray) -> float:
        return voice.likeness(embedding, self._likeness.new)

    def _newest(self, n_samples: int, wait: bool) -> _Heard | None:
        """The embedding of most of the first `n_samples` that is there."""
        for place, (future, noisy) in reversed([*enumerate(self._asked)]):
            if future and PLACES[place] <= n_samples and (wait or future.done()):
                embedding = _unit(future)
                if embedding is not None:
                    others = self._likeness.in_noise if noisy else self._likeness.others
                    return _Heard(embedding, others[place], self._likeness.margins[place])
        return None


class SpeakerTag(Tag):
    """Which voice of the session a line is, once there have been two: its `number`.

    As `voice` it is told a second time, for who counts otherwise and gives it another number.

    Parameters
    ----------
    voices : tells them apart, and is asked before this one
    """

    name = "speaker"

    def __init__(self, voices: VoicesTag) -> None:
        super().__init__()
        self._voices = voices

    def grow(self, samples: np.ndarray) -> dict[str, int] | None:
        """The voice, as far as is known."""
        return self._told()

    def after_text(self, text: str, samples: np.ndarray) -> dict[str, int] | None:
        """The voice of the whole line."""
        return self._told()

    def _told(self) -> dict[str, int] | None:
        number = self._voices.speaker
        return None if number is None else {"number": number, "voice": number}


def _in_noise(line: np.ndarray) -> bool:
    """Whether float32 (n,), a line from before its speech on, is speech in noise."""
    frames = line[: len(line) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-12
    loud_db = 10 * np.log10(np.percentile(power, 90) / np.median(power[:BEFORE]))
    return bool(loud_db < QUIET_DB)


def _unit(future: "Future[np.ndarray]") -> np.ndarray | None:
    """An embedding that is there, of length 1; None where it has none, or the program ends."""
    try:
        embedding = future.result().astype(np.float64)
    except CancelledError:
        return None
    length = np.linalg.norm(embedding)
    return embedding / length if np.isfinite(length) and length else None
