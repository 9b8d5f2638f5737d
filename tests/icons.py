"""Icons of the installed page, from static/favicon.svg: `python -m tests.icons`."""

from playwright.sync_api import sync_playwright

from tests.page import ROOT, launch

FOLDER = ROOT / "static/icons"
GROUND = "#101214"  # of the drawing
# Name, width and height in pixels, what lies below the drawing, and how much the drawing takes: a system
# may cut a maskable one to a circle of 0.8 of its width.
ICONS = (
    ("apple-touch-icon", 180, GROUND, 1.0),
    ("icon-192", 192, "none", 1.0),
    ("icon-512", 512, "none", 1.0),
    ("icon-maskable-512", 512, GROUND, 0.7),
)


def main() -> None:
    drawing = (ROOT / "static/favicon.svg").read_text()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, size, ground, part in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(
                f"<style>* {{ margin: 0 }} body {{ display: grid; place-items: center; height: 100vh;"
                f" background: {ground} }}"
                f" svg {{ width: {100 * part}vw; height: {100 * part}vw }}</style>{drawing}"
            )
            page.screenshot(path=FOLDER / f"{name}.png", omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
