"""What a training run depends on besides its clips and its seed."""

from dataclasses import dataclass

# Part of the draws that each corpus gets, relative to the others at hand: by how many voices
# it has rather than by how many clips.
SHARES = {
    "ravdess": 0.5,
    "tess": 0.1,
    "crema-d": 0.5,
    "savee": 0.1,
    "emodb": 0.25,
    "iemocap": 0.3,
    "thai-ser": 0.3,
    "kesdy18": 0.2,
    "aihub-korean": 0.2,
    "nemo-polish": 0.3,
    "korean-emotional": 0.15,
}
# Feature variants of each clip, the clip itself included. These corpora say the same few
# words over and over, and need fewer of them; small ones get more.
VARIANTS = 6
OTHER_VARIANTS = {
    "tess": 2,
    "nemo-polish": 3,
    "aihub-korean": 2,
    "emodb": 9,
    "korean-emotional": 9,
}


@dataclass(frozen=True)
class TrainConfig:
    """How a network is trained.

    Parameters
    ----------
    steps, batch_size, learning_rate, weight_decay : of AdamW under a one-cycle schedule
    listeners : networks that are trained one after the other, each by itself
    clean_share, nameless_share : part of the draws that are the clip itself, or in which no
        emotion is to be named; the target of the latter is "could be any"
    smoothing : label smoothing; listeners agree on these labels in 60 to 80 % of cases
    jitter, shift : noise on each value, and on each column of a clip as another microphone
        or throat would shift it; in standard deviations
    moved : part of the draws that are moved some way to how another voice sounds
    acquainted : part of the draws in which it is known how that voice, or that corpus, usually
        sounds: of 1 to 64 remarks, few or most of them neutral
    unaided : part of the draws from which all that the encoder heard is taken, so that the
        network does without where there is none
    blank : longest stretch that is blanked, twice a clip, as part of its length
        (SpecAugment, Park et al., Interspeech 2019)
    decay : of the running average of the weights
    every : steps between two looks at the validation voices
    patience : looks without a gain after which training stops
    """

    listeners: int = 2
    steps: int = 1500
    batch_size: int = 48
    learning_rate: float = 2e-3
    weight_decay: float = 2e-2
    clean_share: float = 0.3
    nameless_share: float = 0.08
    smoothing: float = 0.1
    jitter: float = 0.2
    shift: float = 0.2
    moved: float = 0.6
    acquainted: float = 0.6
    unaided: float = 0.15
    blank: float = 0.1
    decay: float = 0.99
    every: int = 200
    patience: int = 3


def n_variants(corpus: str) -> int:
    """How many feature variants training draws from for a clip of a corpus."""
    return OTHER_VARIANTS.get(corpus, VARIANTS)
