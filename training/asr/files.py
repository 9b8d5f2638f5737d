"""Writing `.nemo` files: whole or not at all, with the facts of how they were made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.asr.quiet import quiet
from utils.errors import DataError
from utils.folders import whole
from utils.models.nemo.archive import parsed_config

FACTS = "training_facts"  # in the model's configuration


def save(
    model: Any, path: Path, facts: Mapping[str, Any], decoding: Mapping[str, Any] | None = None
) -> None:
    """Write a model; an interruption leaves what was there before.

    Parameters
    ----------
    decoding : how the model is configured to decode, where loading it changed that

    Raises
    ------
    DataError : the folder does not exist or cannot be written
    """
    from omegaconf import OmegaConf, open_dict

    with open_dict(model.cfg):
        model.cfg[FACTS] = OmegaConf.create(dict(facts))
        if decoding:
            model.cfg.decoding = OmegaConf.create(dict(decoding))
    try:
        with whole(path) as part, quiet():
            model.save_to(str(part))
    except OSError as err:
        raise DataError(f"{path}: cannot be written ({err}); give another file") from err


def facts(path: Path) -> dict[str, Any]:
    """What `save` was told of a model; empty for one that was made elsewhere.

    Raises
    ------
    ModelError : the file cannot be read or is not a NeMo model
    """
    return _part(path, FACTS)


def decoding(path: Path) -> dict[str, Any]:
    """How a model is configured to decode, as `save` takes it.

    Raises
    ------
    ModelError : the file cannot be read or is not a NeMo model
    """
    return _part(path, "decoding")


def _part(path: Path, name: str) -> dict[str, Any]:
    return dict(parsed_config(path).get(name) or {})
