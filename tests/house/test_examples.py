"""What the examples in docstrings show is what comes out."""

import doctest
import importlib
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
FILES = [
    path
    for room in ("emotion_model.py", "utils", "web", "training", "tests")
    for path in ([HOME / room] if room.endswith(".py") else sorted((HOME / room).rglob("*.py")))
    if ">>> " in path.read_text() and path != Path(__file__)
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_gives_what_it_shows(path: Path) -> None:
    name = ".".join(path.relative_to(HOME).with_suffix("").parts)
    module = importlib.import_module(name)
    assert any(test.examples for test in doctest.DocTestFinder().find(module))
    assert doctest.testmod(module).failed == 0
