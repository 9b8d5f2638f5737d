"""What corpora are like, as pictures: classes, lengths, levels, speakers, languages."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.corpora import LABELS, Clip
from utils import audio
from utils.command_line.figures import BLUE, GREY, ORANGE, figure_of, tidy
from utils.command_line.output import counted
from utils.errors import AudioError

# Okabe and Ito, "Color Universal Design", 2008, one for each of `LABELS`
COLOURS = ("#999999", "#56B4E9", "#F0E442", BLUE, ORANGE, "#CC79A7", "#009E73", "#E69F00")


@dataclass(frozen=True)
class Measured:
    """A clip that can be read.

    Parameters
    ----------
    duration_s : its length
    level_db : its RMS, 0 at a full-scale square wave
    """

    clip: Clip
    duration_s: float
    level_db: float


def measure(clips: Sequence[Clip], progress: Callable[[], None]) -> list[Measured]:
    """Length and level of all clips that can be read; `progress` is called after each."""
    found = []
    for clip in clips:
        try:
            samples = audio.load(clip.path)
        except AudioError:
            pass
        else:
            seconds = len(samples) / audio.SAMPLE_RATE
            found.append(Measured(clip, seconds, audio.level_db(samples)))
        progress()
    return found


def draw_corpora(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Write classes, lengths, levels, speakers and languages as PNG; the files.

    Parameters
    ----------
    folder : is there
    """
    names = list(dict.fromkeys(m.clip.corpus for m in measured))
    return [
        _classes(measured, names, folder / "classes.png"),
        _spread(measured, names, "duration_s", "length (s)", folder / "lengths.png"),
        _spread(measured, names, "level_db", "RMS level (dB)", folder / "levels.png"),
        _speakers(measured, names, folder / "speakers.png"),
        _languages(measured, folder / "languages.png"),
    ]


def _classes(measured: Sequence[Measured], names: list[str], path: Path) -> Path:
    figure = figure_of(8, 1.8 + 0.5 * len(names))
    axes = figure.add_subplot()
    left = np.zeros(len(names))
    for label, colour in zip(LABELS, COLOURS):
        counts = Counter(m.clip.corpus for m in measured if m.clip.label == label)
        widths = np.array([counts[name] for name in names])
        if widths.any():
            axes.barh(names, widths, left=left, color=colour, label=label, ec="white")
        left += widths
    axes.invert_yaxis()
    axes.set(xlabel="recordings", title="Classes")
    axes.legend(ncols=4, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.25))
    tidy(axes)
    figure.savefig(path)
    return path


def _spread(
    measured: Sequence[Measured], names: list[str], field: str, title: str, path: Path
) -> Path:
    """A histogram of each corpus on one axis, one above the other."""
    values = {n: [getattr(m, field) for m in measured if m.clip.corpus == n] for n in names}
    every = np.concatenate(list(values.values()))
    bins = np.linspace(every.min(), every.max() + 1e-6, 41).tolist()
    figure = figure_of(8, 1 + 1.2 * len(names))
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, own) in zip(panels, values.items()):
        axes.hist(own, bins, color=BLUE, ec="white")
        middle = float(np.median(own))
        axes.axvline(middle, color=ORANGE)
        axes.set_title(f"{name}: {middle:.1f} in the middle", loc="left", fontsize=9)
        tidy(axes)
    panels[-1].set_xlabel(title)
    figure.supylabel("recordings")
    figure.savefig(path)
    return path


def _speakers(measured: Sequence[Measured], names: list[str], path: Path) -> Path:
    figure = figure_of(8, 1 + 1.5 * len(names))
    panels = figure.subplots(len(names), 1, squeeze=False)[:, 0]
    colours = {"female": ORANGE, "male": BLUE, None: GREY}
    for axes, name in zip(panels, names):
        own = [m.clip for m in measured if m.clip.corpus == name]
        counts = Counter(clip.speaker for clip in own)
        gender = {clip.speaker: clip.gender for clip in own}
        order = sorted(counts, key=lambda who: -counts[who])
        bars = [colours[gender[who]] for who in order]
        axes.bar(range(len(order)), [counts[who] for who in order], color=bars)
        axes.set_title(f"{name}: {counted(len(order), 'speaker')}", loc="left", fontsize=9)
        axes.set_xticks([])
        tidy(axes)
    figure.supylabel("recordings of each speaker")
    figure.suptitle("Speakers: women orange, men blue, untold grey")
    figure.savefig(path)
    return path


def _languages(measured: Sequence[Measured], path: Path) -> Path:
    figure = figure_of(6, 3.5)
    axes = figure.add_subplot()
    minutes: dict[str, float] = {}
    for m in measured:
        minutes[m.clip.language] = minutes.get(m.clip.language, 0.0) + m.duration_s / 60
    order = sorted(minutes, key=lambda name: -minutes[name])
    axes.bar(order, [minutes[name] for name in order], color=BLUE)
    axes.set(ylabel="minutes", title="Languages")
    tidy(axes)
    figure.savefig(path)
    return path
