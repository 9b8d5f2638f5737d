"""What is wrong with the machine, where the error of a library or a file tells of it.

A model that cannot be unpacked into a full folder is not a bad model: whoever gives advice asks
here first what the cause was.
"""

import errno
import tempfile
from collections.abc import Iterator

from utils.errors import ModelError, NoMemoryError

_NO_MEMORY = ("allocate memory", "out of memory", "not enough memory", "bad_alloc", "bad alloc")
_NO_MAP = ("failed to map segment", "unable to mmap")  # of a library, or of weights
_NO_SPACE = ("no space left on device", "disk quota exceeded")
_NO_TEMPORARY = "no usable temporary directory"
_MORE = "make room there, or name another folder with TMPDIR"


def out_of_memory(err: BaseException) -> bool:
    """Whether no memory was left; the processor's allocator has no error class of its own."""
    return any(
        isinstance(each, MemoryError)
        or getattr(each, "errno", None) == errno.ENOMEM
        or any(words in str(each).lower() for words in _NO_MEMORY + _NO_MAP)
        for each in _chain(err)
    )


def of_machine(err: BaseException, place: str = "") -> str | None:
    """What the machine lacks, in words that end a sentence; None where that is not the cause.

    Parameters
    ----------
    place : what was written, where the error itself does not name it; by default temporary files
    """
    if out_of_memory(err):
        return "no memory is left; close other programs"
    for each in _chain(err):
        if fault := _of_one(each, getattr(each, "filename", None) or place):
            return fault
    return None


def cause(err: BaseException, place: str = "") -> str:
    """What the machine lacks, or else what the error says itself, in words that end a sentence.

    Parameters
    ----------
    place : as in `of_machine`; named beside the error's own words
    """
    own = f"{place}: {getattr(err, 'strerror', None) or err}" if place else str(err)
    return of_machine(err, place) or own


def model_error(err: BaseException, what: str, otherwise: str) -> ModelError:
    """The error to raise for one of a library that loads or runs a model.

    Parameters
    ----------
    what : the model, for a fault of the machine, which no other model would mend
    otherwise : what to say where the machine is not to blame
    """
    fault = of_machine(err)
    if fault is None:
        return ModelError(otherwise)
    kind = NoMemoryError if out_of_memory(err) else ModelError
    return kind(f"{what} cannot be used now: {fault}")


def _chain(err: BaseException) -> Iterator[BaseException]:
    """An error and those that it came from, the last first."""
    seen: set[int] = set()
    link: BaseException | None = err
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _of_one(err: BaseException, place: str) -> str | None:
    number, text = getattr(err, "errno", None), str(err).lower()
    if _NO_TEMPORARY in text:
        return f"no folder for temporary files can be written to ({err}); {_MORE}"
    if number in (errno.ENOSPC, errno.EDQUOT) or any(words in text for words in _NO_SPACE):
        return f"the disk of {place} is full; make room there" if place else _full_temporary()
    if number in (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE):
        return f"the disk {f'of {place} ' if place else ''}does not answer as it should ({err})"
    if number in (errno.EROFS, errno.EACCES, errno.EPERM) and place:
        return f"{place} may not be read or written to ({getattr(err, 'strerror', err)})"
    if number in (errno.EMFILE, errno.ENFILE):
        return "too many files are open; close other programs, or raise the limit (ulimit -n)"
    if "can't start new thread" in text:
        return "the limit of processes and threads is reached (ulimit -u); close other programs"
    return None


def _full_temporary() -> str:
    """A write does not say where it was; a library's are to the folder for temporary files."""
    try:
        folder = tempfile.gettempdir()
        return f"the disk is full, perhaps that of temporary files, {folder}; {_MORE}"
    except OSError:
        return f"the disk is full, also that of temporary files; {_MORE}"
