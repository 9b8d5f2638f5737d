"""Which pages may connect, and what a page that cannot is told."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from tests.program import PATIENCE_S, Program
from utils.messages import SENTENCES
from web.peers import accepted_origin

OWN = {"wsgi.url_scheme": "http", "HTTP_HOST": "127.0.0.1:5000"}


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        ("http://127.0.0.1:5000", True),
        (None, True),
        ("", True),
        ("https://127.0.0.1:5000", False),
        ("http://127.0.0.1:5001", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_which_origins_may_connect(origin, accepted):
    assert accepted_origin(origin, OWN) is accepted


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with Program(["--asr", "whisper", "--no-emotion"]) as running:
        yield running


def told(program: Program, headers: Mapping[str, str]) -> dict:
    """What /reach answers."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE_S)
    with closing(connection):
        connection.request("POST", "/reach", headers=dict(headers))
        return json.load(connection.getresponse())


def test_a_page_of_another_origin_is_told_of_it(program):
    answer = told(program, {"Origin": "https://captions.example"})
    assert answer["code"] == "unreachable.origin"
    assert "https://captions.example" in answer["message"]


@pytest.mark.parametrize("own", [True, False])
def test_whose_origin_is_no_obstacle_is_told_of_none(program, own):
    headers = {"Origin": program.url} if own else {}
    answer = told(program, headers)
    assert answer["code"] == "unreachable.socket"
    assert answer["message"] == SENTENCES["unreachable.socket"]
