"""A loaded Whisper: mel features in, words with their times and probabilities out.

CTranslate2 runs the network; faster-whisper brings the tokenizer, the mel bands and the
alignment of words. Its own `transcribe` is made for files: it hears 30 s whatever was said.
"""

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from utils.asr.whisper.guard import is_speech
from utils.asr.whisper.heard import (
    NOTHING,
    Heard,
    before_loop,
    is_loop,
    joined,
    quietest,
    repeats,
)
from utils.asr.whisper.mel import FRAMES_PER_S, HOP_LENGTH, RANGE, GrowingMel
from utils.audio import SAMPLE_RATE
from utils.errors import ModelError
from utils.events import Word
from utils.faults import model_error

WINDOW_FRAMES = 3000  # 30 s: what Whisper was trained to hear at a time
# The encoder's cost grows with what it hears, and the decoder looks at the quiet that follows
# the speech to know that it has ended: without some it repeats itself for ever. So the encoder
# hears the speech and this much silence, and the decoder is given the encoder's last positions
# of a silent window after it, which are computed once. See `make bench ARGS=context`.
QUIET_FRAMES = 300
TAIL_POSITIONS = 500  # 10 s; a position is two frames
SAFE_FRAMES = 1500  # of silence and speech without that, for the rare segment that it breaks on

MIN_SAMPLES = SAMPLE_RATE // 10  # a shorter segment holds no word
MOST_TOKENS = 224  # half of the decoder's length, as in whisper/decoding.py
TOKENS_AT_ONCE, TOKENS_PER_S = 16, 10  # no speech has more: what is longer repeats itself
FEWEST_SPELT = (
    1_000  # tokens with a letter, under which no language is written; Whispers have 45,000
)
SHORTEST_HALVES = 3 * SAMPLE_RATE  # samples, of which no more than a loop is cut off


def width(n_samples: int) -> int:
    """How many frames of features `WhisperModel.hear` wants of so many samples."""
    return min(
        max(SAFE_FRAMES, 2 * math.ceil((_frames(n_samples) + QUIET_FRAMES) / 2)), WINDOW_FRAMES
    )


def _frames(n_samples: int) -> int:
    return min(math.ceil(n_samples * FRAMES_PER_S / SAMPLE_RATE), WINDOW_FRAMES - 2)


class WhisperModel:
    """A Whisper in CTranslate2's form.

    Parameters
    ----------
    folder : checked already, see `utils.models.whisper.folder`
    language : two letters
    threads : for one pass
    workers : how many passes go at a time, on the same weights

    Raises
    ------
    ModelError : CTranslate2 is missing or cannot load the folder
    """

    def __init__(self, folder: Path, language: str, threads: int, workers: int = 1) -> None:
        try:
            import ctranslate2
            from faster_whisper import WhisperModel as FasterWhisper
            from faster_whisper.tokenizer import Tokenizer
        except (ImportError, OSError) as err:  # OSError: a library that cannot be read
            raise model_error(
                err,
                "Whisper",
                f"Whisper needs faster-whisper, which is not installed ({err}); install it with: "
                ".venv/bin/pip install -r requirements.txt",
            ) from err
        try:
            self._whisper = FasterWhisper(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=threads,
                num_workers=workers,
                local_files_only=True,
            )
        except Exception as err:  # the tokenizer's own kind is no narrower
            raise model_error(
                err,
                f"the Whisper in {folder}",
                f"{folder}: Whisper cannot be loaded from it ({err}); fetch it again",
            ) from err
        self._storage = ctranslate2.StorageView.from_array
        self._engine = self._whisper.model
        self._tokenizer = Tokenizer(
            self._whisper.hf_tokenizer, self._engine.is_multilingual, "transcribe", language
        )
        self._filters = self._whisper.feature_extractor.mel_filters.astype(np.float32)
        self._prompt = self._sequence = [
            *self._tokenizer.sot_sequence,
            self._tokenizer.no_timestamps,
        ]
        if self.n_mels != self._engine.n_mels:
            raise ModelError(
                f"{folder}: preprocessor_config.json tells of {self.n_mels} mel bands, the weights "
                f"of {self._engine.n_mels}; fetch it again"
            )
        silence = GrowingMel(self._filters).features(0, WINDOW_FRAMES)
        self._tail = np.array(self._encode(silence))[:, -TAIL_POSITIONS:]

    def prefer(self, phrases: tuple[str, ...]) -> None:
        """Prefer these names and words, and no others, from the next pass on."""
        self._prompt = [*self._before(phrases), *self._sequence]

    def _before(self, phrases: tuple[str, ...]) -> list[int]:
        """Tokens that stand before the speech as if they had been said, so that they are known."""
        if not phrases:
            return []
        said = self._tokenizer.encode(" " + ", ".join(phrases) + ".")
        return [self._tokenizer.sot_prev, *said[-(MOST_TOKENS - 1) :]]

    def check_speaks(self) -> None:
        """Hear silence, and refuse a model of which no word can come, whatever is said.

        Raises
        ------
        ModelError : its tokens are no words
        """
        spelt = map(self._tokenizer.decode, ([token] for token in range(self._tokenizer.eot)))
        if sum(any(map(str.isalpha, text)) for text in spelt) < FEWEST_SPELT:
            raise ModelError("its tokenizer.json spells no words")
        silence = np.zeros((self.n_mels, width(SAMPLE_RATE)), np.float32)
        self.hear(silence, SAMPLE_RATE, 1)

    @property
    def n_mels(self) -> int:
        """Mel bands of the features."""
        return len(self._filters)

    def mel(self) -> GrowingMel:
        """The spectrogram of a new segment."""
        return GrowingMel(self._filters)

    def hear(self, features: np.ndarray, n_samples: int, beam: int) -> Heard:
        """Recognise the first `n_samples` of a segment.

        Parameters
        ----------
        features : float32 (n_mels, n_frames), see `width`
        beam : hypotheses kept; 1 is greedy
        """
        if n_samples < MIN_SAMPLES:
            return NOTHING
        began = time.monotonic()
        heard = self._hear(features, n_samples, beam)
        return replace(heard, cost_s=time.monotonic() - began)

    def _hear(self, features: np.ndarray, n_samples: int, beam: int) -> Heard:
        heard = self._pass(features, n_samples, beam, safely=False)
        if not heard.whole and beam > 1 and _frames(n_samples) + QUIET_FRAMES <= SAFE_FRAMES:
            heard = self._pass(features, n_samples, beam, safely=True)  # longer ones differ little
        if heard.whole:
            return heard
        if beam > 1 and n_samples >= SHORTEST_HALVES:
            return self._in_halves(features, n_samples, beam)
        return replace(heard, words=heard.words[: before_loop(heard.words)])

    def _in_halves(self, features: np.ndarray, n_samples: int, beam: int) -> Heard:
        """Hear both halves of a segment, in which the decoder is not yet lost."""
        n_frames = _frames(n_samples)
        cut = quietest(features[:, :n_frames])
        silence = features.max() - RANGE / 4.0  # the faintest that features tell of
        halves = []
        for begin, end in ((0, cut), (cut, n_frames)):
            n_samples = (end - begin) * HOP_LENGTH
            half = np.full((self.n_mels, width(n_samples)), silence, np.float32)
            half[:, : end - begin] = features[:, begin:end]
            heard = self._hear(half, n_samples, beam)
            halves.append(heard if is_speech(heard) else NOTHING)
        return joined(halves[0], halves[1], cut / FRAMES_PER_S)

    def _pass(self, features: np.ndarray, n_samples: int, beam: int, safely: bool) -> Heard:
        speech = _frames(n_samples)
        encoded = self._encode(features) if safely else self._encoded(features, speech)
        most = min(MOST_TOKENS, TOKENS_AT_ONCE + TOKENS_PER_S * speech // FRAMES_PER_S)
        (found,) = self._engine.generate(
            encoded,
            [self._prompt],
            beam_size=beam,
            return_scores=True,
            return_no_speech_prob=True,
            max_length=len(self._prompt) + most,
        )
        tokens = [token for token in found.sequences_ids[0] if token < self._tokenizer.eot]
        log_probability = found.scores[0] * len(found.sequences_ids[0]) / (len(tokens) + 1)
        words = self._words(encoded, tokens, speech, n_samples / SAMPLE_RATE)
        said_again = not repeats(self._tokenizer.decode(tokens)) or not is_loop(words)
        return Heard(
            words, log_probability, found.no_speech_prob, len(tokens) < most and said_again
        )

    def _encoded(self, features: np.ndarray, speech: int) -> Any:
        """What the decoder looks at, (1, n_positions, width): the speech, and much silence."""
        n_frames = min(2 * math.ceil((speech + QUIET_FRAMES) / 2), features.shape[1])
        positions = np.array(self._encode(features[:, :n_frames]))
        room = WINDOW_FRAMES // 2 - positions.shape[1]
        tail = self._tail[:, max(0, TAIL_POSITIONS - room) :]
        return self._storage(np.concatenate([positions, tail], axis=1))

    def _encode(self, features: np.ndarray) -> Any:
        return self._engine.encode(self._storage(np.ascontiguousarray(features[None])), to_cpu=True)

    def _words(
        self, encoded: Any, tokens: list[int], speech: int, end_s: float
    ) -> tuple[Word, ...]:
        """Words with their places, read off where the decoder looked (cross-attention)."""
        if not tokens:
            return ()
        (found,) = self._whisper.find_alignment(self._tokenizer, [tokens], encoded, speech)
        words: list[Word] = []
        for entry in found:
            text, start_s = entry["word"], min(float(entry["start"]), end_s)
            stop_s = min(max(float(entry["end"]), start_s), end_s)
            confidence = float(entry["probability"])
            if words and not text.startswith(" "):  # a mark, or the rest of a word
                last = words.pop()
                text, start_s = last.text + text, last.start_s
                if last.confidence is not None:
                    confidence = min(last.confidence, confidence)
            words.append(Word(text.strip(), start_s, stop_s, round(confidence, 3)))
        return tuple(word for word in words if word.text)
