"""How likely each 32 ms of sound is speech: Silero VAD, from the model in its package.

The package itself imports torch and sets its thread count for the whole process; the
model needs neither, so it is run with ONNX Runtime straight from the package's files.
"""

import copy
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from utils.errors import ModelError

WINDOW_SAMPLES = 512  # what the model takes at 16 kHz: 32 ms
_CONTEXT_SAMPLES = 64  # it also wants the end of the window before
_STATE_SHAPE = (2, 1, 128)

# What `hears_speech` asks of a recording, measured on four corpora of acted speech, of which
# it misses 0.5 %, and on synthesised music, of which it passes 2 %.
_LEVEL = 0.1  # RMS of its loud windows, to which it is brought
_LOUD_PERCENTILE = 95
_QUIET = 0.03  # of that RMS, -30 dB: what is quieter at its start is left out
_SPEECH = 0.5  # probability at which a window counts
_SPEECH_WINDOWS = 4  # that count: 0.13 s


def _model_path() -> Path:
    spec = find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the package silero-vad is not installed; run `make setup`")
    path = Path(spec.submodule_search_locations[0]) / "data" / "silero_vad.onnx"
    if not path.is_file():
        raise ModelError(f"{path} is missing; install the pinned silero-vad with `make setup`")
    return path


_LOUDEST = 0.05  # the least gain of `EvenLevel`


class EvenLevel:
    """Brings sound to the level at which the detector hears speech best, whatever the room.

    It follows the loudest of late: at once up, slowly down, so that pauses stay quiet.

    Parameters
    ----------
    softest : the most gain
    release_s : time in which the level that it knows falls to a third
    """

    def __init__(self, softest: float, release_s: float) -> None:
        self._softest = softest
        self._fall = float(np.exp(-WINDOW_SAMPLES / 16_000 / release_s))
        self._recent = 0.0  # RMS

    def apply(self, window: np.ndarray) -> np.ndarray:
        """The next window, float32 (512,), at that level."""
        rms = float(np.sqrt(np.mean(np.square(window))))
        self._recent = max(rms, self._recent * self._fall)
        gain = _LEVEL / self._recent if self._recent > 0 else 1.0
        return window * np.float32(min(max(gain, _LOUDEST), self._softest))


class VoiceActivity:
    """A running voice activity detector.

    Raises
    ------
    ModelError : the model's package is missing or has another layout
    """

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One window is 0.1 ms of work: more threads would only wait for each other.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(_model_path()), options, providers=["CPUExecutionProvider"]
        )
        self.reset()

    def twin(self) -> "VoiceActivity":
        """Another one, with the same model in memory."""
        other = copy.copy(self)
        other.reset()
        return other

    def reset(self) -> None:
        """Forget what was heard."""
        self._state = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)

    def probability(self, window: np.ndarray) -> float:
        """Probability, in [0, 1], that the next `window`, float32 (512,), is speech."""
        feeds = {
            "input": np.concatenate([self._context, window])[None],
            "state": self._state,
            "sr": np.array(16_000, np.int64),
        }
        probability, self._state = self._session.run(None, feeds)
        self._context = window[-_CONTEXT_SAMPLES:]
        return float(probability[0, 0])

    def hears_speech(self, samples: np.ndarray) -> bool:
        """Whether a recording, float32 (n,), holds speech, whatever its level.

        It looks no further than it must, so speech takes a small part of the time that
        music takes. What was heard before is forgotten.
        """
        whole = len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES
        if whole == 0:
            return False
        windows = samples[:whole].reshape(-1, WINDOW_SAMPLES)
        rms = np.sqrt(np.mean(np.square(windows), axis=1))
        level = np.percentile(rms, _LOUD_PERCENTILE)
        if level == 0:
            return False
        self.reset()
        found = 0
        for window in windows[np.argmax(rms > _QUIET * level) :]:
            found += self.probability(window * np.float32(_LEVEL / level)) > _SPEECH
            if found == _SPEECH_WINDOWS:
                return True
        return False
