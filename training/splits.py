"""Who trains and who tests: splits in which no voice stands on both sides."""

from collections.abc import Iterable
from dataclasses import dataclass

from training.corpora import Clip
from utils.errors import DataError

# Test actors of the five folds of arXiv 2606.03359, so that figures can be compared.
RAVDESS_FOLDS = (
    (2, 5, 14, 15, 16),
    (3, 6, 7, 13, 18),
    (10, 11, 12, 19, 20),
    (8, 17, 21, 23, 24),
    (1, 4, 9, 22),
)


@dataclass(frozen=True)
class Split:
    """Clips to train on and clips to test on; refuses to be made with a shared speaker.

    Raises
    ------
    DataError : a speaker stands in both parts, or a part is empty
    """

    train: tuple[Clip, ...]
    test: tuple[Clip, ...]

    def __post_init__(self) -> None:
        if not self.train or not self.test:
            raise DataError(
                f"a split has {len(self.train)} training and {len(self.test)} test clips; "
                "both parts need some: is the corpus complete?"
            )
        shared = {c.speaker for c in self.train} & {c.speaker for c in self.test}
        if shared:
            raise DataError(
                f"{', '.join(sorted(shared))} stands in training and in test; a figure on "
                "voices that the model has heard says nothing about others"
            )


def by_speaker(clips: Iterable[Clip], test_speakers: Iterable[str]) -> Split:
    """Test on the clips of `test_speakers`, train on all others."""
    clips, held_out = tuple(clips), set(test_speakers)
    missing = held_out - {c.speaker for c in clips}
    if missing:
        raise DataError(f"no clip of {', '.join(sorted(missing))}: is the corpus complete?")
    return Split(
        tuple(c for c in clips if c.speaker not in held_out),
        tuple(c for c in clips if c.speaker in held_out),
    )


def crossval(clips: Iterable[Clip]) -> list[Split]:
    """The five RAVDESS folds, each with one TESS actress held out too, turn about.

    Every RAVDESS actor is tested once. TESS has two speakers only, so each of them is
    tested by every other fold, by a model that heard just the other one.
    """
    clips = tuple(clips)
    women = ("tess-OAF", "tess-YAF")
    return [
        by_speaker(clips, [f"ravdess-{actor:02d}" for actor in actors] + [women[k % 2]])
        for k, actors in enumerate(RAVDESS_FOLDS)
    ]
