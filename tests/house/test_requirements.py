"""What is imported is listed, in the file of whoever imports it, and the program needs no other."""

import ast
import json
import os
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOME = Path(__file__).resolve().parents[2]
ROOMS = ["app", "deploy", "emotion_model", "web", "utils", "training", "tests"]
VOSK = "utils/asr/vosk/korean.txt"
RAY = "utils/command_line/batch/ray.txt"
IMAGES = "utils/emotion/networks/torchvision.txt"  # brings a torch of its own
ANALYZE = "utils/command_line/emotion/analyze.txt"
OPTIONAL = [VOSK, RAY, IMAGES, ANALYZE]  # for the program, which says so where they are missing
# File, who imports what it lists, and files whose lists serve them too.
FILES = {
    "requirements.txt": (["app.py", "emotion_model.py", "web", "utils"], OPTIONAL),
    "training/requirements.txt": (["training", "notebooks"], ["requirements.txt"]),
    "tests/requirements.txt": (
        ["tests"],
        ["requirements.txt", "training/requirements.txt", *OPTIONAL],
    ),
}
NOT_IMPORTED = {
    "simple-websocket",  # Flask-SocketIO asks for it
    "silero-vad",  # its model's file is read, its code is not
    "pytest-xdist",  # what the test command runs
    "pytest-timeout",  # what ends a test that hangs
    "requests",  # what the Socket.IO client needs for HTTP
    "websocket-client",  # and for WebSocket
    "ipykernel",
    "mypy",
    "ruff",
}


def listed(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Pins of a file by package, in canonical spelling: those with a word on what for, and all."""
    ours: dict[str, str] = {}
    every: dict[str, str] = {}
    for line in (HOME / name).read_text().splitlines():
        body, _, why = line.partition("#")
        if body.strip() and not body.startswith("-r"):
            wanted = Requirement(body)
            package = canonicalize_name(wanted.name)
            every[package] = str(wanted.specifier)
            if why:
                ours[package] = str(wanted.specifier)
    return ours, every


def imported_by(places: list[str]) -> set[str]:
    """Top-level modules of others that the files of a room import, anywhere in them."""
    found: set[str] = set()
    for place in places:
        path = HOME / place
        for file in [path] if path.suffix else sorted(path.rglob("*.py")):
            if "peers" not in file.parts:  # each runs in an environment of its own
                found |= imports(file.read_text())
        for notebook in sorted(path.glob("*.ipynb")):
            cells = json.loads(notebook.read_text())["cells"]
            for cell in (cell for cell in cells if cell["cell_type"] == "code"):
                found |= imports("".join(cell["source"]))
    return found - set(sys.stdlib_module_names) - set(ROOMS)


def imports(code: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").partition(".")[0])
    return names


@cache
def packages_of() -> dict[str, set[str]]:
    """Which packages carry a module."""
    found = metadata.packages_distributions().items()
    return {module: {canonicalize_name(name) for name in names} for module, names in found}


@cache
def needed_by(package: str) -> set[str]:
    """A package of requirements, as `name[extra]`, and all that it needs, as far as installed."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    todo = [Requirement(package)]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        for extra in {"", *wanted.extras} - {
            extra for seen_name, extra in seen if seen_name == name
        }:
            seen.add((name, extra))
            try:
                needs = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                continue  # another system's
            found.add(name)
            todo += [
                need
                for need in map(Requirement, needs)
                if need.marker is None or need.marker.evaluate({"extra": extra})
            ]
    return found


@pytest.mark.parametrize("name", FILES)
def test_what_is_imported_is_listed_with_a_word_on_what_for(name):
    places, below = FILES[name]
    ours = [package for file in (name, *below) for package in listed(file)[0]]
    for module in imported_by(places):
        known = packages_of().get(module, {canonicalize_name(module)})
        assert known & set(ours), f"{module}: not listed as ours in {name}"


@pytest.mark.parametrize("name", FILES)
def test_what_is_listed_as_ours_is_imported(name):
    modules = imported_by(FILES[name][0])
    used = {package for module in modules for package in packages_of().get(module, ())}
    assert listed(name)[0].keys() - NOT_IMPORTED <= used


@pytest.mark.parametrize("name", FILES)
def test_the_rest_is_all_that_ours_need_and_no_more(name):
    ours, every = listed(name)
    below = {package for file in FILES[name][1] for package in listed(file)[1]}
    extras = {"nemo-toolkit": "nemo-toolkit[asr]"}
    needed = {other for package in ours for other in needed_by(extras.get(package, package))}
    assert every.keys() - needed == set()
    assert needed - every.keys() - below == set()


def test_a_package_that_two_files_list_has_one_version():
    versions: dict[str, set[str]] = {}
    for name in [*FILES, VOSK, RAY, ANALYZE]:  # `IMAGES` has another torch
        for package, pin in listed(name)[1].items():
            assert pin.startswith("=="), package
            versions.setdefault(package, set()).add(pin)
    assert {package for package, pins in versions.items() if len(pins) > 1} == set()


@pytest.fixture(scope="module")
def packages_of_the_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that has those of requirements.txt and no other."""
    folder = tmp_path_factory.mktemp("packages")
    for package in listed("requirements.txt")[1]:
        try:
            carried = metadata.distribution(package)
        except metadata.PackageNotFoundError:
            continue  # another system's
        tops = {file.parts[0] for file in carried.files or ()} - {"..", "__pycache__"}
        for top in tops:
            if not (folder / top).exists():
                (folder / top).symlink_to(str(carried.locate_file(top)))
    return folder


def test_the_program_needs_nothing_of_the_workshop_and_of_the_tests(packages_of_the_program):
    files = [HOME / "app.py", HOME / "emotion_model.py"]
    files += [file for room in ("web", "utils") for file in sorted((HOME / room).rglob("*.py"))]
    names = [".".join(file.relative_to(HOME).with_suffix("").parts) for file in files]
    code = f"""
import importlib, importlib.util, sys
for name in [*{names!r}, "nemo.collections.asr"]:
    importlib.import_module(name)
others = ["matplotlib", "yt_dlp", "pytest", "playwright"]
sys.exit(repr([name for name in others if importlib.util.find_spec(name)]))
"""
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code],  # without the packages that are installed
        cwd=HOME,
        env={**os.environ, "PYTHONPATH": str(packages_of_the_program)},
        capture_output=True,
        text=True,
    )
    assert ended.stderr.splitlines()[-1:] == ["[]"], ended.stderr


def test_training_says_in_one_line_what_to_install():
    code = """
import runpy, sys
sys.modules["matplotlib"] = None
runpy.run_module("training", run_name="__main__")
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=HOME, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == (
        "the package matplotlib is missing; install what training needs with: "
        ".venv/bin/pip install -r training/requirements.txt\n"
    )
