"""A report as a page to read: what `report.json` holds, in words, tables and pictures."""

from collections.abc import Iterable, Sequence

from utils.command_line.output import counted

HOW_CALIBRATED = {
    "given": "The temperature is that of the model, {least:.3f}.",
    "none": "No temperature was given and there is one fold only: scores are as trained.",
    "other folds": (
        "Each fold's temperature ({least:.3f} to {most:.3f}) is fitted on the answers to voices "
        "that the fold does not test."
    ),
}
CROSSVALIDATED = (
    "Cross-validated: each fold's model is tested on speakers that it did not train on."
)
ONE_FOLD = (
    "One fold: what its model trained on, and that no speaker here was among it, is for the "
    "model's card to say."
)
WORDS = """## Words

- **UAR**: unweighted average recall, the mean over classes of the share that is recognised; in a \
group, over the classes that the group has.
- **±**: standard deviation over seeds; none is given for a single seed.
- **ECE**: expected calibration error, the mean gap between how sure the answers are and how often \
they are right, in 15 bins of equal width; 0 is perfect.
- **Coverage**: the share of clips that are answered when the least sure ones are left out.
- **Calibrated**: logits divided by a temperature; it changes how sure an answer is, never which.
"""


def to_markdown(report: dict) -> str:
    """The page of a report, with links to the pictures beside it."""
    sections = (_summary, _tested, _classes, _certainty, _groups, _conditions)
    parts = [part for section in sections if (part := section(report))]
    return "\n\n".join([f"# {report['title']}", *parts, WORDS])


def _summary(report: dict) -> str:
    overall, calibration = report["overall"], report["calibration"]
    rows = [
        ("**UAR**", f"**{spread_text(overall['uar'])} %**"),
        ("accuracy", f"{spread_text(overall['accuracy'])} %"),
        ("accuracy on the surest half", f"{spread_text(report['accuracy_at_coverage']['0.5'])} %"),
        ("ECE, calibrated", error_text(calibration["ece"])),
        ("ECE, as trained", error_text(calibration["ece_uncalibrated"])),
    ]
    if gap := report["women_less_men"]:
        rows.append(("UAR of women less that of men", f"{spread_text(gap, sign='+')} points"))
    conditions = report["conditions"]
    rows += [
        (f"UAR lost, {name}", f"{spread_text(lost)} points")
        for name, lost in conditions["uar_lost"].items()
        if name not in conditions["label_unchanged"]
    ]
    if (kept := conditions["label_unchanged"].get("every gain")) is not None:
        rows.append(("label unchanged at every gain", f"{100 * kept:.2f} % of answers"))
    return table_of(("measure", "figure"), rows)


def _tested(report: dict) -> str:
    tested = report["tested"]
    seeds, folds, labels = tested["seeds"], tested["folds"], tested["labels"]
    corpora = ", ".join(f"{name} ({n:,})" for name, n in tested["corpora"].items())
    lines = [
        "## What was tested",
        f"{tested['clips']:,} clips of {counted(tested['speakers'], 'speaker')}; clips by corpus: "
        f"{corpora}. {counted(len(seeds), 'seed')} ({', '.join(map(str, seeds))}), "
        f"{counted(len(folds), 'fold')}, {tested['answers']:,} answers to clips as recorded. "
        f"{len(labels)} classes: {', '.join(labels)}; by chance the UAR would be "
        f"{100 / len(labels):.1f} %.",
        (CROSSVALIDATED if len(folds) > 1 else ONE_FOLD)
        + " Figures are computed for each seed, all folds together, and averaged over seeds; "
        "tables of classes and of thresholds count the answers of all seeds.",
        "Conditions: " + ", ".join(tested["conditions"]) + ".",
    ]
    if len(folds) > 1:
        by_fold = report["overall"]["uar_by_fold"]
        rows = [(fold, ", ".join(who), spread_text(by_fold[fold])) for fold, who in folds.items()]
        lines.append(table_of(("fold", "speakers tested", "UAR (%)"), rows))
    return "\n\n".join(lines)


def _classes(report: dict) -> str:
    rows = [
        (name, f"{c['answers']:,}", *(rate_text(c[key]) for key in ("recall", "precision", "f1")))
        for name, c in report["classes"].items()
    ]
    head = ("class", "answers", "recall (%)", "precision (%)", "F1 (%)")
    return "\n\n".join(["## By class", table_of(head, rows), "![Confusion matrix](confusion.png)"])


def _certainty(report: dict) -> str:
    calibration, shown = report["calibration"], report["shown"]
    coverage = [
        (f"{100 * float(c):.0f} %", spread_text(found))
        for c, found in report["accuracy_at_coverage"].items()
    ]
    thresholds = [_shown_row(least, figures) for least, figures in shown["by_threshold"].items()]
    if chosen := shown.get("chosen"):
        span = f"{chosen['least']:.2f} to {chosen['most']:.2f}, chosen on the other folds"
        thresholds.append(_shown_row(f"{span} for {100 * chosen['target']:.0f} %", chosen))
    return "\n\n".join(
        [
            "## How far it can be trusted",
            HOW_CALIBRATED[calibration["how"]].format(**calibration)
            + f" ECE {error_text(calibration['ece'])}; as trained "
            f"{error_text(calibration['ece_uncalibrated'])}.",
            "![Reliability diagram](reliability.png)",
            table_of(("clips answered, surest first", "accuracy (%)"), coverage),
            "![Accuracy against coverage](coverage.png)",
            table_of(("shown from a confidence of", "of them right (%)", "shown (%)"), thresholds),
        ]
    )


def _shown_row(least: str, figures: dict) -> tuple[str, str, str]:
    return least, rate_text(figures["precision"]), rate_text(figures["coverage"])


def _groups(report: dict) -> str:
    groups = dict(report["groups"])
    speakers = sorted(groups.pop("speaker").items(), key=lambda item: item[1]["mean"])
    (worst, low), (best, high) = speakers[0], speakers[-1]
    rows = [
        (kind, name, spread_text(found))
        for kind, groups_of in groups.items()
        for name, found in groups_of.items()
    ]
    lines = ["## By group"]
    if rows:
        lines.append(table_of(("", "group", "UAR (%)"), rows))
    lines.append(
        f"Speakers: from {spread_text(low)} % ({worst}) to {spread_text(high)} % ({best})."
    )
    return "\n\n".join([*lines, "![UAR by group](groups.png)"])


def _conditions(report: dict) -> str:
    lost = report["conditions"]["uar_lost"]
    unchanged = report["conditions"]["label_unchanged"]
    if not lost:
        return ""
    rows = [
        (name, spread_text(lost.get(name)), rate_text(unchanged.get(name), digits=2))
        for name in {**lost, **unchanged}
    ]
    head = ("condition", "UAR lost (points)", "label unchanged (% of answers)")
    return "\n\n".join(
        ["## Under other conditions, against the same clips as recorded", table_of(head, rows)]
    )


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread_text(figures: dict | None, sign: str = "") -> str:
    """Mean ± standard deviation in percent.

    >>> spread_text({"mean": 0.646, "sd": 0.002}), spread_text({"mean": 0.05, "sd": None}, "+")
    ('64.6 ± 0.2', '+5.0')
    """
    if figures is None or figures["mean"] is None:
        return "–"
    mean = f"{round(100 * figures['mean'], 1) + 0.0:{sign}.1f}"  # + 0.0: no "-0.0"
    return mean if figures["sd"] is None else f"{mean} ± {100 * figures['sd']:.1f}"


def error_text(figures: dict) -> str:
    """Mean ± standard deviation of a calibration error."""
    mean = f"{figures['mean']:.3f}"
    return mean if figures["sd"] is None else f"{mean} ± {figures['sd']:.3f}"


def rate_text(value: float | None, digits: int = 1) -> str:
    """A share in percent, without the sign; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.{digits}f}"
