"""NeMo without its chatter."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what NeMo and its parts say of their own business, and all network calls.

    Enter before NeMo is imported for the first time.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # Its level is reset by NeMo's own calls; a filter stays.
    logging.getLogger("nemo_logger").addFilter(_is_fatal)
    logging.getLogger("nv_one_logger").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _is_fatal(record: logging.LogRecord) -> bool:
    """What NeMo calls an error it also raises."""
    return record.levelno >= logging.CRITICAL
