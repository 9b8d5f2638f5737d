"""Serve the captions, and open them in the browser as the presenter's as soon as they are there.

`start.ps1` and `start.command` end here, so that both do the same. The browser is opened by the
link that the program prints; what it prints is passed on.
"""

import os
import re
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Iterable, Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
LINK = re.compile(r"http://\S+#present=\S+")


def main(arguments: Sequence[str]) -> int:
    """Run the program to its end; return its exit status."""
    command = [sys.executable, "-X", "utf8", str(HOME / "app.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", cwd=HOME) as program:
        try:
            follow(program.stdout or ())
        except KeyboardInterrupt:
            # A terminal tells every process by itself, and to be told twice disturbs nothing; on
            # Windows it would break the ending off.
            if os.name == "posix":
                program.send_signal(signal.SIGTERM)
        return program.wait()


def follow(lines: Iterable[str]) -> None:
    """Pass on what is printed, and open the first link that makes a browser the presenter's."""
    opened = False
    for line in lines:
        print(line, end="", flush=True)
        if not opened and (link := LINK.search(line)):
            opened = True
            webbrowser.open(link[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
