"""The page in a real browser, against a small server that sends scripted events."""

import json
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from queue import Queue

import pytest
from flask import Flask, render_template
from flask_socketio import SocketIO
from werkzeug.serving import make_server

from utils.captions.offending import OffendingWords
from web.events import PONG_S
from web.manifest import add_manifest

playwright_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
expect = playwright_api.expect
DAY_S = 24 * 3600.0
PATIENCE_MS = 120_000  # a machine that is busy besides is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LABELS = ("neutral", "happy", "sad", "angry", "fear", "disgust")
REQUESTS = (
    "start",
    "stop",
    "clear",
    "blank",
    "emotion",
    "sounds",
    "clear_after",
    "offending",
    "save",
    "phrases",
    "correct",
    "restore",
    "name_voice",
    "history",
    "forget",
    "speak",
    "fetch",
    "lock",
    "answers",
    "answer",
)
LETTERS = "document.fonts.ready.then(() => null)"
AT_END = """() => {
    const { scrollTop, scrollHeight, clientHeight } = document.getElementById("view");
    return scrollHeight - clientHeight - scrollTop < 2;
}"""
DRAWN = """() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
WORDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "static/words").glob("*.json"))
}
LANGUAGES = {code: words["language.name"] for code, words in WORDS.items()}

needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome"),
]
needs_firefox = [
    pytest.mark.browser,
    pytest.mark.skipif(FIREFOX is None, reason="needs firefox-esr or firefox"),
]


def read_whole(app: Callable) -> Callable:
    """Files are read before they are sent: werkzeug leaves one open where a page closes meanwhile."""

    def serve(environ: dict, start_response: Callable) -> list[bytes]:
        with closing(app(environ, start_response)) as parts:
            return [b"".join(parts)]

    return serve


class CaptionServer:
    """The real page with scripted events; it can go away and come back on its port.

    What the page asks for is put into `asked` as (name, payload), and answered with `answer`, once
    `answering` is set. Whether the page is still there is asked every `ping_s` only: one that is slow,
    or whose clock is turned on by hours, would be taken for gone. Ends with the `with` block.
    """

    def __init__(self, ping_s: float = DAY_S) -> None:
        self.app = Flask(__name__, root_path=str(ROOT))
        pings = {"ping_interval": ping_s, "ping_timeout": PONG_S}
        self.app.wsgi_app = read_whole(self.app.wsgi_app)  # type: ignore[method-assign]
        # each event in its turn, as the program has it: else each has a thread of its own
        self.socketio = SocketIO(self.app, async_mode="threading", async_handlers=False, **pings)
        self.asked: Queue[tuple[str, object]] = Queue()
        self.answer = {"ok": True}
        self.answering = threading.Event()
        self.answering.set()
        self.status = status("ready")
        self.room = room()
        self.past: list[dict] = []
        self.port = 0
        for name in ("", "read", "facing"):
            self.app.add_url_rule(f"/{name}", name or "page", self._page)
        words = OffendingWords(ROOT / "no such list").script_pattern()
        self.app.add_url_rule("/offending", "offending", lambda: {"pattern": words})
        self.sessions: list[dict] = []  # that are saved, each with the same lines
        self.app.add_url_rule("/saved", "saved", lambda: {"sessions": self.sessions})
        self.app.add_url_rule("/saved/<name>/json", "session", lambda name: {"lines": self.past})
        self.app.add_url_rule("/qr.svg", "qr", lambda: (QR, {"Content-Type": "image/svg+xml"}))
        add_manifest(self.app)
        self.app.after_request(forbid_inline)
        self.socketio.on_event("connect", self._greet)
        for name in REQUESTS:
            self.socketio.on_event(name, self._listen(name))
        self.start()

    def __enter__(self) -> "CaptionServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.socketio.server.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self._http = make_server("127.0.0.1", self.port, self.app, threaded=True)
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self.answering.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        for client in list(self.socketio.server.eio.sockets.values()):
            client.close(wait=False, abort=True)  # waiting would hang on a page that is gone

    def emit(self, event: str, payload: dict) -> None:
        self.socketio.emit(event, payload)

    def show(self, state: str, **changes) -> None:
        self.status = status(state, **changes)
        self.emit("status", self.status)

    def arrange(self, **changes) -> None:
        self.room = room(**changes)
        self.emit("room", self.room)

    def say(self, segment: int, text: str, **changes) -> None:
        self.emit("caption", caption(segment, text, **changes))

    def _page(self) -> str:
        return render_template("index.html", language="cy", languages=LANGUAGES)

    def _listen(self, name: str):
        def handle(payload: dict) -> dict:
            self.asked.put((name, payload))
            self.answering.wait()
            return self.answer

        return handle

    def _greet(self, *_: object) -> None:
        self.socketio.server.emit("room", self.room)
        self.socketio.server.emit("status", self.status)
        for line in self.past:
            self.socketio.server.emit("caption", line)


QR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" shape-rendering="crispEdges">'
    '<path fill="#000" d="M1 1h3v3h-3zM5 1h1v2h2v1h-3zM1 5h2v1h3v2h-2v-1h-3zM7 5h1v3h-1z"/></svg>'
)


def forbid_inline(response):
    response.headers["Content-Security-Policy"] = "default-src 'self'"
    return response


def status(state: str, **changes) -> dict:
    return {
        "state": state,
        "code": f"test.{state}",  # no sentence of the page's own: the message stands
        "values": {},
        "message": f"It is {state}.",
        "engine": "" if state == "loading" else "Test engine",
        "progress": None,
        "session": "one",
        "offer": None,
        "quiet": False,
        "notices": [],
        "clears": 0,
    } | changes


def offer(name: str = "a-model", busy: bool = False) -> dict:
    return {"name": name, "size_mb": 460, "busy": busy}


def room(**changes) -> dict:
    return {
        "presenter": True,
        "blank": False,
        "emotion": True,
        "offending": "off",
        "translations": [],
        "text_emotion": False,
        "clear_after_min": 0,
        "saving": None,
        "history": False,
        "microphone": "",
        "reader_url": None,
        "speech": False,
        "locked": False,
        "answers": False,
        "facing": "",
        "phrases": ["Yes.", "No.", "Please repeat that.", "One moment, please."],
        "phrases_limits": {"most": 40, "letters": 200},
        "language": "en",
    } | changes


def caption(
    segment: int,
    text: str,
    *,
    label: str | None = None,
    grade: str | None = None,
    loudness: str | None = None,
    new_voice: bool | None = None,
    **changes,
) -> dict:
    emotion = {"label": label, "confidence": 0.9, "scores": {label: 0.9}} if label else None
    if emotion and grade:
        emotion["grade"] = grade
    tags = {"emotion": emotion, "loudness": loudness, "new_voice": new_voice}
    return {
        "segment": segment,
        "start_s": segment * 2.0,
        "end_s": segment * 2.0 + 1.5,
        "text": text,
        "final": True,
        "tags": {name: value for name, value in tags.items() if value},
        "words": [],
        "sound": None,
    } | changes


def launch(playwright, *arguments: str):
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_ARGS, *arguments])


def launch_firefox(playwright):
    """The system's own Firefox, driven by WebDriver BiDi; it wishes for dark pages."""
    dark = {"layout.css.prefers-color-scheme.content-override": 0}
    return playwright.firefox.launch(
        executable_path=FIREFOX, channel="moz-firefox", firefox_user_prefs=dark
    )


@pytest.fixture(scope="module")
def browser():
    with playwright_api.sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def server():
    with CaptionServer() as server:
        yield server


@pytest.fixture
def open_page(browser, server):
    contexts = []

    def open_page(before=None, **options):
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        if before:
            page.add_init_script(before)
        page.goto(server.url)
        expect(page.locator("#status")).to_have_text(server.status["message"])
        page.evaluate(LETTERS)  # with others, rows end elsewhere
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page):
    return open_page()


def lines(page):
    return page.locator("#captions li.caption")


def talk(server, count: int, first: int = 0) -> None:
    for segment in range(first, first + count):
        server.say(segment, f"This is line number {segment} of a long talk.")


def stop_clock(page) -> None:
    """Let time stand still on the page, but for what a test turns on."""
    page.clock.install(time=0)
    page.clock.pause_at(60)


def draw(page) -> None:
    """Wait until the page has drawn what it was told: it answers to sizes in the next frame."""
    page.evaluate(DRAWN)


def gap_below(page) -> float:
    """How far the captions are from their end, in CSS pixels."""
    return page.locator("#view").evaluate("e => e.scrollHeight - e.clientHeight - e.scrollTop")


def wait_for_end(page) -> None:
    """Wait until the captions are at their end, which they are once the page is drawn."""
    page.wait_for_function(AT_END)
