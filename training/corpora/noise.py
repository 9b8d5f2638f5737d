"""Everyday sounds that training mixes in."""

import re
from pathlib import Path

from training.corpora import layout
from utils.errors import DataError

EXAMPLE = "rain/1-17367-A.ogg"
NAME = re.compile(r"[1-5]-\d+-[A-Z](-\d+)?")  # fold, source, take, and a class in ESC-50


def read_noise(folder: Path) -> list[Path]:
    """Recordings of ESC-10, whose names are class/fold-source-take.

    K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia 2015.
    CC BY 3.0.

    Raises
    ------
    DataError : no such folder, no recordings, or a name that ESC does not use
    """
    folder = Path(folder)
    paths = layout.recordings(folder, EXAMPLE)
    if foreign := [p.relative_to(folder) for p in paths if NAME.fullmatch(p.stem) is None]:
        raise DataError(
            f"{folder}: {len(foreign)} of {len(paths)} recordings have an unexpected file name, "
            f"expected names like {EXAMPLE}; found {layout.listed(foreign)}"
        )
    return paths
