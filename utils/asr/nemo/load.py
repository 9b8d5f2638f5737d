"""Loading a NeMo model: quietly, without the network, with errors that say what to do."""

import importlib
import importlib.metadata
import logging
import pickle
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from utils.audio import SAMPLE_RATE
from utils.errors import ModelError, NoMemoryError
from utils.faults import model_error, out_of_memory
from utils.language import two_letters
from utils.models.memory import check_fits
from utils.models.nemo.archive import ASR, Kind, check_loadable, read_config, target_class

INSTALL = "install it with: .venv/bin/pip install -r requirements.txt"
RECOMMENDED = ASR.example
_one_at_a_time = threading.Lock()  # what is set while a model loads holds for the whole process


@contextmanager
def _quiet_and_offline() -> Iterator[None]:
    """Hold back warnings that are the engine's own business, and every network call."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _is_fatal(record: logging.LogRecord) -> bool:
    """For NeMo's own log: what it calls an error it also raises, and we report that."""
    return record.levelno >= logging.CRITICAL


def load(path: Path, kind: Kind = ASR) -> Any:
    """Restore a model, ready for use.

    Raises
    ------
    ModelError : damaged, not of that kind, too large for the memory, or one that this
        NeMo cannot load
    """
    with _one_at_a_time, _unchanged(path):
        return _load(path, kind)


@contextmanager
def _unchanged(path: Path) -> Iterator[None]:
    """Refuse a file that was written to while it was looked at and loaded: NeMo opens it anew."""
    before = _state(path)
    try:
        yield
    finally:
        if _state(path) != before:
            raise ModelError(
                f"{path}: was changed while it was loaded; wait until it is there as a whole, "
                "and load it again"
            )


def _state(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _load(path: Path, kind: Kind) -> Any:
    config = read_config(path)
    module, name = target_class(config)
    # NeMo's own classes only: a file must not choose what else is imported.
    if not kind.classes.fullmatch(name) or not module.startswith("nemo.collections."):
        raise ModelError(
            f"{path}: its class, {name or '(none)'}, is not one of NeMo's for {kind.use}; "
            f"choose a model for {kind.use} such as {kind.example}"
        )
    check_fits(str(path), path.stat().st_size)  # before its parts are looked at
    check_fits(str(path), check_loadable(path))
    # The level of NeMo's logger is reset by its own calls; a filter stays.
    logging.getLogger("nemo_logger").addFilter(_is_fatal)
    logging.getLogger("nv_one_logger").setLevel(logging.ERROR)
    logging.getLogger("hydra").setLevel(logging.CRITICAL)
    try:
        with _quiet_and_offline():
            importlib.import_module("nemo.collections.asr")  # all that a model may need
    except (ImportError, OSError) as err:  # OSError: a library that cannot be read
        raise model_error(err, "NeMo", f"NeMo is not installed ({err}); {INSTALL}") from err
    unfit = _unfit(path, name, config, kind)
    try:
        model_class = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as err:
        otherwise = f"{unfit} (it knows no class {module}.{name})"
        raise model_error(err, str(path), otherwise) from err
    with _quiet_and_offline():
        return _restore(model_class, path, unfit, kind)


def _unfit(path: Path, name: str, config: str, kind: Kind) -> str:
    """What to say if it does not load: who made it, and whether a newer NeMo would help."""
    here = importlib.metadata.version("nemo_toolkit")
    found = re.search(r"^nemo_version: *['\"]?([\w.]+)", config, re.MULTILINE)
    made_by = found.group(1) if found else "(unknown)"
    told = f"{path}: NeMo {here} cannot load this {name}, made by NeMo {made_by}"
    if found and _release(made_by) > _release(here):
        return (
            f"{told}, which is newer; update yours with "
            f".venv/bin/pip install 'nemo_toolkit[asr]=={made_by}', or choose another model "
            f"such as {kind.example}"
        )
    return f"{told}; choose another model such as {kind.example}"


def _release(version: str) -> tuple[int, ...]:
    """(2, 7, 0) of "2.7.0rc1": enough to tell which is newer."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _restore(model_class: Any, path: Path, unfit: str, kind: Kind) -> Any:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = model_class.restore_from(str(path), map_location=torch.device(device))
        return _prepare(model, path, kind)
    except ModelError:
        raise
    except pickle.UnpicklingError as err:  # PyTorch's own words tell how to let it run code
        raise ModelError(f"{unfit} (its weights hold more than plain types and arrays)") from err
    except Exception as err:  # what NeMo and its parts raise on an odd file is no narrower
        if out_of_memory(err):
            raise NoMemoryError(
                f"{path}: too large for the memory of this machine; close other programs "
                f"or choose a smaller model such as {kind.example}"
            ) from err
        raise model_error(err, str(path), f"{unfit} ({short(err)})") from err


def short(err: Exception) -> str:
    """An error's message in one line; a list of unfit weights can run to pages."""
    text = " ".join(str(err).split()) or type(err).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"


def _prepare(model: Any, path: Path, kind: Kind) -> Any:
    """Leave training mode and ask the decoder for word times, where a model is of use at all."""
    from omegaconf import open_dict

    if why := _useless(model):
        raise ModelError(f"{path}: {why}; choose another model such as {kind.example}")
    decoding = model.cfg.get("decoding")
    if direct_kind(model) and str(decoding.get("strategy", "")).startswith("greedy"):
        with open_dict(model.cfg):
            decoding.compute_timestamps = True
        model.change_decoding_strategy(decoding, verbose=False)
    featurizer = getattr(model.preprocessor, "featurizer", None)
    for setting in ("dither", "pad_to"):  # random noise, and frames past the end
        if hasattr(featurizer, setting):
            setattr(featurizer, setting, 0)
    return model.eval()  # restore_from() leaves it in training mode, with dropout


def _useless(model: Any) -> str:
    """Why a model can never hear a word, or ""."""
    import torch

    rate = model.cfg.get("sample_rate") or model.cfg.preprocessor.get("sample_rate")
    if rate != SAMPLE_RATE:
        return f"made for audio at {rate} Hz, expected {SAMPLE_RATE} Hz"
    if not all(torch.isfinite(weights).all() for weights in model.state_dict().values()):
        return "some of its weights are no numbers"
    for part in (getattr(model, "decoder", None), getattr(model, "joint", None)):
        spelt = getattr(part, "vocabulary", None)
        if spelt and not any(map(str.isalpha, "".join(map(str, spelt)))):
            return "there is no letter in its vocabulary"
    symbols = ((model.cfg.get("decoding") or {}).get("greedy") or {}).get("max_symbols")
    if symbols is not None and symbols < 1:
        return f"it is told to write no more than {symbols} letters at a time"
    return ""


def direct_kind(model: Any) -> str:
    """ "ctc" or "rnnt" (also TDT and hybrid), or "" where `transcribe()` is needed."""
    name = type(model).__name__
    if re.fullmatch(r"EncDecCTCModel(BPE)?", name):
        return "ctc"
    return "rnnt" if re.fullmatch(r"EncDec(Hybrid)?RNNT(CTC)?(BPE)?Model", name) else ""


def prompt(model: Any, language: str) -> dict[str, str]:
    """What `transcribe()` must be told of the language; empty for most models."""
    name = type(model).__name__
    if "MultiTask" in name:
        told = {"source_lang": language, "target_lang": language, "pnc": "yes"}
        # The first Canary's prompt also names the task; later ones have no place for it.
        return told | ({"task": "asr"} if model.cfg.get("prompt_format") == "canary" else {})
    if "Prompt" not in name:
        return {}
    # Keys are "en" in some models, "en-US" in others.
    known = sorted(model.cfg.model_defaults.get("prompt_dictionary") or {})
    fitting = [key for key in known if two_letters(key) == language]
    if not fitting:
        raise ModelError(f"this model has no prompt for {language}; it knows {', '.join(known)}")
    return {"target_lang": language if language in fitting else fitting[0]}
