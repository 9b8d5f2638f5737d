"""What a corpus is made of."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """One recording of a corpus.

    Attributes
    ----------
    path : the recording
    label : one of `LABELS`
    speaker : whose voice it is, unique across corpora: "ravdess-01"
    corpus : a name in `READERS`: "ravdess"
    language : ISO 639-1 code
    gender : "female", "male", or None where the corpus does not tell
    intensity : "normal", "strong", "low", "medium", "high", or None where not told
    """

    path: Path
    label: str
    speaker: str
    corpus: str
    language: str
    gender: str | None = None
    intensity: str | None = None

    @property
    def identity(self) -> str:
        """Tells it from others, wherever its corpus lies."""
        return f"{self.speaker}/{self.path.name}/{self.label}"
