"""The program behind a real nginx: nobody presents by coming from there, and the page works."""

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
import websocket

from tests.page import CHROMIUM, CHROMIUM_ARGS, expect, needs_chromium, playwright_api
from tests.program import PATIENCE_S, Program, free_port
from tests.proxy import EXAMPLE, NAME, Proxy, missing
from tests.test_app import SPEECH, Client
from tests.test_web import links
from utils.address import Public, public_address
from utils.errors import ConfigError
from web.proxy import Proxied

needs_nginx = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def needs_browser(test: Callable) -> Callable:
    """A mark for tests that open the page."""
    for mark in needs_chromium:
        test = mark(test)
    return test


PROGRAM = ["--asr", "whisper", "--no-emotion", "--source", SPEECH]
BARE = """
server {
    listen 443;
    location / {
        proxy_pass http://127.0.0.1:5000;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
    }
}
"""
SITE = EXAMPLE.read_text()
NO_SOCKET = re.sub(r"\n *proxy_(http_version|set_header (Upgrade|Connection)) .*", "", SITE)
# Hosts and paths as different hands write it: the program sees them all as the same page.
WAYS = {
    "example": SITE,
    "path kept": SITE.replace("127.0.0.1:5000/;", "127.0.0.1:5000;"),
    "host not passed": re.sub(r"\n *proxy_set_header (Host|X-Forwarded-For) .*", "", SITE),
    "host without port": SITE.replace("Host $http_host", "Host $host"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright_api.sync_playwright() as playwright:
        rules = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*CHROMIUM_ARGS, rules]
        )
        yield browser
        browser.close()


@pytest.fixture
def start() -> Iterator[Callable]:
    """Starts the program, and nginx before it; gives the program and the port of nginx."""
    with ExitStack() as stack:

        def start(site: str, *arguments: str) -> tuple[Program, int]:
            port = free_port()
            given = [a.format(port=port) for a in arguments]
            program = stack.enter_context(Program([*PROGRAM, *given]))
            stack.enter_context(Proxy(site, port, program.port))
            program.wait_for("ready")
            return program, port

        yield start


@pytest.fixture
def page(browser) -> Iterator[object]:
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    expect.set_options(timeout=PATIENCE_S * 1000)
    yield page
    context.close()


def get(port: int, path: str, host: str) -> tuple[int, bytes]:
    """Status and body of what nginx answers."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read()


def stranger(port: int) -> websocket.WebSocket:
    """A connection through nginx of a program that, unlike a browser, tells no origin."""
    reader = websocket.create_connection(
        f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket",
        timeout=PATIENCE_S, suppress_origin=True,
    )  # fmt: skip
    reader.send("40")
    return reader


def answer(reader: websocket.WebSocket, begins: str) -> str:
    """The next message that begins so."""
    while not (message := reader.recv()).startswith(begins):
        if message == "2":
            reader.send("3")
    return message


@needs_nginx
def test_behind_a_bare_proxy_a_stranger_only_reads(start):
    program, port = start(BARE)
    with closing(stranger(port)) as reader, Client(program) as presenter:
        assert '"presenter":false' in answer(reader, '42["room"')
        reader.send('420["clear"]')
        assert '"refused.presenter"' in answer(reader, "430")
        assert presenter.ask("blank", {"on": True})["ok"]
        assert '"blank":true' in answer(reader, '42["room"')
        assert get(port, "/export/txt", f"127.0.0.1:{port}")[0] == 403


@needs_nginx
@pytest.mark.parametrize("site", WAYS.values(), ids=WAYS)
@needs_browser
def test_under_tls_and_a_path_the_page_works_whole(start, page, site):
    address = f"https://{NAME}:{{port}}/hall"
    program, port = start(site, "--proxy", address)
    problems = []
    page.on("console", lambda m: m.type == "error" and problems.append(m.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"https://{NAME}:{port}/hall/")
    expect(page.locator("#status")).to_have_attribute("data-state", "ready")
    expect(page.locator("#hint")).to_contain_text("Captions will appear here")
    expect(page.locator("#record")).to_be_hidden()

    link = links(program)
    assert link.startswith(f"https://{NAME}:{port}/hall/#present=")
    page.goto(link)  # in the same window
    expect(page.locator("#record")).to_be_visible()
    assert page.url == f"https://{NAME}:{port}/hall/"
    [cookie] = page.context.cookies()
    assert cookie["secure"] and cookie["httpOnly"] and cookie["path"] == "/hall"
    page.locator("#record").click()
    expect(page.locator("li.caption").first).to_be_visible()
    page.locator('[data-opens="phone"]').click()
    expect(page.locator("#phone-url")).to_have_text(f"https://{NAME}:{port}/hall/read")
    assert page.locator("#phone-code").evaluate("async e => (await e.decode(), e.naturalWidth)") > 0
    export = page.locator("#settings a[download]").first
    assert len(export.evaluate("async e => (await fetch(e.href)).text()")) > 10
    page.goto(f"https://{NAME}:{port}/hall/read")
    expect(page.locator("li.caption").first).to_be_visible()
    assert not problems


@needs_nginx
@needs_browser
@pytest.mark.parametrize(
    ("site", "arguments", "reason"),
    [
        (SITE, ("--address", NAME), "start it with --proxy and the page's address"),
        (NO_SOCKET, ("--proxy", f"https://{NAME}:{{port}}/hall"), "must pass WebSocket on"),
    ],
    ids=["no setting", "no WebSocket"],
)
def test_the_page_names_why_it_cannot_connect(start, page, site, arguments, reason):
    _, port = start(site, *arguments)
    page.goto(f"https://{NAME}:{port}/hall/")
    expect(page.locator("#alert")).to_contain_text(reason)
    expect(page.locator("body")).to_have_attribute("data-state", "offline")


@needs_nginx
def test_a_name_that_the_program_does_not_know_is_told(start):
    _, port = start(SITE.replace("443 ssl", "443"))
    status, body = get(port, "/hall/", NAME)
    assert status == 421 and b"--proxy" in body


def seen(public: Public, **environ: str) -> dict:
    """What the program sees of a request."""
    got: dict = {}

    def app(environ: dict, start_response: Callable) -> list:
        got.update(environ)
        return []

    request = {
        "PATH_INFO": "/", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http",
        "HTTP_HOST": "127.0.0.1:5000",
    }  # fmt: skip
    told: list = []
    Proxied(app, public)(request | environ, lambda *answer: told.extend(answer))
    return got or {"answer": told}


def test_only_this_computers_own_proxy_says_who_asks():
    public = public_address("https://captions.example")
    named = {"HTTP_X_FORWARDED_FOR": "203.0.113.7, 10.0.0.1"}
    assert seen(public, **named)["REMOTE_ADDR"] == "10.0.0.1"
    assert seen(public, REMOTE_ADDR="10.9.9.9", **named)["REMOTE_ADDR"] == "10.9.9.9"
    assert seen(public)["REMOTE_ADDR"] == "127.0.0.1"


def test_only_the_pages_own_origin_is_seen_as_the_proxys():
    public = public_address("https://captions.example/hall")
    own = seen(public, HTTP_ORIGIN="https://captions.example", PATH_INFO="/hall/read")
    assert (own["wsgi.url_scheme"], own["HTTP_HOST"]) == ("https", "captions.example")
    assert (own["SCRIPT_NAME"], own["PATH_INFO"]) == ("/hall", "/read")
    for origin in ("http://captions.example", "https://captions.example:8443", "null"):
        foreign = seen(public, HTTP_ORIGIN=origin, HTTP_X_FORWARDED_PROTO="https")
        assert (foreign["wsgi.url_scheme"], foreign["HTTP_HOST"]) == ("http", "127.0.0.1:5000")
    assert seen(public, PATH_INFO="/hallway")["PATH_INFO"] == "/hallway"
    assert seen(public, PATH_INFO="/hall")["answer"][1] == [("Location", "/hall/")]


@pytest.mark.parametrize(
    ("address", "origin", "prefix"),
    [
        ("https://Captions.Example", "https://captions.example", ""),
        ("https://captions.example:443/", "https://captions.example", ""),
        ("http://captions.example:8080/a/b/", "http://captions.example:8080", "/a/b"),
        ("https://[2001:db8::1]/hall", "https://[2001:db8::1]", "/hall"),
    ],
)
def test_the_parts_of_a_proxys_address(address, origin, prefix):
    public = public_address(address)
    assert (public.origin, public.prefix) == (origin, prefix)
    assert public.url("/read") == f"{origin}{prefix}/read"


@pytest.mark.parametrize(
    "address",
    ["captions.example", "//captions.example", "ftp://captions.example", "https://", "https:///hall",
     "https://a@captions.example", "https://captions.example:x", "https://captions.example/?a=1",
     "https://captions.example/#a", "https://[::1", "1"],
)  # fmt: skip
def test_what_is_no_address_of_a_proxy_is_told(address):
    with pytest.raises(ConfigError, match="expected the address under which the proxy"):
        public_address(address)
