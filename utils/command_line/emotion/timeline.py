"""A recording's emotion over time, as a picture."""

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from utils.command_line.emotion.bars import clock
from utils.command_line.emotion.chunks import Chunk
from utils.command_line.figures import GREY, ORANGE, figure_of, tidy
from utils.errors import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOOR_DB = -70.0  # level below which the curve does not go
FILL = {"sure": ORANGE, "likely": "white"}  # of a mark
NO_SPEECH = "#E4E4E4"
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # between two times
MOST_TIMES = 12
LONGEST = 60  # letters of the title
KOREAN = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo")


class Timeline:
    """Takes chunks as they come, and draws them in the end.

    Parameters
    ----------
    labels : the classes
    title : what it is of

    Raises
    ------
    ConfigError : Matplotlib is not installed
    """

    def __init__(self, labels: Sequence[str], title: str) -> None:
        self._labels = labels
        title = printable(title)  # a name's letter that is none cannot be drawn
        self._title = title if len(title) <= LONGEST else f"{title[:LONGEST]}…"
        self._figure = figure_of(11, 2.3 + 0.4 * len(labels))
        self._edges: list[float] = [0.0]
        self._scores: list[np.ndarray] = []
        self._levels: list[np.ndarray] = []
        self._named: list[tuple[float, str, str]] = []  # middle in s, label, grade

    def add(self, chunk: Chunk) -> None:
        """The next chunk; its sound is not kept."""
        nothing = np.full(len(self._labels), np.nan)
        scores = chunk.scores
        shares = np.array([scores[label] for label in self._labels]) if scores else nothing
        self._scores.append(shares)
        self._edges.append(chunk.end_s)
        self._levels.append(chunk.levels_db())
        if chunk.emotion:
            middle_s = (chunk.start_s + chunk.end_s) / 2
            self._named.append((middle_s, chunk.emotion.label, chunk.emotion.grade))

    def png(self) -> bytes:
        """The level above, and below it how likely each class is; what is told has a mark."""
        upper, lower = self._figure.subplots(
            2, 1, sharex=True, height_ratios=[1, 0.38 * len(self._labels)]
        )
        levels = np.maximum(np.concatenate(self._levels), FLOOR_DB)
        times = np.linspace(0, self._edges[-1], len(levels) + 1)
        upper.stairs(levels, times, baseline=FLOOR_DB, fill=True, color=GREY)
        upper.set(ylabel="level (dB)", ylim=(FLOOR_DB, 0))
        upper.set_title(self._title, parse_math=False, fontfamily=_families())
        tidy(upper)
        rows = np.arange(len(self._labels) + 1) - 0.5
        image = lower.pcolormesh(
            self._edges, rows, np.array(self._scores).T, cmap="Blues", vmin=0, vmax=1
        )
        lower.set_facecolor(NO_SPEECH)
        lower.set_yticks(range(len(self._labels)), self._labels)
        lower.set_ylim(len(self._labels) - 0.5, -0.5)
        self._count_time(lower)
        self._mark(lower)
        self._figure.colorbar(image, ax=[upper, lower], label="probability", pad=0.01)
        file = io.BytesIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # it becomes a box
            self._figure.savefig(file, format="png")
        return file.getvalue()

    def _count_time(self, axes: "Axes") -> None:
        """Times as on a clock, at round places."""
        from matplotlib.ticker import FuncFormatter, MultipleLocator

        end_s = self._edges[-1]
        step_s = next((step for step in STEPS_S if end_s <= MOST_TIMES * step), end_s / MOST_TIMES)
        axes.set(xlabel="time", xlim=(0, end_s))
        axes.xaxis.set_major_locator(MultipleLocator(step_s))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: clock(time_s)))

    def _mark(self, axes: "Axes") -> None:
        """A mark on what is told, full where it is sure; what that means stands below."""
        from matplotlib.patches import Patch

        for grade, colour in FILL.items():
            found = [(at, self._labels.index(label)) for at, label, g in self._named if g == grade]
            at_s, rows = [at for at, _ in found], [row for _, row in found]
            axes.scatter(at_s, rows, s=36, color=colour, edgecolors=ORANGE, label=grade)
        marks, _ = axes.get_legend_handles_labels()
        axes.legend(
            handles=[*marks, Patch(color=NO_SPEECH, label="no speech")],
            loc="upper right",
            bbox_to_anchor=(1, -0.06),
            ncols=3,
            frameon=False,
        )


def _families() -> list[str]:
    """Matplotlib's own font, and behind it those of this computer that know Korean."""
    from matplotlib.font_manager import fontManager

    return ["DejaVu Sans", *(name for name in KOREAN if name in fontManager.get_font_names())]
