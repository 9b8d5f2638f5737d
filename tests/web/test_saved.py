"""Who may see saved sessions over the web, and in which forms they come."""

import json
from types import SimpleNamespace

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from utils.captions.offending import OffendingWords
from utils.captions.transcript import to_txt
from utils.events import CaptionEvent
from utils.live.history import History
from web.access import Token
from web.peers import cookie_name
from web.saved import PIECES, add_saved
from web.words import languages, words

NAME = "captions-2026-01-02-030405.jsonl"
WORD = "shit"


@pytest.fixture
def served(tmp_path):
    """A browser, the sessions and the presenter's token."""
    folder = tmp_path / "saved"
    folder.mkdir()
    entry = json.dumps(CaptionEvent(0, 0.0, 1.5, f"Oh {WORD}.", True).to_dict())
    rain = json.dumps(CaptionEvent(1, 2.0, 9.0, "", True, sound="rain").to_dict())
    (folder / NAME).write_text(f"{entry}\n{rain}\n")
    (folder / "secret.jsonl").write_text(f"{entry}\n")
    history, token = History(folder, lambda: ""), Token(tmp_path / "key")
    words = OffendingWords(tmp_path / "none")
    room = SimpleNamespace(how_offending="off", offending=words, blank=False)
    app = Flask(__name__)
    add_saved(
        app,
        room,  # type: ignore[arg-type]  # all that is asked of it
        history,
        token,
        lambda make: make(),
        lambda form, name, blocks: Response(blocks, headers={"X-Name": f"{name}.{form}"}),
        lambda sentence, status: Response(sentence, status),
    )
    return app.test_client(), history, token, room


def present(client: FlaskClient, token: Token) -> None:
    client.set_cookie(cookie_name({"SERVER_PORT": "80"}), token.cookie())


def test_readers_see_them_only_as_the_room_allows(served):
    client, history, token, _ = served
    for path in ("/saved", f"/saved/{NAME}/txt"):
        assert client.get(path).status_code == 403
        history.open = True
        assert client.get(path).status_code == 200
        history.open = False
    present(client, token)
    assert [s["name"] for s in client.get("/saved").json["sessions"]] == [NAME]


@pytest.mark.parametrize("form", ["txt", "srt", "vtt", "json"])
def test_each_form_comes_with_its_name_and_words_that_offend_as_asked(served, form):
    client, _, token, _ = served
    present(client, token)
    answer = client.get(f"/saved/{NAME}/{form}")
    assert WORD in answer.text and answer.headers["X-Name"] == NAME.replace("jsonl", form)
    masked = client.get(f"/saved/{NAME}/{form}?words=first").text
    assert WORD not in masked and "s***" in masked


@pytest.mark.parametrize("form", ["txt", "srt", "vtt"])
def test_sounds_are_told_in_the_language_that_is_asked_for(served, form):
    client, _, token, _ = served
    present(client, token)
    for language in languages():
        word = "rain" if language == "en" else words(language)["sound.rain"]
        assert f"[{word}]" in client.get(f"/saved/{NAME}/{form}?language={language}").text


def test_a_document_is_made_of_a_session(served):
    client, history, _, _ = served
    history.open = True
    answer = client.get(
        f"/saved/{NAME}/docx?words=first"
    )  # its paragraphs: pages.py makes it whole
    assert answer.status_code == 200 and "s***" in answer.text and "<w:p>" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "secret.jsonl/txt",
        f"..%2f{NAME}/txt",
        f"{NAME}/jsonl",
        f"{NAME}/pdf",
        f"{NAME}/txt?words=x",
        f"{NAME}/txt?language=xx",
    ],
)
def test_nothing_else_is_served(served, path):
    client, _, token, _ = served
    present(client, token)
    assert client.get(f"/saved/{path}").status_code == 404


def test_while_screens_are_blank_the_presenter_alone_reads_what_was_saved(served):
    client, history, token, room = served
    history.open = room.blank = True
    for path in ("/saved", f"/saved/{NAME}/txt"):
        answer = client.get(path)
        assert answer.status_code == 403 and WORD not in answer.text
    present(client, token)
    for path in ("/saved", f"/saved/{NAME}/txt"):
        assert client.get(path).status_code == 200


def test_what_is_no_session_any_more_is_told_without_the_folder(served, tmp_path, monkeypatch):
    client, history, _, _ = served
    history.open = True
    path = tmp_path / "saved" / NAME
    path.write_text("no captions\n")
    answers = [client.get(f"/saved/{NAME}/txt")]
    path.write_text("")
    answers.append(client.get(f"/saved/{NAME}/txt"))
    path.write_text("x" * 2_000_000)
    monkeypatch.setattr("utils.live.history.LARGEST", 1_000_000)
    answers.append(client.get(f"/saved/{NAME}/txt"))
    for answer in answers:
        assert answer.status_code == 404 and str(tmp_path) not in answer.text
    assert "2 MB" in answers[-1].text and "app.py export" in answers[-1].text


def test_a_damaged_tag_spoils_no_other_line(served, tmp_path):
    client, history, _, _ = served
    history.open = True
    path = tmp_path / "saved" / NAME
    good = json.loads(path.read_text().splitlines()[0])
    half, nan = json.loads('"\\ud800"'), float("nan")
    odd_tags = [{"made": half}, {half: 1}, {"made": [nan]}]
    scores = {"label": "angry", "confidence": 0.5, "scores": {half: 1.0}}
    odd_tags.append({"emotion": scores})
    odd = [{**good, "segment": i, "tags": tags} for i, tags in enumerate(odd_tags, 1)]
    odd.append({**good, "segment": 9, "emotion": scores})
    path.write_text("".join(f"{json.dumps(entry)}\n" for entry in [*odd, good]))
    for form in ("txt", "srt", "vtt", "json"):
        answer = client.get(f"/saved/{NAME}/{form}")
        assert answer.status_code == 200 and answer.text.count(WORD) >= 1
    lines = json.loads(client.get(f"/saved/{NAME}/json").text)["lines"]
    assert [line["segment"] for line in lines] == [good["segment"]]


def test_a_long_session_is_made_in_many_turns(served, tmp_path):
    client, history, _, _ = served
    history.open = True
    lines = [CaptionEvent(i, i, i + 1, f"Line {i}.", True) for i in range(10 * PIECES)]
    text = "".join(f"{json.dumps(line.to_dict())}\n" for line in lines)
    (tmp_path / "saved" / NAME).write_text(text)
    answer = client.get(f"/saved/{NAME}/txt")
    blocks = list(answer.response)
    answer.close()
    assert len(blocks) == 10
    assert b"".join(blocks).decode() == "".join(to_txt(lines))
