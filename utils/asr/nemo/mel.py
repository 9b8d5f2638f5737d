"""Mel frames of a recording that still grows, equal to those of the whole recording.

NeMo centres frame t at sample t · hop of the signal, padded with zeros on both sides. With
a window of w samples it is complete once t · hop + w / 2 samples are there; only complete
frames are given out, until the end is known. So what a model hears does not depend on how
the sound arrived.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

# Frames computed in front and thrown away: the first sample of a slice has no neighbour
# for the pre-emphasis, and half a window reaches back 1.25 hops.
RUN_IN = 2


class MelFrames:
    """Computes stretches of a recording's mel frames.

    Parameters
    ----------
    preprocessor : NeMo's AudioToMelSpectrogramPreprocessor, without dither and padding,
        whose features are not normalised over the recording
    device : where the frames go
    """

    def __init__(self, preprocessor: Any, device: "torch.device") -> None:
        self._featurizer = preprocessor.featurizer
        self._device = device
        self.hop_length = int(self._featurizer.hop_length)
        self._ahead = max(int(self._featurizer.win_length) // 2, self.hop_length)

    def complete(self, n_samples: int) -> int:
        """How many frames `n_samples` determine, whatever follows."""
        return max(0, (n_samples - self._ahead) // self.hop_length + 1)

    def at_end(self, n_samples: int) -> int:
        """How many frames a recording of `n_samples` has."""
        return n_samples // self.hop_length

    def samples_for(self, n_frames: int) -> int:
        """The samples after which `n_frames` are complete."""
        return (n_frames - 1) * self.hop_length + self._ahead if n_frames else 0

    def compute(self, samples: np.ndarray, first: int, end: int) -> "torch.Tensor":
        """Frames `first` to `end` (exclusive) of a recording.

        Parameters
        ----------
        samples : float32 (n,), from the recording's beginning; where it stops before the
            last window does, zeros follow, as at the end of a recording

        Returns
        -------
        float32 (n_mels, end - first)
        """
        import torch

        start = max(0, first - RUN_IN)
        part = samples[start * self.hop_length : self.samples_for(end)]
        signal = torch.from_numpy(part).to(self._device)[None]
        length = torch.tensor([signal.shape[1]], device=self._device)
        mel, _ = self._featurizer(signal, length)
        return mel[0, :, first - start : end - start]
