"""Names of the networks, and what a checkpoint says of the one that it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

OURS = "lstm"
CNNS = tuple(f"cnn{depth}{kind}" for depth in range(5, 9) for kind in ("", "-1d"))
IMAGES = (
    *("densenet121", "resnet18", "resnet50", "googlenet"),
    *("alexnet", "alexnet-gap", "vgg11"),
)
SVM = "svm"
KINDS = {
    "cnn": CNNS,
    "cnn_lstm": ("cnn-lstm",),
    "images": IMAGES,
}
SIZES = (64, 512)  # least and greatest edge of an image: smaller leaves AlexNet no pixel
WIDENED = (*CNNS, "cnn-lstm")  # networks whose width is a setting
DROPPING = (*WIDENED, "alexnet-gap")  # and whose dropout is one
STEPWISE = tuple(name for names in KINDS.values() for name in names)  # learn by gradients
NAMES = (OURS, *STEPWISE, SVM)


@dataclass(frozen=True)
class NetworkConfig:
    """Size of a network; a checkpoint carries the one it was trained with.

    Parameters
    ----------
    name : one of `NAMES`, but for ours
    n_features : columns of a step
    n_classes : width of the logits
    segment : steps that it hears at a time
    dropout : share of inputs of the last layer that training leaves out
    channels, size : of the picture that an image network gets: 1 or 3, and the pixels of its edge
    n_vectors, n_taught : of a support vector machine: how many there are, and classes it learnt
    n_heard, encoder : columns of a step that an encoder heard, and its identity
    width : of the layers of those in `WIDENED`, in times the usual

    Raises
    ------
    ValueError : an unknown name, or sizes that give no network
    """

    name: str
    n_features: int
    n_classes: int
    segment: int = 300
    dropout: float = 0.4
    channels: int = 1
    size: int = 224
    n_vectors: int = 0
    n_taught: int = 0
    n_heard: int = 0
    encoder: str = ""
    width: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in NAMES[1:]:
            raise ValueError(f"network {self.name!r}, expected one of {', '.join(NAMES[1:])}")
        for name in ("n_features", "n_classes", "segment"):
            value = getattr(self, name)
            if not isinstance(value, int) or not 1 <= value <= 100_000:
                raise ValueError(f"{name} is {value!r}, expected 1 to 100000")
        if self.channels not in (1, 3):
            raise ValueError(f"{self.channels} channels of a picture, expected 1 or 3")
        if not isinstance(self.size, int) or not SIZES[0] <= self.size <= SIZES[1]:
            raise ValueError(
                f"a picture of {self.size} pixels, expected an edge of {SIZES[0]} to {SIZES[1]}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"a dropout of {self.dropout}, expected 0 to less than 1")
        if not 0.1 <= self.width <= 8:
            raise ValueError(f"{self.width} times the usual width, expected 0.1 to 8")

    def check(self, width: int, labels: Sequence[str]) -> None:
        """Raise ValueError where it does not fit the steps that are made, or the labels."""
        if self.n_features != width:
            raise ValueError(
                f"the network expects {self.n_features} features, its settings give {width}"
            )
        if not len(labels) == len(set(labels)) == self.n_classes:
            raise ValueError(
                f"{self.n_classes} classes but the labels {list(labels)}, "
                "expected one distinct label per class"
            )
