"""The browser of a kiosk: the captions on the whole screen, as a reader sees them.

`python -m deploy.browser` becomes it. CAPTIONS_SCREEN names another address.
"""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from utils.folders import state_folder

# Names on the path, and where they are installed; an environment variable leads each on Windows.
NAMES = ("chromium", "chromium-browser", "google-chrome", "msedge", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "${ProgramFiles(x86)}/Microsoft/Edge/Application/msedge.exe",
    "${ProgramFiles}/Microsoft/Edge/Application/msedge.exe",
    "${ProgramFiles}/Google/Chrome/Application/chrome.exe",
    "${LOCALAPPDATA}/Google/Chrome/Application/chrome.exe",
)
FLAGS = (  # nothing is kept, asked, translated or looked up
    "--kiosk",
    "--edge-kiosk-type=fullscreen",
    "--incognito",
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--disable-infobars",
    "--disable-translate",
    "--disable-features=Translate,MediaRouter",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-session-crashed-bubble",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--autoplay-policy=no-user-gesture-required",
)


def find(
    environment: Mapping[str, str] = os.environ,
    there: Callable[[str], bool] = lambda path: Path(path).is_file(),
) -> str | None:
    """A Chromium, Chrome or Edge of this computer; None where there is none."""
    for name in NAMES:
        if found := shutil.which(name, path=environment.get("PATH")):
            return found
    for place in PLACES:
        head, _, rest = place.partition("/")
        path = environment.get(head[2:-1], "") + f"/{rest}" if head else place
        if (not head or head[2:-1] in environment) and there(path):
            return path
    return None


def command(browser: str, address: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What starts a browser on the whole screen."""
    # A profile of its own, or a browser that runs would take the address and this one end.
    words = [browser, *FLAGS, f"--user-data-dir={state_folder() / 'browser'}"]
    if sys.platform == "linux":
        platform = "wayland" if environment.get("WAYLAND_DISPLAY") else "x11"
        words.append(f"--ozone-platform={platform}")
    return [*words, address]


def main() -> int:
    """Become the browser."""
    port = os.environ.get("CAPTIONS_PORT") or "5000"
    address = os.environ.get("CAPTIONS_SCREEN") or f"http://127.0.0.1:{port}/read"
    browser = find()
    if browser is None:
        print("no Chromium, Chrome or Edge: install one (apt install chromium)", file=sys.stderr)
        return 1
    return os.execv(browser, command(browser, address))


if __name__ == "__main__":
    sys.exit(main())
