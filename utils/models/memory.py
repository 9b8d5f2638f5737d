"""Whether a model fits into the memory of this machine, and giving back what loading left."""

import ctypes
import gc
import logging
import os
import sys
from pathlib import Path

from utils.errors import ModelError, NoMemoryError
from utils.models.catalogue import NEMO, TEXT_EMOTION, TRANSLATION, WHISPER
from utils.models.hub import megabytes

log = logging.getLogger(__name__)

# Measured with NeMo 3.0 on a processor: a model's file is held about twice while it is
# loaded (452 MB: 1.69 GB at the peak, 2,456 MB: 5.72 GB), beside what NeMo itself takes.
NEMO_BYTES = 780_000_000
COPIES = 2.0
# Measured with CTranslate2 4.8, int8, with faster-whisper: at the peak 241 MB for a file of
# 76 MB, 333 for 145, 675 for 484, 1,605 for 1,528.
WHISPER_BYTES = 200_000_000

# Measured with an OPUS-MT of the usual size and random weights, 150 MB: 282 MB at the peak, of
# which 107 stay; of a zip, which is in memory while it is loaded, 598 and 290.
TRANSLATION_BYTES, TRANSLATION_COPIES, ZIP_COPIES = 80_000_000, 1.4, 3.5

# Measured with a DistilRoBERTa of the usual size and random weights, 328 MB, and transformers:
# 793 MB at the peak beside PyTorch, of which 524 stay.
TEXT_EMOTION_BYTES = 500_000_000

# Measured: what PyTorch and the network take beside a Whisper.
EMOTION_BYTES, EMOTION_ADDRESSES = 270_000_000, 1_000_000_000
PICTURES_BYTES = 250_000_000  # librosa and numba, where a network hears pictures of speech
VOICES_BYTES = 30_000_000  # beside PyTorch
# What the embedded Whisper and the detector reserve from the start to the end of a recording:
# 1,193 MB, of which 203 were before; with 1,020 in all a library ended the program.
WORDS_ADDRESSES = 900_000_000
WORDS_BYTES = 150_000_000  # kept for the passes over long lines and for the pages

_CGROUP = Path("/sys/fs/cgroup")


def needed_bytes(file_bytes: int, kind: str = NEMO) -> int:
    """Peak memory of loading a model of that size; less once NeMo is in memory."""
    if kind == WHISPER:
        return WHISPER_BYTES + file_bytes
    if kind == TRANSLATION:
        return TRANSLATION_BYTES + int(TRANSLATION_COPIES * file_bytes)
    if kind == TEXT_EMOTION:
        return TEXT_EMOTION_BYTES + file_bytes
    nemo_bytes = 0 if "nemo.collections.asr" in sys.modules else NEMO_BYTES
    return int(nemo_bytes + COPIES * file_bytes)


def free_bytes() -> int | None:
    """Memory that this process may still take; None where the system does not tell."""
    known = [n_bytes for n_bytes in (_of_machine(), _of_group()) if n_bytes is not None]
    return min(known, default=None)


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None


def _of_group() -> int | None:
    """What the limit of a container or a service leaves (control groups, version 2)."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        own = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
        folder = _CGROUP / own[0]
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError, IndexError):
        return None
    # Pages of files that were read count as used, but give way.
    return None if limit == "max" else int(limit) - used + int(stat.get("inactive_file", 0))


def _addresses_left() -> int | None:
    """What the limit of this process's addresses leaves; None without one."""
    try:
        import resource  # not on Windows

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return None
        return limit - _own_bytes(0)
    except (ImportError, AttributeError, OSError, ValueError, IndexError):
        return None


def resident_bytes() -> int:
    """Memory that this process uses; 0 where the system does not tell."""
    try:
        return _own_bytes(1)
    except (OSError, ValueError, IndexError):
        return 0


def _own_bytes(field: int) -> int:
    """A size of this process, by its place in Linux's table (man 5 proc_pid_statm).

    Raises
    ------
    OSError, ValueError, IndexError : there is no such table here
    """
    pages = Path("/proc/self/statm").read_text().split()[field]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def check_fits(name: str, file_bytes: int, kind: str = NEMO) -> None:
    """Refuse a model that would not fit.

    Parameters
    ----------
    name : for the message
    file_bytes : of the model on disk
    kind : NEMO, WHISPER, TRANSLATION or TEXT_EMOTION

    Raises
    ------
    ModelError : more memory is needed than is free
    """
    needed, free = needed_bytes(file_bytes, kind), free_bytes()
    if free is not None and free < needed:
        raise ModelError(
            f"{name} is too large for the memory of this machine: it takes about "
            f"{megabytes(needed)} to load and {megabytes(free)} are free; close other programs "
            "or choose a smaller model (python app.py models lists them)"
        )


def check_addresses(name: str, n_addresses: int) -> None:
    """Refuse what reserves more addresses than a limit leaves (`ulimit -v`).

    Raises
    ------
    NoMemoryError : that many are not left; a library that gets none may end the program
    """
    left = _addresses_left()
    if left is not None and left < n_addresses:
        raise NoMemoryError(
            f"{name} reserves about {megabytes(n_addresses)} of memory, and the limit leaves "
            f"{megabytes(left)}; raise it (ulimit -v)"
        )


def check_spare(name: str, n_bytes: int, n_addresses: int) -> None:
    """Refuse a part that captions can do without, where the words would lack its memory.

    Parameters
    ----------
    name : of the part, for the message
    n_bytes : that it takes; `WORDS_BYTES` are to be left beside them
    n_addresses : bytes that it reserves, taken or not, as for `check_addresses`

    Raises
    ------
    NoMemoryError : that much is not free
    """
    check_addresses(name, n_addresses)
    free = free_bytes()
    if free is not None and free < n_bytes + WORDS_BYTES:
        raise NoMemoryError(
            f"{name} takes about {megabytes(n_bytes)} of memory, {megabytes(WORDS_BYTES)} are kept "
            f"for the words, and {megabytes(free)} are free; close other programs"
        )


def give_back() -> None:
    """Give memory that loading has used and left back to the system.

    The C library keeps what it thinks it will need again: half a gigabyte after a NeMo model
    of 114 M weights.
    """
    gc.collect()
    trim()


def trim() -> None:
    """The same without looking for cycles: a millisecond or two, so that it can follow a line."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library than Linux's
        log.debug("this C library cannot give memory back")
