"""The program behind a real nginx: nobody presents by coming from there, and the page works."""

import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import websocket

from tests.command_line.test_app import SPEECH, Client
from tests.page import WORDS, expect, launch, needs_chromium, playwright_api
from tests.program import PATIENCE_S, Program, free_port
from tests.proxy import EXAMPLE, NAME, Proxy, missing
from tests.web.test_web import links
from utils.address import Public, public_address
from utils.errors import ConfigError
from web.proxy import Proxied

needs_nginx = pytest.mark.skipif(missing() is not None, reason=str(missing()))
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


def needs_browser(test: Callable) -> Callable:
    """A mark for tests that open the page."""
    for mark in needs_chromium:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright_api.sync_playwright() as playwright:
        browser = launch(playwright, f"--host-resolver-rules=MAP {NAME} 127.0.0.1")
        yield browser
        browser.close()


class Served(Program):
    """The program, and a port at which nginx is to stand before it.

    Parameters
    ----------
    arguments : with `{port}` for that port
    """

    def __init__(self, *arguments: str) -> None:
        self.outside = free_port()
        super().__init__([*PROGRAM, *(a.format(port=self.outside) for a in arguments)])

    def behind(self, site: str) -> Proxy:
        """nginx with a configuration."""
        return Proxy(site, self.outside, self.port)


def served(*arguments: str) -> Iterator[Served]:
    """Run the program with these for a module."""
    running = Served(*arguments)
    with running:
        running.wait_for("ready")
        yield running
    assert "Traceback" not in running.errors


@pytest.fixture(scope="module")
def told() -> Iterator[Served]:
    """The program that is told of its proxy."""
    yield from served("--proxy", f"https://{NAME}:{{port}}/hall")


@pytest.fixture(scope="module")
def named() -> Iterator[Served]:
    """The program that is told the name alone."""
    yield from served("--address", NAME)


@pytest.fixture(scope="module")
def plain() -> Iterator[Served]:
    """The program that is told nothing."""
    yield from served()


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
        timeout=PATIENCE_S,
        suppress_origin=True,
    )
    reader.send("40")
    return reader


def answer(reader: websocket.WebSocket, begins: str) -> str:
    """The next message that begins so."""
    while not (message := str(reader.recv())).startswith(begins):
        if message == "2":
            reader.send("3")
    return message


@needs_nginx
def test_behind_a_bare_proxy_a_stranger_only_reads(plain):
    port = plain.outside
    with plain.behind(BARE), closing(stranger(port)) as reader, Client(plain) as presenter:
        assert '"presenter":false' in answer(reader, '42["room"')
        reader.send('420["clear"]')
        assert '"refused.presenter"' in answer(reader, "430")
        assert presenter.ask("blank", {"on": True})["ok"]
        assert '"blank":true' in answer(reader, '42["room"')
        assert get(port, "/export/txt", f"127.0.0.1:{port}")[0] == 403
        assert presenter.ask("blank", {"on": False})["ok"]


@needs_nginx
@pytest.mark.parametrize("site", WAYS.values(), ids=WAYS)
@needs_browser
def test_under_tls_and_a_path_the_page_works_whole(told, page, site):
    address = f"https://{NAME}:{told.outside}/hall"
    problems = []
    page.on("console", lambda m: m.type == "error" and problems.append(m.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    with told.behind(site):
        page.goto(f"{address}/")
        expect(page.locator("#status")).to_have_attribute("data-state", "ready")
        expect(page.locator("#hint")).to_have_text(WORDS["en"]["hint.ready.reader"])
        expect(page.locator("#record")).to_be_hidden()

        link = links(told)
        assert link.startswith(f"{address}/#present=")
        page.goto(link)  # in the same window
        expect(page.locator("#record")).to_be_visible()
        assert page.url == f"{address}/"
        [cookie] = page.context.cookies()
        assert cookie["secure"] and cookie["httpOnly"] and cookie["path"] == "/hall"
        page.locator("#record").click()
        expect(page.locator("li.caption").first).to_be_visible()
        page.locator('button.phone[data-opens="phone"]').click()
        expect(page.locator("#phone-url")).to_have_text(f"{address}/read")
        drawn = "async e => (await e.decode(), e.naturalWidth)"
        assert page.locator("#phone-code").evaluate(drawn) > 0
        export = page.locator("#text a[download]").first
        assert len(export.evaluate("async e => (await fetch(e.href)).text()")) > 10
        page.goto(f"{address}/read")
        expect(page.locator("li.caption").first).to_be_visible()
        with Client(told) as presenter:  # for the next
            presenter.wait("status", state="ready")
            assert presenter.ask("clear")["ok"]
        assert not problems


@needs_nginx
@needs_browser
@pytest.mark.parametrize(
    ("program", "site", "reason"),
    [
        ("named", SITE, "start it with --proxy and the page's address"),
        ("told", NO_SOCKET, "must pass WebSocket on"),
    ],
)
def test_the_page_names_why_it_cannot_connect(page, program, site, reason, request):
    running = request.getfixturevalue(program)
    with running.behind(site):
        page.goto(f"https://{NAME}:{running.outside}/hall/")
        expect(page.locator("#alert")).to_contain_text(reason)
        expect(page.locator("body")).to_have_attribute("data-state", "offline")


@needs_nginx
def test_a_name_that_the_program_does_not_know_is_told(plain):
    with plain.behind(SITE.replace("443 ssl", "443")):
        status, body = get(plain.outside, "/hall/", NAME)
    assert status == 421 and b"--proxy" in body


def seen(public: Public, **environ: str) -> dict:
    """What the program sees of a request."""
    got: dict = {}

    def app(environ: dict, start_response: Callable) -> list:
        got.update(environ)
        return []

    request = {
        "PATH_INFO": "/",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "127.0.0.1:5000",
    }
    told: list = []

    def start(*answer: object) -> Callable[[bytes], object]:
        told.extend(answer)
        return told.append

    Proxied(app, public)(request | environ, start)
    return got or {"answer": told}


def test_only_this_computers_own_proxy_says_who_asks():
    public = public_address("https://captions.example")
    named = {"HTTP_X_FORWARDED_FOR": "203.0.113.7, 10.0.0.1"}
    assert seen(public, **named)["REMOTE_ADDR"] == "10.0.0.1"
    assert seen(public, REMOTE_ADDR="10.9.9.9", **named)["REMOTE_ADDR"] == "10.9.9.9"
    assert seen(public)["REMOTE_ADDR"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "asks"),
    [
        ("203.0.113.7:5123", "203.0.113.7"),
        ("203.0.113.7:5124", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]:5123", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("1.2.3.4\t,  203.0.113.7 ", "203.0.113.7"),
        ("1.2.3.4,,203.0.113.7", "203.0.113.7"),
        *(
            (odd, "127.0.0.1")
            for odd in (
                "",
                " ",
                ",",
                "1.2.3.4,",
                "unknown",
                "_hidden",
                "for=1.2.3.4",
                "127.1",
                "1.2.3.4%a",
                "captions.example",
                "x" * 60_000,
                "1.2.3.4, <b>",
                "[::1",
                "1.2.3.4:port",
                "?",
            )
        ),
    ],
    ids=lambda text: text[:20],
)
def test_who_asks_is_one_however_a_proxy_writes_it(forwarded, asks):
    public = public_address("https://captions.example")
    assert seen(public, HTTP_X_FORWARDED_FOR=forwarded)["REMOTE_ADDR"] == asks


def test_nothing_else_that_is_forwarded_is_believed():
    forged = {
        f"HTTP_X_FORWARDED_{name}": value
        for name, value in (
            ("HOST", "evil.example"),
            ("PROTO", "https"),
            ("PORT", "1"),
            ("PREFIX", "/evil"),
            ("SERVER", "evil.example"),
            ("SSL", "on"),
        )
    } | {"HTTP_FORWARDED": "for=1.2.3.4;host=evil.example;proto=https", "HTTP_X_REAL_IP": "1.2.3.4"}
    public = public_address("https://captions.example")
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.9.9.9", "2001:db8::7"):
        got = seen(public, REMOTE_ADDR=address, **forged)
        assert (got["REMOTE_ADDR"], got["wsgi.url_scheme"]) == (address, "http")
        assert (got["HTTP_HOST"], got.get("SCRIPT_NAME", "")) == ("127.0.0.1:5000", "")


def test_only_the_pages_own_origin_is_seen_as_the_proxys():
    public = public_address("https://captions.example/hall")
    own = seen(public, HTTP_ORIGIN="https://captions.example", PATH_INFO="/hall/read")
    assert (own["wsgi.url_scheme"], own["HTTP_HOST"]) == ("https", "captions.example")
    assert (own["SCRIPT_NAME"], own["PATH_INFO"]) == ("/hall", "/read")
    for origin in (
        "http://captions.example",
        "https://captions.example:8443",
        "null",
        "",
        "https://captions.example/",
        "https://captions.example.evil.example",
        "https://captions.example,https://captions.example",
        "https://evil.example https://captions.example",
    ):
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
    [
        "captions.example",
        "//captions.example",
        "ftp://captions.example",
        "https://",
        "https:///hall",
        "https://a@captions.example",
        "https://captions.example:x",
        "https://captions.example/?a=1",
        "https://captions.example/#a",
        "https://[::1",
        "1",
    ],
)
def test_what_is_no_address_of_a_proxy_is_told(address):
    with pytest.raises(ConfigError, match="expected the address under which the proxy"):
        public_address(address)
