"""Numbers for Prometheus and Grafana: they are true, they are for few, and they say no word."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.command_line.test_app import SPEECH, Client
from tests.lasting import until
from tests.program import Program, run
from utils.captions.delay import WordDelays
from utils.errors import ModelError
from utils.events import CaptionEvent, Word
from utils.live.board import Board
from utils.live.engines import Engines
from utils.live.loader import Progress
from utils.live.session import Session
from utils.monitoring import metrics
from utils.sources import FileSource
from web.access import Token
from web.pages import add_health

HOME = Path(__file__).resolve().parents[2]
DASHBOARD = HOME / "deploy" / "grafana.json"
FUNCTIONS = set("histogram_quantile sum by rate increase le step role level code state".split())


class Spoken(Program):
    """The program, and what its page was shown."""

    lines: list[str]


@pytest.fixture(scope="module")
def program() -> Iterator["Spoken"]:
    """The program after it has captioned a recording."""
    with Spoken(["--asr", "whisper", "--no-emotion", "--source", SPEECH]) as running:
        assert isinstance(running, Spoken)
        running.wait_for("ready")
        with Client(running) as page:
            page.ask("start")
            page.wait("status", code="ready.ended")
            running.lines = [line["text"] for line in page.of("caption") if line["final"]]
        yield running
    assert running.process.returncode == 0


def get(program: Program, path: str, **headers: str) -> tuple[int, str]:
    """Status and body of an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        asked = urllib.request.Request(program.url + path, headers=named)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as err:
        with err:
            return err.code, err.read().decode()


def samples(text: str) -> dict[str, float]:
    """Values by name, summed over labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def test_what_was_heard_and_shown_is_counted(program):
    status, text = get(program, "/metrics")
    found = samples(text)
    assert status == 200
    lines = [line for line in program.lines if line]
    assert found["captions_lines_total"] == len(set(lines)) > 0
    words = sum(len(line.split()) for line in set(lines))
    assert 0 < found["captions_word_delay_seconds_count"] <= words
    assert found["captions_word_delay_seconds_sum"] > 0
    assert found["captions_frames_total"] > 100 and found["captions_frames_dropped_total"] == 0
    assert found["captions_engine_step_seconds_count"] > found["captions_lines_total"]
    assert found["process_resident_memory_bytes"] > 50e6 and found["captions_threads"] > 3
    assert found["captions_pages_opened_total"] >= 1
    assert 'captions_state{state="ready"} 1.0' in text


def test_no_number_says_a_word(program):
    _, answer = get(program, "/metrics")
    assert program.lines
    text = "\n".join(line for line in answer.splitlines() if not line.startswith("#"))
    for line in program.lines:
        words = re.findall(r"\w+", line.lower())
        for pair in zip(words, words[1:]):
            assert " ".join(pair) not in text.lower()


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "X_Real_IP", "Via"])
def test_who_comes_through_a_proxy_needs_a_token(program, header):
    assert get(program, "/metrics", **{header: "192.0.2.9"})[0] == 403
    presenter = {**program.presenter, header: "192.0.2.9"}
    assert get(program, "/metrics", **presenter)[0] == 200


def test_a_monitor_elsewhere_has_a_token_that_gives_no_other_right(program, monkeypatch):
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    token = run(["link", "--metrics"]).stdout.strip()
    far = {"X_Forwarded_For": "192.0.2.9"}
    assert get(program, "/metrics", Authorization=f"Bearer {token}", **far)[0] == 200
    for wrong in (f"Bearer {token}x", "Bearer ", token, "Bearer é".encode().decode("latin-1")):
        assert get(program, "/metrics", Authorization=wrong, **far)[0] == 403
    with Client(program, {"Cookie": f"presenter_{program.port}={token}"}) as page:
        assert not page.wait("room")["presenter"]


def test_refusals_are_counted_by_the_part_that_refused(program):
    def refused() -> float:
        text = get(program, "/metrics")[1]
        found = re.search(r'captions_refusals_total\{by="web.gate"\} (\S+)', text)
        return float(found[1]) if found else 0.0

    before = refused()
    for _ in range(3):
        assert get(program, "/", Host="evil.example")[0] == 421
    assert refused() == before + 3  # logged once, counted each time


def test_pages_are_counted_by_role(program):
    with Client(program) as one, Client(program, {}) as other:
        one.wait("room", presenter=True)
        other.wait("room", presenter=False)

        def counted() -> bool:
            text = get(program, "/metrics")[1]
            return all(f'captions_pages{{role="{r}"}} 1.0' in text for r in ("presenter", "reader"))

        until(counted, "one of each")  # a page of before may be leaving still


def test_live_and_ready_are_told_apart_from_health(program):
    assert get(program, "/health/live") == (200, '{"live":true}\n')
    status, told = get(program, "/health/ready")
    assert (status, json.loads(told)["ready"]) == (200, True)
    assert json.loads(get(program, "/health")[1])["state"] == "ready"


def test_it_is_not_ready_while_it_loads():
    with Program(["--asr", "whisper", "--source", SPEECH]) as program:
        loading = program.health()["state"] == "loading"
        status, told = get(program, "/health/ready")
        assert get(program, "/health/live")[0] == 200
        if loading and program.health()["state"] == "loading":
            assert status == 503
            assert json.loads(told)["state"] == "loading" and json.loads(told)["message"]
        program.wait_for("ready")
        assert get(program, "/health/ready")[0] == 200


def test_strangers_are_not_told_why_it_is_not_ready_where_that_names_files(tmp_path):
    def load(progress: Progress) -> Engines:
        raise ModelError(f"{tmp_path} is not here")

    app = Flask(__name__)
    board = Board(lambda name, payload: None)
    with Session(load, lambda start: FileSource(SPEECH), board, lambda *told: None) as session:
        add_health(app, session, Token(tmp_path / "key"))
        until(lambda: session.status["state"] == "error", "the end of loading")
        for path in ("/health", "/health/ready"):
            own = app.test_client().get(path)
            strangers = app.test_client().get(path, headers={"X-Forwarded-For": "203.0.113.7"})
            assert own.json and str(tmp_path) in own.json["message"]
            assert strangers.json and strangers.json["state"] == "error"
            assert str(tmp_path) not in strangers.json["message"]
            assert own.status_code == strangers.status_code


def test_every_query_of_the_dashboard_asks_for_what_there_is():
    known = set()
    for family in metrics.REGISTRY.collect():
        base = family.name
        ends = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        known |= {base + end for end in ends.get(family.type, [""])}
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    asked = set()
    for query in queries:
        bare = re.sub(r"\[[^]]*\]|\{[^}]*\}|by \([a-z]+\)", "", query)
        asked |= set(re.findall(r"[a-z_]{2,}", bare)) - FUNCTIONS
    assert len(queries) > 15 and asked <= known, asked - known
    own = {name for name in known if name.startswith("captions_")}
    shown = {
        name.removesuffix("_sum").removesuffix("_count").removesuffix("_bucket") for name in own
    }
    used = {
        name.removesuffix("_sum").removesuffix("_count").removesuffix("_bucket") for name in asked
    }
    assert shown <= used, "the dashboard leaves some out"


def test_a_word_is_as_late_as_when_it_was_first_shown():
    delays = WordDelays()
    words = tuple(Word(text, end - 0.2, end) for text, end in (("a", 1.0), ("b", 1.5), ("c", 2.0)))
    assert delays.take(CaptionEvent(4, 0.5, 1.2, "a", False), 1.6) is None
    assert delays.take(CaptionEvent(4, 0.5, 1.8, "a x", False), 2.5) is None
    final = CaptionEvent(4, 0.5, 2.1, "a b c", True, words=words)
    assert delays.take(final, 3.0) == pytest.approx([0.6, 1.0, 1.0])
    assert delays.take(final.tagged("new_voice", True), 9.0) is None  # a tag is no word
