"""Serve the captions, and open them in the browser as the presenter's as soon as they are there.

`start.ps1` and `start.command` end here, so that both do the same. The program runs in this very
process, so that who ends one ends both; the browser is opened by the link that it prints.
"""

import io
import re
import sys
import threading
import webbrowser
from collections.abc import Sequence

import app
from utils.command_line.output import run

LINK = re.compile(r"http://\S+#present=\S+")


class Printed(io.TextIOWrapper):
    """Standard output, which opens the first link in it that makes a browser the presenter's."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        super().__init__(stream.detach(), "utf-8", "replace", line_buffering=True)
        self._opened = False

    def write(self, text: str) -> int:
        """Write, and look for the link, which the program prints as one piece."""
        written = super().write(text)
        if not self._opened and (link := LINK.search(text)):
            self._opened = True
            # beside the captions: a browser in the terminal comes back when it is closed
            threading.Thread(target=webbrowser.open, args=(link[0],), daemon=True).start()
        return written


def main(arguments: Sequence[str]) -> int:
    """Run the program to its end; return its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # not where nobody sees what is printed
        sys.stdout = Printed(sys.stdout)
    return run(lambda: app.main(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
