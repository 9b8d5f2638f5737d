"""Ctrl-C while a program is imported ends it without a word: to be imported before the rest."""

import os
import signal

_before = signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def imported() -> None:
    """All is imported: Ctrl-C does what it did."""
    signal.signal(signal.SIGINT, _before)
