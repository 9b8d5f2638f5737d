"""What corpora hold, and which of their files cannot be read."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.corpora.clip import Clip
from training.corpora.labels import LABELS
from utils.audio import SAMPLE_RATE
from utils.audio.recording import Recording
from utils.command_line.output import counted
from utils.errors import AudioError


@dataclass(frozen=True)
class Overview:
    """What one corpus holds; clips that cannot be read are in `unreadable` only.

    Attributes
    ----------
    corpus : a name in `READERS`
    n_clips : clips that can be read
    women, men, untold : speakers by gender
    hours : of sound
    languages : ISO 639-1 codes
    counts : clips by label, in the order of `LABELS`, without labels that have none
    unreadable : files and the reason
    """

    corpus: str
    n_clips: int
    women: int
    men: int
    untold: int
    hours: float
    languages: tuple[str, ...]
    counts: dict[str, int]
    unreadable: tuple[tuple[Path, str], ...]


def overview(
    clips: Sequence[Clip], progress: Callable[[int, int], None] | None = None
) -> list[Overview]:
    """Look into the header of every clip, and sum up each corpus in the order of its first.

    Parameters
    ----------
    clips : of any corpora
    progress : called after each clip with the number looked at and the number of all
    """
    durations: dict[Path, float] = {}
    reasons: dict[Path, str] = {}
    for n, clip in enumerate(clips, start=1):
        try:
            durations[clip.path] = _duration_s(clip.path)
        except AudioError as err:
            reasons[clip.path] = str(err).removeprefix(f"{clip.path}: ")
        if progress is not None:
            progress(n, len(clips))
    corpora = dict.fromkeys(clip.corpus for clip in clips)
    return [
        _sum_up(corpus, [c for c in clips if c.corpus == corpus], durations, reasons)
        for corpus in corpora
    ]


def to_text(overviews: Iterable[Overview]) -> str:
    """A Markdown table of the corpora, a line each, then every file that cannot be read."""
    overviews = list(overviews)
    labels = [label for label in LABELS if any(label in o.counts for o in overviews)]
    head = ["corpus", "clips", "speakers (women/men)", "hours", "languages", *labels]
    rows = [head, ["---"] * len(head), *(_row(o, labels) for o in overviews)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    for o in overviews:
        if o.unreadable:
            files = counted(len(o.unreadable), "file")
            lines += ["", f"{o.corpus}: {files} left out that cannot be read:"]
            lines += [f"- {path}: {reason}" for path, reason in o.unreadable]
    return "\n".join(lines)


def _duration_s(path: Path) -> float:
    """Length of a recording by its header, or as it is heard where that does not tell it.

    Raises
    ------
    AudioError : it cannot be read
    """
    with Recording(path) as recording:
        if recording.duration_s is not None:
            return recording.duration_s
        return sum(len(block) for block in recording.voice()) / SAMPLE_RATE


def _sum_up(
    corpus: str, clips: list[Clip], durations: dict[Path, float], reasons: dict[Path, str]
) -> Overview:
    good = [clip for clip in clips if clip.path in durations]
    genders = Counter({clip.speaker: clip.gender for clip in good}.values())
    counts = Counter(clip.label for clip in good)
    return Overview(
        corpus=corpus,
        n_clips=len(good),
        women=genders["female"],
        men=genders["male"],
        untold=genders[None],
        hours=sum(durations[clip.path] for clip in good) / 3600,
        languages=tuple(sorted({clip.language for clip in good})),
        counts={label: counts[label] for label in LABELS if counts[label]},
        unreadable=tuple((c.path, reasons[c.path]) for c in clips if c.path in reasons),
    )


def _row(o: Overview, labels: list[str]) -> list[str]:
    genders = f"{o.women}/{o.men}" + (f", {o.untold} not told" if o.untold else "")
    return [
        o.corpus,
        str(o.n_clips),
        f"{o.women + o.men + o.untold} ({genders})",
        f"{o.hours:.2f}",
        " ".join(o.languages),
        *(str(o.counts.get(label, 0)) for label in labels),
    ]
