"""Optuna's own pictures of a search, as PNG."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot, ticker
from matplotlib.figure import Figure
from optuna.exceptions import ExperimentalWarning
from optuna.study import Study
from optuna.trial import TrialState
from optuna.visualization import matplotlib as drawn

from utils.command_line.figures import DPI

logger = logging.getLogger(__name__)

UAR = "UAR (%)"
# Name of the file, what draws it, and how many whole trials it needs.
PLOTS: dict[str, tuple[Callable[..., Any], int]] = {
    "history": (drawn.plot_optimization_history, 1),
    "importances": (drawn.plot_param_importances, 2),
    "parallel": (drawn.plot_parallel_coordinate, 2),
    "slice": (drawn.plot_slice, 1),
}


def draw_study(study: Study, folder: Path) -> list[Path]:
    """Draw how the search went, and which settings matter; a picture that needs more trials is
    left out.
    """
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    paths = []
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.simplefilter("ignore", ExperimentalWarning)  # Optuna's pictures may still change
        warnings.simplefilter("ignore", UserWarning)  # that few trials say little
        logging.getLogger("matplotlib.category").setLevel(logging.WARNING)
        pyplot.switch_backend("agg")  # no window system
        for name, (draw, least) in PLOTS.items():
            if len(whole) < least:
                logger.info("%s.png needs %d whole trials, there are %d", name, least, len(whole))
                continue
            axes = draw(study, target_name=UAR)
            figure = np.ravel(axes)[0].figure
            _tidy(name, figure)
            figure.savefig(folder / f"{name}.png", dpi=DPI, bbox_inches="tight")
            pyplot.close(figure)
            paths.append(folder / f"{name}.png")
    return paths


def _tidy(name: str, figure: Figure) -> None:
    """Where Optuna draws one thing over another, or white on grey."""
    for axes in figure.axes:
        for part in axes.collections if name in ("parallel", "slice") else ():
            part.set_cmap("viridis_r")  # whose palest colour is still seen
        if name == "history":  # there is no trial 1.5
            axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        elif name == "slice":
            axes.tick_params("x", which="both", labelrotation=90)
        elif name == "parallel":
            axes.grid(visible=False)  # those of the axes cross each other
        elif legend := axes.get_legend():  # of the one thing that there is
            legend.remove()
