"""What a training run keeps on disk, so that it goes on where it was killed."""

import logging
from collections.abc import Mapping
from pathlib import Path

import torch

from utils import checkpoint
from utils.errors import DataError

logger = logging.getLogger(__name__)


def make_folder(path: Path) -> Path:
    """Have the folder of a run.

    Raises
    ------
    DataError : it cannot be made
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise DataError(
            f"{path}: cannot be made ({err.strerror}); give --runs another folder"
        ) from err
    return path


class State:
    """The file of a run; what another recipe or other voices left there is not taken.

    Parameters
    ----------
    path : where it is kept
    identity : of all that the run depends on
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path, self.identity = path, identity

    def save(self, content: Mapping) -> None:
        """Keep plain types and tensors; a crash leaves the old file or none."""
        part = self.path.with_name(f"{self.path.name}.part")
        torch.save({**content, "identity": self.identity}, part)
        part.replace(self.path)

    def load(self, device: torch.device) -> dict | None:
        """What was kept, or None where there is nothing that fits; the log says why."""
        if not self.path.is_file():
            return None
        try:
            found = checkpoint.unpack(self.path, device)
        except ValueError as err:
            logger.warning("%s: cannot be read (%s); training starts anew", self.path, err)
            return None
        if not isinstance(found, dict) or found.get("identity") != self.identity:
            logger.info("%s: of another recipe or other voices; training starts anew", self.path)
            return None
        return found
