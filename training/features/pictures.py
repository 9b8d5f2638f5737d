"""Features of one recording as a picture: what each kind shows of the same speech."""

from pathlib import Path

import librosa
import numpy as np
from matplotlib.axes import Axes

from utils.audio import SAMPLE_RATE, load
from utils.command_line.figures import BLUE, figure_of, tidy
from utils.emotion import features, spectra
from utils.emotion.spectra import N_CHROMA, SpectraConfig
from utils.errors import AudioError

LONGEST_S = 30.0  # drawn of a recording
PANELS = 7
PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def draw_features(recording: Path, path: Path) -> None:
    """Waveform, spectrogram, mel, MFCC, chroma, zero-crossing rate and RMS, one above the other.

    Parameters
    ----------
    recording : of which at most `LONGEST_S` are drawn
    path : the PNG that is written; its folder is there

    Raises
    ------
    AudioError : the recording cannot be read, is silent, or too short
    """
    samples = load(recording)[: int(LONGEST_S * SAMPLE_RATE)]
    try:
        level, _ = features.at_speech_level(samples)
    except AudioError as err:
        raise AudioError(f"{recording}: {err}") from err
    pictures = {
        "spectrogram (dB)": SpectraConfig("logspec", n_freq=401),
        "mel bands (dB)": SpectraConfig("mel"),
        "MFCC": SpectraConfig("mfcc"),
        "chroma": SpectraConfig("chroma"),
    }
    found = {name: spectra.extract(samples, config) for name, config in pictures.items()}
    figure = figure_of(9, 14)
    panels = figure.subplots(PANELS, 1, sharex=True)
    _line(panels[0], samples, SAMPLE_RATE, "samples")
    for axes, (name, config) in zip(panels[1:], pictures.items()):
        end_s = len(found[name]) / config.per_s
        top = 20 * config.n_freq if config.kind == "logspec" else config.n_features
        least, most = np.percentile(found[name][:, int(config.kind == "mfcc") :], [1, 99.5])
        image = axes.imshow(
            found[name].T,
            aspect="auto",
            origin="lower",
            cmap="magma",
            extent=(0, end_s, 0, top),
            vmin=least,
            vmax=most,
        )
        axes.set_ylabel("Hz" if config.kind == "logspec" else "number")
        if config.kind == "chroma":
            axes.set_yticks(np.arange(0.5, N_CHROMA, 2), PITCHES[::2])
            axes.set_ylabel("pitch")
        axes.set_title(name, loc="left", fontsize=10)
        figure.colorbar(image, ax=axes, pad=0.01)
    hop = SpectraConfig().hop_length
    rate = librosa.feature.zero_crossing_rate(level, hop_length=hop)[0]
    power = librosa.feature.rms(y=level, hop_length=hop)[0]
    _line(panels[5], rate, SAMPLE_RATE / hop, "zero-crossing rate")
    _line(panels[6], 20 * np.log10(power + 1e-2), SAMPLE_RATE / hop, "RMS (dB, speech is 0)")
    panels[-1].set_xlabel("s")
    panels[-1].set_xlim(0, len(samples) / SAMPLE_RATE)
    figure.suptitle(recording.name)
    figure.savefig(path)


def _line(axes: Axes, values: np.ndarray, per_s: float, title: str) -> None:
    axes.plot(np.arange(len(values)) / per_s, values, color=BLUE, lw=0.8)
    axes.set_title(title, loc="left", fontsize=10)
    tidy(axes)
