"""What is said about a line besides its words: one file a tag.

The pipeline does not know which tags there are. It asks each in turn while a line grows, at its
end, and once its words are known; what they answer stands in `CaptionEvent.tags` by their names.
"""

from concurrent.futures import Future

import numpy as np


class Tag:
    """Something that is said about lines, one after the other. What is not overridden says nothing.

    Whatever it is asked, it may raise: an AudioError where this sound is to blame, and it is asked
    again; anything else, and the pipeline gives it up, tells `missing`, and goes on without it.
    The same holds for what its `Future` raises.

    Attributes
    ----------
    name : its key in `CaptionEvent.tags`
    on : whether it is asked, from the next line on
    missing : code of what is told where it is given up for want of memory or because it failed;
        None where it costs next to nothing, and is kept
    """

    name: str
    missing: str | None = None

    def __init__(self) -> None:
        self.on = True

    def begin(self, live: bool) -> None:
        """A line begins; one that was not finished is given up.

        Parameters
        ----------
        live : somebody reads along, so that nothing is to be waited for
        """

    def grow(self, samples: np.ndarray) -> object:
        """What is to be shown now, or None; seen by nobody where the line is not `live`.

        Parameters
        ----------
        samples : all of the line so far, float32 (n,) at 16 kHz, not to be written to
        """
        return None

    def finish(self, samples: np.ndarray) -> object:
        """What is to be said of the whole line, or None; asked beside the recogniser's last work.

        Parameters
        ----------
        samples : all of the line, which may be less than was there while it grew
        """
        return None

    def after_text(self, text: str, samples: np.ndarray) -> "object | Future[object]":
        """What is to be said of a line that has words, or None for what `finish` said.

        A `Future` comes later: the line is then sent again with it.
        """
        return None

    def seen(self, value: object) -> object:
        """What a reader sees of a value: while a line grows, it is sent again when that changes."""
        return value

    def forget(self) -> None:
        """Forget who and what was heard: all that was said is cleared."""

    def close(self) -> None:
        """Let go of threads and memory. It is not used again."""
