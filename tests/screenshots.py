"""Pictures of the page's states for README.md: `python -m tests.screenshots [FOLDER]`."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.page import CaptionServer, caption, expect, launch, room, status

KIOSK, LAPTOP, PHONE = (1920, 1080), (1366, 768), (390, 844)
ENGINE = "NVIDIA NeMo, FastConformer (English)"
LISTENING = status("listening", code="listening", message="Listening.", engine=ENGINE)
SPOKEN = [
    caption(0, "Good morning, everyone, and thank you for coming on such a rainy day."),
    caption(1, "We open the new library on Saturday at ten.", label="happy"),
    caption(2, "Will there be a lift for people who cannot take the stairs?", new_voice=True),
    caption(3, "", sound="laughter"),
    caption(4, "Yes, there is one beside the main entrance,", new_voice=True, loudness="loud"),
    caption(5, "and a second one is being built near the", final=False),
]


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


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    server = CaptionServer()
    server.status, server.past, server.room = LISTENING, SPOKEN, room()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            take(browser, server, folder, "listening", KIOSK)
            take(browser, server, folder, "phone", PHONE, device_scale_factor=2)
            take(browser, server, folder, "settings", LAPTOP, lambda page: page.keyboard.press("s"))
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
