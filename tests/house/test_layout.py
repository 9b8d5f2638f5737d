"""Who may import whom, and that nothing heavy is loaded before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
ROOMS = {"app", "emotion_model", "web", "utils", "training", "tests"}
MAY_IMPORT = {
    "utils": {"utils"},
    "emotion_model": {"utils"},
    "training": {"training", "emotion_model", "utils"},
    "web": {"web", "utils"},
    "app": {"emotion_model", "web", "utils"},
}
ENGINES = {"nemo", "ctranslate2", "faster_whisper", "vosk", "speech_recognition"}
MODULES = [
    path
    for room in ("utils", "web", "training", "app.py", "emotion_model.py")
    for path in ([HOME / room] if room.endswith(".py") else sorted((HOME / room).rglob("*.py")))
]


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def name_of(path: Path) -> str:
    return str(path.relative_to(HOME))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_downwards(path):
    room = path.relative_to(HOME).parts[0].removesuffix(".py")
    ours = {name.split(".")[0] for name in imported(path)} & ROOMS
    assert ours <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_recognisers_import_an_engine(path):
    if "asr" not in path.parts:
        assert not {name.split(".")[0] for name in imported(path)} & ENGINES


def test_the_pipeline_does_not_know_the_real_engines():
    for module in ("captions/pipeline", "captions/segmenter", "emotion/features"):
        names = imported(HOME / "utils" / f"{module}.py")
        assert not any(name.startswith(("utils.asr.", "utils.sources")) for name in names)


def test_only_the_web_side_knows_flask():
    for path in MODULES:
        if path.relative_to(HOME).parts[0] == "utils":
            names = {name.split(".")[0] for name in imported(path)}
            assert not names & {"flask", "flask_socketio", "werkzeug"}, path


def test_the_program_starts_without_its_heavy_parts():
    heavy = {
        "torch",
        "librosa",
        "nemo",
        "ctranslate2",
        "faster_whisper",
        "vosk",
        "pyaudio",
        "onnxruntime",
        "numba",
    }
    code = f"import app, sys; sys.exit(repr({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True)
    assert ended.stderr.strip() == "set()"
