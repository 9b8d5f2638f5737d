"""Who trains and who is tested, by name: each answers one question about unheard voices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training import corpora
from training.corpora import Clip
from training.emotion.splits import (
    Split,
    joint_folds,
    leave_one_corpus_out,
    leave_one_session_out,
    leave_one_speaker_out,
    ravdess_folds,
)
from utils.errors import ConfigError, DataError

ALL = ("ravdess", "tess", "nemo-polish", "korean-emotional", "emodb")


@dataclass(frozen=True)
class Protocol:
    """A way to test on voices that no training heard.

    Attributes
    ----------
    name : what the command line calls it
    about : what it finds out
    corpora : names in `READERS`, each a folder of that name
    test_corpora : those of them that are tested
    splits : clips of `corpora` -> splits, none of which shares a speaker
    """

    name: str
    about: str
    corpora: tuple[str, ...]
    test_corpora: tuple[str, ...]
    splits: Callable[[Sequence[Clip]], list[Split]]

    def fold(self, clips: Sequence[Clip], number: int) -> Split:
        """One of the splits, which are numbered from 1.

        Raises
        ------
        ConfigError : there is none of that number
        """
        splits = self.splits(clips)
        if not 1 <= number <= len(splits):
            raise ConfigError(f"{self.name} has no fold {number}, expected 1 to {len(splits)}")
        return splits[number - 1]

    def read(self, folder: str | Path) -> list[Clip]:
        """Clips of `corpora`, which lie in `folder` under their names.

        Raises
        ------
        DataError : a corpus is not there, or not laid out as published
        """
        folder = Path(folder)
        absent = [name for name in self.corpora if not (folder / name).is_dir()]
        if absent:
            raise DataError(
                f"{', '.join(str(folder / name) for name in absent)}: no such folder; the protocol "
                f"{self.name} needs {', '.join(self.corpora)}, each in a folder of that name"
            )
        return [clip for name in self.corpora for clip in corpora.read(name, folder / name)]


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "voices",
            "five folds over all five corpora: how well it does on new voices of known kinds",
            ALL,
            ALL,
            joint_folds,
        ),
        Protocol(
            "ravdess",
            "RAVDESS alone, its five published folds: a figure to compare with papers",
            ("ravdess",),
            ("ravdess",),
            ravdess_folds,
        ),
        Protocol(
            "korean",
            "Korean alone, five folds",
            ("korean-emotional",),
            ("korean-emotional",),
            joint_folds,
        ),
        Protocol(
            "ravdess-loso",
            "RAVDESS alone, each actor in turn",
            ("ravdess",),
            ("ravdess",),
            lambda clips: leave_one_speaker_out(clips, "ravdess"),
        ),
        Protocol(
            "korean-loso",
            "Korean alone, each speaker in turn",
            ("korean-emotional",),
            ("korean-emotional",),
            lambda clips: leave_one_speaker_out(clips, "korean-emotional"),
        ),
        Protocol(
            "iemocap",
            "IEMOCAP alone, its five sessions, each left out in turn",
            ("iemocap",),
            ("iemocap",),
            leave_one_session_out,
        ),
        Protocol(
            "polish-loso",
            "each Polish speaker in turn, with the other six and the other corpora in training",
            ALL,
            ("nemo-polish",),
            lambda clips: leave_one_speaker_out(clips, "nemo-polish"),
        ),
        Protocol(
            "unheard",
            "each corpus left out whole, in turn: how well it does where nothing was tuned",
            ALL,
            ALL,
            lambda clips: [leave_one_corpus_out(clips, name) for name in ALL],
        ),
        Protocol(
            "tess",
            "one woman of TESS, with the other and the other corpora in training, and back",
            ALL,
            ("tess",),
            lambda clips: leave_one_speaker_out(clips, "tess"),
        ),
    )
}
