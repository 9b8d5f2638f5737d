"""Who may see saved sessions over the web, and in which forms they come."""

import json
from types import SimpleNamespace

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from utils.captions.offending import OffendingWords
from utils.events import CaptionEvent
from utils.live.history import History
from web.access import Token
from web.peers import cookie_name
from web.saved import add_saved

NAME = "captions-2026-01-02-030405.jsonl"
WORD = "shit"


@pytest.fixture
def served(tmp_path):
    """A browser, the sessions and the presenter's token."""
    folder = tmp_path / "saved"
    folder.mkdir()
    entry = json.dumps(CaptionEvent(0, 0.0, 1.5, f"Oh {WORD}.", True).to_dict())
    (folder / NAME).write_text(f"{entry}\n")
    (folder / "secret.jsonl").write_text(f"{entry}\n")
    history, token = History(folder, lambda: ""), Token(tmp_path / "key")
    words = OffendingWords(tmp_path / "none")
    room = SimpleNamespace(history=history, how_offending="off", offending=words)
    app = Flask(__name__)
    add_saved(
        app,
        room,  # type: ignore[arg-type]  # all that is asked of it
        token,
        lambda make: make(),
        lambda form, name, blocks: Response(blocks, headers={"X-Name": f"{name}.{form}"}),
        lambda sentence, status: Response(sentence, status),
    )
    return app.test_client(), history, token


def present(client: FlaskClient, token: Token) -> None:
    client.set_cookie(cookie_name({"SERVER_PORT": "80"}), token.cookie())


def test_readers_see_them_only_as_the_room_allows(served):
    client, history, token = served
    for path in ("/saved", f"/saved/{NAME}/txt"):
        assert client.get(path).status_code == 403
        history.open = True
        assert client.get(path).status_code == 200
        history.open = False
    present(client, token)
    assert [s["name"] for s in client.get("/saved").json["sessions"]] == [NAME]


@pytest.mark.parametrize("form", ["txt", "srt", "vtt", "json"])
def test_each_form_comes_with_its_name_and_words_that_offend_as_asked(served, form):
    client, _, token = served
    present(client, token)
    answer = client.get(f"/saved/{NAME}/{form}")
    assert WORD in answer.text and answer.headers["X-Name"] == NAME.replace("jsonl", form)
    masked = client.get(f"/saved/{NAME}/{form}?words=first").text
    assert WORD not in masked and "s***" in masked


@pytest.mark.parametrize(
    "path",
    ["secret.jsonl/txt", f"..%2f{NAME}/txt", f"{NAME}/jsonl", f"{NAME}/pdf", f"{NAME}/txt?words=x"],
)
def test_nothing_else_is_served(served, path):
    client, _, token = served
    present(client, token)
    assert client.get(f"/saved/{path}").status_code == 404
