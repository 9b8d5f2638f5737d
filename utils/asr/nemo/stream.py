"""Streaming through a cache-aware NeMo model: words while they are spoken.

The model is called in steps on chunks of complete mel frames, with the caches of its layers
and the decoder's state carried from one to the next, so that the text is that of the whole
segment and a step costs the same however long ago the segment began (arXiv 2312.17279).
A state is never changed, only replaced: any stream can go back to one that it has kept.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from utils.asr.nemo.boost import boost
from utils.asr.nemo.decode import Decoded, open_decoder
from utils.asr.nemo.mel import MelFrames
from utils.asr.nemo.text import Spelling
from utils.asr.nemo.worker import Worker, result
from utils.audio import SAMPLE_RATE
from utils.events import Transcription

if TYPE_CHECKING:
    import torch

KEPT_EVERY_S = 0.5  # between states that are kept for a split in hindsight
KEPT_FOR_S = 6.0  # a split looks back less; further back it costs time, not correctness


@dataclass(frozen=True, eq=False)
class State:
    """Where a stream is in its model.

    Parameters
    ----------
    look_ahead : encoder frames of right context, which every step of the stream has
    n_mel : mel frames heard
    history : float (n_mels, n), the last of them, which the subsampling needs again
    caches : of the encoder's layers, for one stream; None at the beginning
    decoded : the text so far
    """

    look_ahead: int
    n_mel: int = 0
    history: "torch.Tensor | None" = None
    caches: "tuple[torch.Tensor, ...] | None" = None
    decoded: Decoded = Decoded()


class StreamingModel:
    """A cache-aware model, its weights only.

    Parameters
    ----------
    model : restored CTC, RNNT, TDT or hybrid NeMo model of which `can_stream` is true
    dtype : of the encoder's input: that of its weights
    phrases : to prefer, as in `utils.asr.nemo.boost`

    Raises
    ------
    ConfigError : the model cannot prefer phrases, or cannot spell one
    """

    def __init__(self, model: Any, dtype: "torch.dtype", phrases: tuple[str, ...] = ()) -> None:
        self._encoder = model.encoder
        self._dtype = dtype
        self._device = next(model.parameters()).device
        decoder = open_decoder(model)
        self._decoder = boost(model, decoder, phrases) if phrases else decoder
        self.mel = MelFrames(model.preprocessor, self._device)
        hop_s = self.mel.hop_length / SAMPLE_RATE
        self.frame_s = hop_s * self._encoder.subsampling_factor
        self.spelling = Spelling(model, self.frame_s)
        self._contexts = {right: self._context(right) for right in look_aheads(model)}

    @property
    def look_aheads(self) -> list[int]:
        """The right contexts that the model was trained for, in encoder frames, rising."""
        return sorted(self._contexts)

    def chunk_s(self, look_ahead: int) -> float:
        """How much sound a step takes, in seconds: what a word may wait to be heard."""
        return (look_ahead + 1) * self.frame_s

    def _context(self, right: int) -> tuple[list[int], Any]:
        """The encoder's settings for a look-ahead."""
        size = next(size for size in self._encoder.att_context_size_all if size[1] == right)
        self._encoder.set_default_att_context_size(size)
        return size, self._encoder.streaming_cfg

    def _choose(self, right: int) -> Any:
        self._encoder.att_context_size, self._encoder.streaming_cfg = self._contexts[right]
        return self._encoder.streaming_cfg

    def frames_wanted(self, state: State) -> int:
        """How many new mel frames the next step takes."""
        sizes = self._contexts[state.look_ahead][1].chunk_size
        return sizes[0] if state.n_mel == 0 else sizes[1]

    def step(self, jobs: "list[tuple[State, torch.Tensor]]") -> list[State]:
        """Take a chunk of mel frames (n_mels, n) in each of several states alike.

        Alike are states of the same look-ahead, history and chunk length; see `alike`.
        """
        import torch

        states, chunks = zip(*jobs, strict=True)
        config = self._choose(states[0].look_ahead)
        n_history = min(config.pre_encode_cache_size[1], states[0].n_mel)
        with torch.inference_mode():
            mel = torch.stack([_joined(*job) for job in jobs])  # (n_streams, n_mels, n)
            encoded, _, *caches = self._encoder.cache_aware_stream_step(
                processed_signal=mel.to(self._dtype),
                processed_signal_length=torch.full((len(jobs),), mel.shape[2], device=mel.device),
                **self._batched_caches(states),
                keep_all_outputs=True,
                drop_extra_pre_encoded=self._repeated(n_history, config),
            )
            decoded = self._decoder.step(encoded, [state.decoded for state in states])
            keep = config.pre_encode_cache_size[1]
            return [
                State(
                    state.look_ahead,
                    state.n_mel + chunk.shape[1],
                    mel[i, :, -keep:].clone(),
                    # copies: a view would keep the caches of the whole batch
                    (caches[0][:, i].clone(), caches[1][:, i].clone(), caches[2][i].clone()),
                    decoded[i],
                )
                for i, (state, chunk) in enumerate(zip(states, chunks, strict=True))
            ]

    def _repeated(self, n_history: int, config: Any) -> int:
        """Encoder frames at the front of a step that its history gives once more."""
        full = config.pre_encode_cache_size[1]
        return config.drop_extra_pre_encoded if n_history == full else min(n_history, 1)

    def _batched_caches(self, states: tuple[State, ...]) -> "dict[str, torch.Tensor]":
        import torch

        if states[0].caches is None:
            channel, time, length = self._encoder.get_initial_cache_state(
                batch_size=len(states), dtype=self._dtype, device=self._device
            )
        else:
            channels, times, lengths = zip(*(state.caches for state in states), strict=True)
            channel, time = torch.stack(channels, dim=1), torch.stack(times, dim=1)
            length = torch.stack(lengths)
        return {
            "cache_last_channel": channel,
            "cache_last_time": time,
            "cache_last_channel_len": length,
        }


def _joined(state: State, chunk: "torch.Tensor") -> "torch.Tensor":
    import torch

    return chunk if state.history is None else torch.cat([state.history, chunk], dim=1)


def alike(state: State, chunk: "torch.Tensor") -> tuple[int, int, int]:
    """What two steps must share to be taken together."""
    n_history = 0 if state.history is None else state.history.shape[1]
    return state.look_ahead, n_history, chunk.shape[1]


def can_stream(model: Any) -> bool:
    """Whether a model was trained to be run in steps, and hears only what is behind it.

    Its features must not be normalised over the recording, which is not known yet.
    """
    encoder, cfg = model.encoder, model.cfg.preprocessor
    return (
        getattr(encoder, "att_context_style", "") == "chunked_limited"
        and encoder.conv_context_size[1] == 0
        and not getattr(model.preprocessor.featurizer, "exact_pad", False)
        and cfg.get("normalize", "per_feature") in {"NA", "None", None, ""}
        and isinstance(encoder.streaming_cfg.chunk_size, list)
        and bool(look_aheads(model))
    )


def look_aheads(model: Any) -> list[int]:
    """Right contexts of a model whose left context is bounded, so that a step's cost is."""
    sizes = model.encoder.att_context_size_all
    return sorted({right for left, right in sizes if left > right >= 0})


class NemoStream:
    """The recognition of one segment in steps, see `utils.asr.Stream`.

    Parameters
    ----------
    model, worker : shared by all streams
    look_ahead : one of `model.look_aheads`
    """

    def __init__(self, model: StreamingModel, worker: Worker, look_ahead: int) -> None:
        self._model, self._worker = model, worker
        self._samples = np.zeros(0, np.float32)
        self._state = State(look_ahead)
        self._kept = [self._state]
        self._text = ""
        self._ahead: tuple[int, Future[State]] | None = None

    def grow(self, samples: np.ndarray) -> str:
        """Hear on, float32 (n,) at 16 kHz so far; return the text so far."""
        self._samples = samples
        complete = self._model.mel.complete(len(self._samples))
        stepped = False
        while self._state.n_mel + self._model.frames_wanted(self._state) <= complete:
            end = self._state.n_mel + self._model.frames_wanted(self._state)
            self._state, stepped = result(self._step(self._state, end)), True
            self._keep()
        if stepped:
            self._text = self._model.spelling.text(self._state.decoded.tokens)
        return self._text

    def _step(self, state: State, end: int) -> "Future[State]":
        chunk = self._model.mel.compute(self._samples, state.n_mel, end)
        return self._worker.submit(self._model.step, (state, chunk), alike(state, chunk))

    def _keep(self) -> None:
        mel_per_s = SAMPLE_RATE / self._model.mel.hop_length
        if self._state.n_mel - self._kept[-1].n_mel >= KEPT_EVERY_S * mel_per_s:
            self._kept.append(self._state)
            oldest = self._state.n_mel - KEPT_FOR_S * mel_per_s
            self._kept[1:] = [state for state in self._kept[1:] if state.n_mel >= oldest]

    def work_ahead(self) -> None:
        """Hear the rest of what there is, in the background."""
        n_samples = len(self._samples)
        end = self._model.mel.at_end(n_samples)
        if self._ahead_of(n_samples) is None and end > self._state.n_mel:
            self._ahead = n_samples, self._step(self._state, end)

    def _ahead_of(self, n_samples: int) -> "Future[State] | None":
        return self._ahead[1] if self._ahead and self._ahead[0] == n_samples else None

    def finish(self, samples: np.ndarray) -> Transcription:
        """The text of float32 (n,), as a model that hears the whole of it would give it."""
        self._samples, n_samples = samples, len(samples)
        ready = self._ahead_of(n_samples)
        state = result(ready) if ready else self._replay(n_samples)
        self._kept.clear()
        return self._model.spelling.transcription(state.decoded.tokens, n_samples / SAMPLE_RATE)

    def _replay(self, n_samples: int) -> State:
        """Go on from the last state that heard nothing beyond `n_samples`, to their end."""
        complete, end = self._model.mel.complete(n_samples), self._model.mel.at_end(n_samples)
        states = [*self._kept, self._state]
        state = next(state for state in reversed(states) if state.n_mel <= complete)
        while state.n_mel < end:
            wanted = self._model.frames_wanted(state)
            state = result(self._step(state, min(state.n_mel + wanted, end)))
        return state
