"""Models that translate: which are on this machine, and by which of them a language is reached."""

import logging
from collections.abc import Iterable
from pathlib import Path

from utils.errors import ModelError
from utils.models.places import folders_here, sorted_paths, take
from utils.models.translation.inside import SUFFIX, unpack, unpacked_bytes
from utils.models.translation.package import READ, Package, check_whole, look_into

log = logging.getLogger(__name__)

BETWEEN = "en"  # by which two languages are joined that no model joins


def find_translations() -> list[Package]:
    """The models on this machine that translate.

    Looked for in `models_folder()`, then in Hugging Face's cache and where Argos Translate keeps
    its own. Damaged ones and other kinds of model are left out.
    """
    argos = Path.home() / ".local/share/argos-translate/packages"
    places = [
        *folders_here(),
        *sorted_paths(argos.glob("*")),
    ]
    found = []
    for path in places:
        try:
            if path.suffix not in {".nemo", ".part"} and (path.is_dir() or path.suffix == SUFFIX):
                found.append(look_into(path))
        except (ModelError, OSError) as err:
            log.debug("left out: %s", err)
    return found


def route(source: str, target: str, packages: Iterable[Package]) -> tuple[Package, ...]:
    """The models by which one language becomes another, at most two; none where there is no way.

    Parameters
    ----------
    source, target : ISO 639-1 codes
    packages : that are here, the better first
    """
    pairs = {(p.source, p.target): p for p in reversed(list(packages))}
    if direct := pairs.get((source, target)):
        return (direct,)
    first, second = pairs.get((source, BETWEEN)), pairs.get((BETWEEN, target))
    return (first, second) if first and second and source != target else ()


def add(path: Path) -> Path:
    """Take a model that somebody has downloaded into `models_folder()`; return where it lies.

    Raises
    ------
    ModelError : it is damaged, none that translates, or one for its languages is there already
    DataError : it cannot be written
    """
    package = check_whole(path)
    name = f"{package.source}-{package.target}"
    return take(path, name, unpacked_bytes(path), lambda to: unpack(path, to, READ))
