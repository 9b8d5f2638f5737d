"""Pictures of the page's states for README.md: `python -m tests.screenshots [FOLDER]`.

The first is the program itself, captioning recordings of `../shared` and an acted sentence as they
are played; the others are the page with lines that a small server sends.
"""

import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import sync_playwright

from tests.measuring import SPEECH
from tests.page import CaptionServer, caption, expect, launch, room, status
from tests.program import PATIENCE_S, Program
from utils import audio

KIOSK, LAPTOP, PHONE = (1920, 1080), (1366, 768), (390, 844)
HEARD = (
    SPEECH / "1272-128104-0000.ogg",
    Path(__file__).parent / "data" / "angry.flac",
    SPEECH / "1988-24833-0018.ogg",
    SPEECH / "1272-141231-0005.ogg",
)
PAUSE_S = 1.2  # between them
ENGINE = "Whisper tiny.en"
LISTENING = status("listening", code="listening", message="Listening.", engine=ENGINE)
SPOKEN = [
    caption(0, "Good morning, everyone, and thank you for coming on such a rainy day."),
    caption(
        1,
        "The new library opens on Saturday at ten, and there will be cake for everyone who comes.",
        label="happy",
    ),
    caption(2, "I am sorry that the old reading room has to close.", label="sad", grade="likely"),
    caption(3, "Is there anything else that you want to know", final=False),
]
ANSWER = "Could you please repeat the last sentence?"


def take(browser, server, folder, name, size, act=None, **options):
    """Open the page in one size, do something, and save what is seen."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        screen={"width": size[0], "height": size[1]},
        **{"color_scheme": "dark"} | options,
    )
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("body")).to_have_attribute("data-state", server.status["state"])
    if server.past:
        expect(page.locator("#live")).not_to_be_empty()
    if act:
        act(page)
    server.emit("level", {"db": -24.0})
    page.wait_for_timeout(300)  # fonts
    page.screenshot(path=folder / f"{name}.png")
    context.close()


def take_real(browser, folder):
    """What the program makes of real speech, while the last sentence is being said."""
    pause = np.zeros(int(PAUSE_S * audio.SAMPLE_RATE), np.float32)
    sound = np.concatenate([part for path in HEARD for part in (pause, audio.load(path))])
    with tempfile.TemporaryDirectory() as made:
        recording = Path(made) / "speech.wav"
        soundfile.write(recording, sound, audio.SAMPLE_RATE)
        with Program(["--source", recording, "--listen"]) as program:
            size = {"width": KIOSK[0], "height": KIOSK[1]}
            page = browser.new_page(viewport=size, screen=size, color_scheme="dark")
            page.goto(program.link())
            patience_ms = 1000 * PATIENCE_S
            lines = page.locator("#lines li")
            expect(lines).to_have_count(len(HEARD) - 1, timeout=patience_ms)
            said = re.compile(r"(\S+\s+){4}")
            expect(page.locator("#live")).to_have_text(said, timeout=patience_ms)
            page.screenshot(path=folder / "listening.png")
            page.close()


def yellow_with_settings(page):
    """The display settings beside the captions, yellow on black."""
    page.keyboard.press("s")
    page.get_by_label("Yellow on black").check()


def answer(page):
    """An answer, large."""
    page.keyboard.press("a")
    page.locator("#answer-text").fill(ANSWER)
    page.keyboard.press("Enter")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with CaptionServer() as server, sync_playwright() as playwright:
        server.status, server.past, server.room = LISTENING, SPOKEN, room()
        browser = launch(playwright)
        take_real(browser, folder)
        take(browser, server, folder, "display", LAPTOP, yellow_with_settings)
        take(browser, server, folder, "answer", LAPTOP, answer, color_scheme="light")
        server.room = room(presenter=False)
        take(browser, server, folder, "phone", PHONE, locale="ko-KR", device_scale_factor=1.5)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
