"""Figures that commands draw, in colours that colour-blind eyes tell apart.

Matplotlib is the workshop's; the program runs without it.
"""

from typing import TYPE_CHECKING

from utils.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, "Color Universal Design", 2008
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A8A8A"
DPI = 150


def figure_of(width: float, height: float) -> "Figure":
    """A figure of so many inches, drawn by Agg: no window system, no state beside it.

    Raises
    ------
    ConfigError : Matplotlib is not installed
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise ConfigError(
            "a picture needs Matplotlib; install it with: "
            ".venv/bin/pip install -r utils/command_line/emotion/analyze.txt"
        ) from err
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def tidy(axes: "Axes") -> None:
    """No frame above and on the right, and a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E5E5E5", linewidth=0.8)
    axes.set_axisbelow(True)
