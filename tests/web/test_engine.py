"""What the libraries below are used for: only public names, and what fails if they change."""

import ast
import inspect
from pathlib import Path

import engineio
import pytest
import socketio
from flask import Flask
from flask_socketio import SocketIO

from web.engine import EVENTS, Engine, install
from web.peers import accepted_origin

WEB = Path(__file__).resolve().parents[2] / "web"
# What python-socketio asks of the engine below it. Of these, sessions of Engine.IO and the name
# of the transport are the library's own still, know of no page, and are used by nobody here.
ASKED = set(
    "async_mode create_event get_session handle_request on send send_packet shutdown sleep "
    "start_background_task transport".split()
)


def made() -> tuple[SocketIO, Engine]:
    """A server, and an engine that it does not use yet."""
    served = SocketIO(Flask("test"), async_mode="threading", async_handlers=False)
    return served, Engine(accepted_origin, ping_interval=1.0, ping_timeout=1.5)


def private(tree: ast.AST) -> set[str]:
    """Names with an underscore before them that are asked of something else than self."""
    return {
        f"{ast.unparse(node)}, line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.endswith("__")  # the language's own
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    }


@pytest.mark.parametrize("module", sorted(WEB.glob("*.py")), ids=lambda path: path.stem)
def test_no_private_name_of_anybody_is_used(module: Path) -> None:
    assert not private(ast.parse(module.read_text(encoding="utf-8")))


def test_our_own_names_hide_none_of_the_librarys() -> None:
    theirs = vars(made()[0].server.eio).keys() | set(dir(engineio.Server))
    new = {name for name in vars(Engine) if not name.startswith("__")}
    new |= vars(made()[1]).keys() - vars(engineio.Server(async_mode="threading")).keys()
    replaced = {"handle_request", "send_packet", "disconnect"}
    assert new & theirs == replaced, "python-engineio has names that web/engine.py has too"


def test_python_socketio_asks_of_its_engine_what_it_asked() -> None:
    asked = {
        node.attr
        for module in (socketio.base_server, socketio.server, socketio.manager)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith(".eio")
    }
    assert asked == ASKED, "see whether web/engine.py fits this version of python-socketio"


def test_a_server_uses_the_engine_that_it_is_given() -> None:
    served, engine = made()
    listens = served.server.eio.handlers
    install(served, engine)
    assert served.server.eio is engine and engine.handlers == listens
    assert set(listens) == EVENTS


def test_a_library_that_listens_to_something_else_is_told_of_at_the_start() -> None:
    served, engine = made()
    del served.server.eio.handlers["message"]
    with pytest.raises(RuntimeError, match="see whether web/engine.py fits its new version"):
        install(served, engine)
