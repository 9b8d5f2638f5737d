"""A long day on a phone: `python -m tests.bench_page [LINES]` (5,000 lines; `make bench ARGS=page`).

Each line grows three times and ends, with a level between, as in eight hours of speech. Measured
is the time from when a line is sent until the frame in which it is painted, the processor time
that the page's own thread takes for a line, whatever else the machine does, and what the page
holds: elements, and the memory of its script after it was tidied.
"""

import statistics
import sys
import time

from playwright.sync_api import sync_playwright

from tests.page import CaptionServer, expect, launch, status

PHONE = {"width": 390, "height": 844}
LINES, REPORTS = 5000, 10
AHEAD = 10  # lines that are sent before the page is waited for
WORDS = "and so we come to the part that everybody has been waiting for all day".split()
LABELS = (None, None, None, "happy", "sad")
# When the frame was painted in which a line stood for the first time, by its segment.
WATCH = """() => {
    globalThis.painted = {};
    new MutationObserver((changes) => {
        const segments = changes.flatMap((c) => [...c.addedNodes]).map((li) => li.dataset?.segment);
        requestAnimationFrame(() => setTimeout(() => {
            for (const segment of segments) painted[segment] ??= Date.now();
        }));
    }).observe(document.querySelector("#lines"), { childList: true });
}"""
HELD = """() => {
    const found = { painted, elements: document.querySelectorAll("*").length };
    const { scrollHeight, clientHeight, scrollTop } = document.querySelector("#view");
    globalThis.painted = {};
    return { ...found, gap: scrollHeight - clientHeight - scrollTop };
}"""


def say(server: CaptionServer, segment: int) -> float:
    """Send a line as it grows; return when its end was sent, in milliseconds."""
    words = [WORDS[(segment + i) % len(WORDS)] for i in range(8 + segment % 9)]
    for n in (3, 6, len(words)):
        server.say(segment, " ".join(words[:n]), final=False)
        server.emit("level", {"db": -20.0 - segment % 7})
    sent_ms = time.time() * 1000
    server.say(segment, f"{' '.join(words).capitalize()}.", label=LABELS[segment % len(LABELS)])
    return sent_ms


def wait(page, segment: int) -> None:
    """Until a line is painted."""
    while not page.evaluate("(segment) => segment in painted", str(segment)):
        pass


def measure(server: CaptionServer, page, n_lines: int) -> None:
    """Say the lines, and print what they cost."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.evaluate(WATCH)
    print(
        "| lines | shown after: median, 99 %, most (ms) | work for a line (ms) | elements "
        "| script (MB) | below (px) |\n|---|---|---|---|---|---|"
    )
    worked_s = 0.0
    for report in range(REPORTS):
        sent: dict[int, float] = {}
        for segment in range(report * n_lines // REPORTS, (report + 1) * n_lines // REPORTS):
            sent[segment] = say(server, segment)
            if segment % AHEAD == 0:  # faster than it is read, a page would be cut off
                wait(page, segment)
        wait(page, segment)
        held = page.evaluate(HELD)
        late = sorted(
            held["painted"][str(s)] - at for s, at in sent.items() if str(s) in held["painted"]
        )
        devtools.send("HeapProfiler.collectGarbage")
        found = devtools.send("Performance.getMetrics")["metrics"]
        told = {metric["name"]: metric["value"] for metric in found}
        work_s, worked_s = told["TaskDuration"] - worked_s, told["TaskDuration"]
        median, most = statistics.median(late), late[-1]
        print(
            f"| {segment + 1} | {median:.0f}, {late[int(0.99 * len(late))]:.0f}, {most:.0f} "
            f"| {1000 * work_s / len(sent):.1f} | {held['elements']} "
            f"| {told['JSHeapUsedSize'] / 1e6:.1f} | {held['gap']:.0f} |",
            flush=True,
        )


def bench_page(n_lines: int = LINES) -> None:
    """Say the lines to a page in a real browser, of the size of a phone."""
    with CaptionServer() as server, sync_playwright() as playwright:
        server.status = status("listening")
        browser = launch(playwright)
        page = browser.new_page(viewport=PHONE, is_mobile=True, device_scale_factor=2)
        page.goto(server.url)
        expect(page.locator("body")).to_have_attribute("data-state", "listening")
        measure(server, page, n_lines)
        browser.close()


if __name__ == "__main__":
    bench_page(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
