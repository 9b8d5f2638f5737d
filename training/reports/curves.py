"""How a training went, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from utils.command_line.figures import BLUE, GREY, ORANGE, figure_of, tidy

STYLES = ("-", "--", ":", "-.")


def plot_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Loss, and what was recognised of the voices that choose when to stop, by step.

    Parameters
    ----------
    history : of each look "step" and "loss", and where voices judged "likelihood" and "uar/…"
    """
    figure = figure_of(7, 6)
    upper, lower = figure.subplots(2, 1, sharex=True)
    steps = [look["step"] for look in history]
    upper.plot(steps, [look["loss"] for look in history], color=BLUE, label="loss in training")
    judged = [look for look in history if "likelihood" in look]
    places = [look["step"] for look in judged]
    if judged:
        found = [-look["likelihood"] for look in judged]
        upper.plot(places, found, color=ORANGE, label="loss on the voices that choose")
        best = min(judged, key=lambda look: -look["likelihood"])["step"]
        for axes in (upper, lower):
            axes.axvline(best, color=GREY, ls=":")
    names = sorted({name for look in judged for name in look if name.startswith("uar/")})
    for k, name in enumerate(names):
        found = [100 * look[name] for look in judged]
        label = name.removeprefix("uar/")
        lower.plot(places, found, STYLES[k % len(STYLES)], color=ORANGE, label=label)
    upper.set(ylabel="loss", title="Training; the dotted line is what was kept")
    lower.set(xlabel="step", ylabel="UAR (%)", ylim=(0, 100))
    for axes in (upper, lower):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False)
        tidy(axes)
    figure.savefig(path)
