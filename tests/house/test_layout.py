"""Who may import whom, and that nothing heavy is loaded before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
ROOMS = {"app", "deploy", "emotion_model", "web", "utils", "training", "tests"}
MAY_IMPORT = {
    "utils": {"utils"},
    "emotion_model": {"utils"},
    "training": {"training", "emotion_model", "utils"},
    "web": {"web", "utils"},
    "app": {"emotion_model", "web", "utils"},
    "deploy": {"deploy", "app", "utils"},
}
BARE = {"kiosk", "releases", "trial"}  # of deploy: they run before any package is installed
MOST_FILES = 17  # in one folder: more than a reader tells apart at a glance
ENGINES = {"nemo", "ctranslate2", "faster_whisper", "vosk", "speech_recognition"}
MODULES = [
    path
    for room in ("utils", "web", "deploy", "training", "app.py", "emotion_model.py")
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


@pytest.mark.parametrize("name", sorted(BARE))
def test_the_kiosk_is_installed_without_any_package(name):
    allowed = {*sys.stdlib_module_names, *(f"deploy.{name}" for name in BARE)}
    names = imported(HOME / f"deploy/{name}.py")
    assert {n if n.startswith("deploy.") else n.split(".")[0] for n in names} <= allowed


# Inside `utils`: rooms, and the rooms that each may lean on. Files beside the rooms and `audio` are
# the ground; all may stand on it.
MAY_LEAN_ON = {
    "ground": set(),
    "monitoring": set(),
    "sources": {"monitoring"},
    "models": set(),
    "emotion": {"models"},
    "translation": {"models"},
    "text_emotion": {"models", "translation"},
    "tags": {"emotion"},
    "sounds": {"emotion"},
    "asr": {"models"},
    "captions": {"asr", "tags", "sounds", "monitoring"},
    "live": {
        "sources",
        "captions",
        "asr",
        "models",
        "tags",
        "sounds",
        "emotion",
        "monitoring",
        "translation",
        "text_emotion",
    },
    "command_line": {"sources", "captions", "emotion", "models", "live", "text_emotion"},
    "setup": {"sources", "captions", "asr", "models", "live"},
}
# Of these others know what they promise, and none of those who keep it.
PROTOCOLS = {"captions": {"utils.asr", "utils.tags", "utils.sounds", "utils.sounds.gate"}}


def room_in_utils(module: str) -> str:
    parts = module.split(".")
    inside = len(parts) > 1 and (HOME / "utils" / parts[1]).is_dir() and parts[1] != "audio"
    return parts[1] if inside else "ground"


@pytest.mark.parametrize("path", [p for p in MODULES if "utils" in p.parts], ids=name_of)
def test_rooms_inside_utils_lean_on_those_below(path):
    room = room_in_utils(".".join(path.relative_to(HOME).with_suffix("").parts))
    for module in imported(path):
        if module.split(".")[0] == "utils" and module != "utils":
            below = room_in_utils(module)
            assert below in MAY_LEAN_ON[room] | {room, "ground"}, module
            if below != room and below in {"asr", "tags", "sounds"} and room in PROTOCOLS:
                assert module in PROTOCOLS[room], module


def test_every_room_is_known():
    folders = {p.parent.name for p in (HOME / "utils").glob("*/__init__.py")}
    assert folders == MAY_LEAN_ON.keys() - {"ground"} | {"audio"}


def test_no_folder_is_a_drawer():
    for folder in [*(HOME / "utils").rglob("*/"), HOME / "utils", *(HOME / "training").rglob("*/")]:
        files = [p for p in folder.glob("*.py") if p.name != "__init__.py"]
        assert len(files) <= MOST_FILES, folder


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_recognisers_import_an_engine(path):
    if not {"asr", "translation"} & set(path.parts):
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
