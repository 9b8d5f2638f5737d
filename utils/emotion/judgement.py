"""How far an answer of the emotion network can be trusted: calibration, and two grades."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from utils.events import Emotion, Grade

NEVER = 1.0  # the threshold of a class that is not named in a grade


@dataclass(frozen=True)
class Judgement:
    """What turns logits into an emotion that is named, or into silence.

    Parameters
    ----------
    temperature : divides the logits, so that probabilities are as often right as they say
        (Guo et al., "On calibration of modern neural networks", ICML 2017)
    sure, likely : of each label, the least probability at which it is named so. Chosen so that
        on corpora that no training heard what is sure is right nine times in ten, and what is
        likely seven times (`python -m training calibrate`)
    """

    temperature: float
    sure: Mapping[str, float]
    likely: Mapping[str, float]

    @classmethod
    def untuned(cls, labels: tuple[str, ...]) -> "Judgement":
        """Where nothing was measured yet: nothing is named."""
        return cls(1.0, *(dict.fromkeys(labels, NEVER) for _ in ("sure", "likely")))

    @classmethod
    def read(cls, found: Mapping) -> "Judgement":
        """Of plain types, as in a checkpoint.

        Raises
        ------
        KeyError, TypeError, ValueError : parts are missing or are no numbers
        """
        sure, likely = (
            {str(label): float(least) for label, least in dict(found[name]).items()}
            for name in ("sure", "likely")
        )
        return cls(float(found["temperature"]), sure, likely)

    @property
    def grades(self) -> dict[Grade, Mapping[str, float]]:
        """The thresholds of each grade, the surest first."""
        return {"sure": self.sure, "likely": self.likely}

    def check(self, labels: tuple[str, ...]) -> None:
        """Raise ValueError where it does not fit a network of these labels."""
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature {self.temperature}, expected a positive number")
        for name, thresholds in self.grades.items():
            if tuple(thresholds) != labels or not all(0 <= x <= 1 for x in thresholds.values()):
                raise ValueError(
                    f"thresholds {name} {dict(thresholds)}, expected one in [0, 1] for each of "
                    f"{', '.join(labels)}"
                )

    def decide(self, scores: dict[str, float]) -> Emotion | None:
        """The likeliest class and its grade, or None where it is under both thresholds."""
        label = max(scores, key=scores.__getitem__)
        confidence = scores[label]
        for grade, thresholds in self.grades.items():
            least = thresholds[label]
            if confidence >= least < NEVER:  # a network can be as certain as that
                return Emotion(label, confidence, scores, grade)
        return None
