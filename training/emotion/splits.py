"""Who trains and who tests: splits in which no voice stands on both sides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

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
N_FOLDS = len(RAVDESS_FOLDS)
LEAST_JUDGED = 5  # speakers of a corpus of whom some can be kept from training


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
                "both parts need some, of other speakers: is the corpus complete, and of two "
                "speakers or more?"
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


def ravdess_folds(clips: Iterable[Clip]) -> list[Split]:
    """The five published folds of RAVDESS; other corpora, if any, are trained on."""
    clips = tuple(clips)
    return [by_speaker(clips, _actors(fold)) for fold in range(N_FOLDS)]


def joint_folds(clips: Iterable[Clip]) -> list[Split]:
    """Five folds over any corpora, each speaker tested by a model that never heard the voice.

    RAVDESS keeps its published folds. TESS has two speakers, who are tested turn about. The
    speakers of any other corpus are dealt out in order; a fold that gets none is left out.
    """
    clips = tuple(clips)
    folds: list[list[str]] = [[] for _ in range(N_FOLDS)]
    for corpus in sorted({clip.corpus for clip in clips}):
        speakers = _speakers(clips, corpus)
        for fold, held_out in enumerate(folds):
            if corpus == "ravdess":
                held_out += _actors(fold)
            elif corpus == "tess":
                held_out.append(speakers[fold % len(speakers)])
            else:
                held_out += speakers[fold::N_FOLDS]
    return [by_speaker(clips, held_out) for held_out in folds if held_out]


def k_fold(clips: Iterable[Clip], k: int, seed: int) -> list[Split]:
    """`k` folds of speakers, drawn so that each has its share of a corpus and of a gender.

    Raises
    ------
    DataError : fewer than two folds, or fewer speakers than folds
    """
    clips = tuple(clips)
    kinds = {clip.speaker: (clip.corpus, clip.gender or "") for clip in clips}
    if not 2 <= k <= len(kinds):
        raise DataError(
            f"{k} folds of {len(kinds)} speakers, expected 2 folds or more, and a speaker or more "
            "in each"
        )
    drawn = np.random.default_rng(seed).permutation(sorted(kinds)).tolist()
    dealt = sorted(drawn, key=kinds.__getitem__)
    return [by_speaker(clips, dealt[fold::k]) for fold in range(k)]


def leave_one_speaker_out(clips: Iterable[Clip], corpus: str) -> list[Split]:
    """A split for each speaker of a corpus; its others and other corpora are trained on.

    Raises
    ------
    DataError : no clip of the corpus, or of anybody else
    """
    clips = tuple(clips)
    return [by_speaker(clips, [speaker]) for speaker in _speakers(clips, corpus)]


def leave_one_session_out(clips: Iterable[Clip]) -> list[Split]:
    """A split for each of IEMOCAP's sessions, in which a woman and a man speak.

    Raises
    ------
    DataError : no clip of IEMOCAP, or of one session alone
    """
    clips = tuple(clips)
    speakers = _speakers(clips, "iemocap")
    sessions = sorted({speaker[:-1] for speaker in speakers})  # the last letter is the gender
    return [by_speaker(clips, [who for who in speakers if who[:-1] == s]) for s in sessions]


def leave_one_corpus_out(clips: Iterable[Clip], corpus: str) -> Split:
    """Test on all of a corpus, train on the others.

    Raises
    ------
    DataError : no clip of the corpus, or of any other
    """
    clips = tuple(clips)
    return by_speaker(clips, _speakers(clips, corpus))


def _actors(fold: int) -> list[str]:
    return [f"ravdess-{actor:02d}" for actor in RAVDESS_FOLDS[fold]]


def _speakers(clips: tuple[Clip, ...], corpus: str) -> list[str]:
    """Speakers of a corpus in order; DataError where there is none."""
    speakers = sorted({clip.speaker for clip in clips if clip.corpus == corpus})
    if not speakers:
        raise DataError(
            f"no clip of {corpus}, found {', '.join(sorted({c.corpus for c in clips})) or 'none'}; "
            "give the folder of that corpus too"
        )
    return speakers


def check_voices(clips: Sequence[Clip], use: str, remedy: str) -> list[str]:
    """Speakers of clips, of whom there have to be two: what one teaches holds for no other.

    Raises
    ------
    DataError : of one or none, with what they are for and what to do
    """
    speakers = sorted({clip.speaker for clip in clips})
    if len(speakers) < 2:
        raise DataError(
            f"{len(clips)} clips of {', '.join(speakers) or 'nobody'} are left to {use}, expected "
            f"two speakers or more: {remedy}"
        )
    return speakers


def validation_speakers(clips: Iterable[Clip], seed: int) -> set[str]:
    """One speaker in ten of each corpus that has `LEAST_JUDGED`: they choose when to stop."""
    clips, held_out = tuple(clips), set()
    for corpus in sorted({clip.corpus for clip in clips}):
        own = [clip for clip in clips if clip.corpus == corpus]
        n_speakers = len({clip.speaker for clip in own})
        if n_speakers >= LEAST_JUDGED:
            held_out |= {c.speaker for c in k_fold(own, min(10, n_speakers), seed)[0].test}
    return held_out
