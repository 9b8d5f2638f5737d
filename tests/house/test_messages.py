"""Every sentence that the program says exists, and gets what is put into it."""

import ast
import string
from pathlib import Path

import pytest

from utils.messages import SENTENCES, Message, say

HOME = Path(__file__).resolve().parents[2]
SAYING = {"say", "notice", "remark", "withdraw"}
FILES = [HOME / "app.py", *(HOME / "utils").rglob("*.py"), *(HOME / "web").rglob("*.py")]


def said() -> list[tuple[str, set[str] | None, str]]:
    """Code, names of values (None where they are not plain) and place of each sentence."""
    found: list[tuple[str, set[str] | None, str]] = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            code = node.args[0]
            if name in SAYING and isinstance(code, ast.Constant) and isinstance(code.value, str):
                names = {keyword.arg for keyword in node.keywords if keyword.arg}
                plain = name != "withdraw" and len(names) == len(node.keywords)
                found.append((code.value, names if plain else None, f"{path}:{node.lineno}"))
    return found


def test_what_is_said_is_there_with_its_values():
    places = said()
    assert len(places) > 20
    for code, names, place in places:
        assert code in SENTENCES, place
        wanted = {name for _, name, _, _ in string.Formatter().parse(SENTENCES[code]) if name}
        assert names is None or names == wanted, place


def test_a_message_on_the_wire_is_complete():
    assert say("lost", reason="{x}").to_dict() == {
        "code": "lost",
        "values": {"reason": "{x}"},
        "message": "No sound: {x}. Trying again by itself…",
    }


@pytest.mark.parametrize(("code", "values"), [("no such", {}), ("lost", {})])
def test_a_wrong_message_is_told_where_it_is_made(code, values):
    with pytest.raises(KeyError):
        Message(code, values)
