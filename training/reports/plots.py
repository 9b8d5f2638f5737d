"""Pictures of a report and of a training run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from training.emotion.evaluate import N_BINS, Reliability
from training.reports.breakdown import Spread
from utils.command_line.figures import BLUE, GREY, ORANGE, figure_of, tidy

DOTS = {"fmt": "o", "color": BLUE, "ecolor": GREY, "capsize": 3}
MAX_NAMED = 40  # more speakers than this are drawn without their names


def plot_confusion(counts: np.ndarray, labels: Sequence[str], path: Path) -> None:
    """Confusion matrix in percent of each true class, with the number of clips below.

    Parameters
    ----------
    counts : (n_classes, n_classes) row the truth, column the answer
    """
    total = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts / np.maximum(total, 1)
    size = 2.6 + 0.75 * len(labels)
    figure = figure_of(size + 0.6, size)
    axes = figure.add_subplot()
    image = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(percent):
        axes.text(
            column,
            row,
            f"{value:.0f}\n",
            ha="center",
            va="center",
            fontsize=12,
            color="white" if value > 55 else "black",
        )
        axes.text(
            column,
            row,
            f"\n\n{counts[row, column]}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if value > 55 else "#555555",
        )
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(labels)), labels)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="answer", ylabel="truth", title="What is taken for what")
    figure.colorbar(image, ax=axes, label="% of the true class", shrink=0.8)
    figure.savefig(path)


def plot_reliability(bins: Mapping[str, Reliability], path: Path) -> None:
    """Accuracy against confidence, and below it how many answers were how sure.

    Parameters
    ----------
    bins : one or two, by what they are called; the answers counted are those of the last
    """
    figure = figure_of(6, 6.5)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], "--", color=GREY, label="as often right as it says")
    styles = [(ORANGE, "s"), (BLUE, "o")][-len(bins) :]
    for (name, found), (colour, marker) in zip(bins.items(), styles):
        upper.plot(found.confidence, found.accuracy, marker, ls="-", color=colour, label=name)
    upper.set(
        ylabel="share that is right",
        title="Is it as often right as it says?",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    upper.legend(loc="upper left", frameon=False)
    left = np.arange(N_BINS) / N_BINS
    lower.bar(left, found.count, width=1 / N_BINS, align="edge", color=BLUE, ec="white")
    lower.set(xlabel="confidence", ylabel="answers")
    for axes in (upper, lower):
        tidy(axes)
    figure.savefig(path)


def plot_coverage(curves: Sequence[tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Accuracy when only the surest answers count, one line a seed.

    Parameters
    ----------
    curves : coverage and accuracy, (n,) each, as `evaluate.coverage_curve` returns
    """
    figure = figure_of(6.5, 4.5)
    axes = figure.add_subplot()
    for i, (coverage, accuracy) in enumerate(curves):
        axes.plot(
            100 * coverage,
            100 * accuracy,
            color=BLUE,
            lw=1.5,
            alpha=0.6,
            label=None if i else "one line a seed",
        )
    for share in (0.5, 1.0):
        height = 100 * float(np.mean([np.interp(share, *curve) for curve in curves]))
        axes.plot(100 * share, height, "o", color=ORANGE, clip_on=False, zorder=3)
        axes.annotate(
            f"{height:.1f} %",
            (100 * share, height),
            xytext=(-6, -16),
            textcoords="offset points",
            ha="right",
            color=ORANGE,
            weight="bold",
        )
    lowest = min(float(accuracy[len(accuracy) // 20 :].min()) for _, accuracy in curves)
    axes.set(
        xlabel="share of clips that are answered, the surest first (%)",
        ylabel="share of them that is right (%)",
        title="Accuracy against coverage",
        xlim=(0, 100),
        ylim=(max(0, 100 * lowest - 12), 101),
    )
    axes.legend(loc="lower left", frameon=False)
    tidy(axes)
    figure.savefig(path)


def plot_groups(groups: Mapping[str, Mapping[str, Spread]], overall: Spread, path: Path) -> None:
    """UAR of each group beside that of all, with the standard deviation over seeds.

    Parameters
    ----------
    groups : by kind, the UAR of each group; "speaker" is one of the kinds
    """
    flat = {kind: found for kind, found in groups.items() if kind != "speaker"}
    speakers = dict(sorted(groups["speaker"].items(), key=lambda item: item[1].mean))
    heights = [*(len(found) + 0.4 for found in flat.values()), 6]
    figure = figure_of(7.5, 2.5 + 0.32 * sum(heights))
    panels = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for axes, (kind, found) in zip(panels, flat.items()):
        means, sds = _in_percent(found)
        axes.axvline(100 * overall.mean, color=ORANGE, ls="--")
        axes.errorbar(means, range(len(found)), xerr=sds, ms=6, **DOTS)
        for place, mean in enumerate(means):
            axes.text(101, place, f"{mean:.1f}", va="center")
        axes.set_yticks(range(len(found)), found)
        axes.set(ylabel=kind, ylim=(len(found) - 0.4, -0.6), xlim=(0, 100))
        axes.tick_params(labelbottom=kind == list(flat)[-1])
        tidy(axes)
    axes = panels[-1]
    means, sds = _in_percent(speakers)
    axes.axhline(100 * overall.mean, color=ORANGE, ls="--", label="all together")
    axes.errorbar(range(len(speakers)), means, yerr=sds, ms=4, **DOTS)
    named = list(speakers) if len(speakers) <= MAX_NAMED else []
    axes.set_xticks(range(len(named)), named, rotation=90, fontsize=7)
    axes.set(ylabel="speaker", ylim=(0, 100))
    axes.legend(loc="lower right", frameon=False)
    tidy(axes)
    figure.align_ylabels(panels)
    figure.suptitle(f"UAR (%) by group; all together {100 * overall.mean:.1f} %")
    figure.savefig(path)


def _in_percent(found: Mapping[str, Spread]) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations, the latter 0 where there is a single seed."""
    means = 100 * np.array([figures.mean for figures in found.values()])
    return means, 100 * np.nan_to_num([figures.sd for figures in found.values()])
