"""How much quiet after the speech Whisper's encoder has to hear, and what each length costs."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np

from tests.measuring import frames, row, share, table, utterances
from tests.scoring import word_errors
from utils.asr.choose import open_embedded
from utils.asr.whisper import model as whisper
from utils.asr.whisper.model import FRAMES_PER_S, QUIET_FRAMES, WINDOW_FRAMES, WhisperModel
from utils.asr.whisper.stream import BEAM
from utils.asr.whisper.transcriber import WhisperTranscriber
from utils.audio import SAMPLE_RATE
from utils.captions.segmenter import Segmenter
from utils.captions.vad import VoiceActivity

QUIETS = (50, 100, 200, QUIET_FRAMES)  # frames of silence behind the speech, then the tail
WINDOWS = (1500, WINDOW_FRAMES)  # frames that speech is padded to, without the tail
LENGTHS_S = (3.0, 7.0, 30.0)  # up to which segments are counted together for the cost


@dataclass
class Passes:
    """What one way of hearing made of all utterances."""

    wrong: int = 0
    broken: int = 0  # passes that repeat themselves or do not end
    costs_s: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __str__(self) -> str:
        costs = (f"{np.median(self.costs_s[s]):.3f}" for s in LENGTHS_S if self.costs_s[s])
        return f"{self.broken} broken; a pass takes {', '.join(costs)} s"


def bench_context(every: int, skip: int) -> None:
    """Word error rate, broken passes and cost of one pass with a beam, by what is heard."""
    said = [(speech(samples), text) for samples, text in utterances(every, skip)]
    n_segments = sum(len(segments) for segments, _ in said)
    lengths = ", ".join(f"{length:g}" for length in LENGTHS_S)
    table(
        f"Context: {n_segments} segments, beam of {BEAM}; cost for segments of up to {lengths} s",
        [],
    )
    transcriber = open_embedded()
    assert isinstance(transcriber, WhisperTranscriber)
    ways = [(quiet, False) for quiet in QUIETS] + [(window, True) for window in WINDOWS]
    n_words = sum(word_errors(text, "")[1] for _, text in said)
    for n_frames, padded in ways:
        passes = Passes()
        for segments, text in said:
            heard = [one_pass(transcriber._model, s, n_frames, padded, passes) for s in segments]
            passes.wrong += word_errors(text, " ".join(heard))[0]
        length = f"{n_frames / FRAMES_PER_S:g} s"
        name = f"padded to {length}" if padded else f"{length} of quiet, then the silent tail"
        row(name, f"{share(passes.wrong, n_words)} wrong; {passes}")
    transcriber.close()


def speech(samples: np.ndarray) -> list[np.ndarray]:
    """The segments of a recording."""
    segmenter = Segmenter(VoiceActivity())
    chunks = [chunk for frame in frames(samples) for chunk in segmenter.push(frame)]
    return [chunk.samples for chunk in [*chunks, *segmenter.flush()] if chunk.last]


def one_pass(
    model: WhisperModel, samples: np.ndarray, n_frames: int, padded: bool, passes: Passes
) -> str:
    """What one pass makes of a segment; broken or not, and its cost, are noted.

    Parameters
    ----------
    n_frames : of silence after the speech; or, where `padded`, of both together at the least
    """
    mel, began = model.mel(), time.monotonic()
    mel.grow(samples)
    speech_frames = whisper._frames(len(samples))
    wanted = max(n_frames, speech_frames) if padded else speech_frames + n_frames
    features = mel.features(len(samples), min(wanted + wanted % 2, WINDOW_FRAMES))
    with patch.object(whisper, "QUIET_FRAMES", n_frames):
        heard = model._pass(features, len(samples), BEAM, safely=padded)
    length_s = next(s for s in LENGTHS_S if len(samples) <= s * SAMPLE_RATE)
    passes.costs_s[length_s].append(time.monotonic() - began)
    passes.broken += not heard.whole
    return heard.text
