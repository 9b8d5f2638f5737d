"""Units of the kiosk and of web nodes: systemd takes them, they are closed up, what they start starts."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.live.test_care import Systemd
from tests.program import free_port
from tests.redis_server import RedisServer, missing

HOME = Path(__file__).resolve().parents[2]
UNITS = sorted((HOME / "deploy").glob("*.service"))
NODE = HOME / "deploy/captions-node@.service"
EXPOSURE = 3.0  # the most that `systemd-analyze security` may rate
SYSTEMD = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(
    SYSTEMD is None, reason="no systemd-analyze: apt install systemd"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the units as they are installed, below a root that has what they start."""
    root = tmp_path_factory.mktemp("root")
    folder = root / "etc/systemd/system"
    folder.mkdir(parents=True)
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("@HOME@", "/opt/recognition-helpers")
        (folder / unit.name).write_text(text, encoding="utf-8")
        program = root / re.findall(r"^ExecStart=/(\S+)", text, re.MULTILINE)[0]
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    shutil.copytree("/lib/systemd/system", root / "lib/systemd/system", symlinks=True)
    return root


def options(unit: Path, name: str) -> list[str]:
    """The values of an option, in order."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def test_there_is_one_for_the_sound_the_program_the_screen_and_nodes():
    names = [NODE.name, "captions-screen.service", "captions-sound.service", "captions.service"]
    assert [unit.name for unit in UNITS] == names


@needs_systemd
@pytest.mark.parametrize("unit", [unit.name for unit in UNITS])
def test_systemd_finds_no_fault(installed, unit):
    command = ["systemd-analyze", "verify", f"--root={installed}", "--recursive-errors=no", unit]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if unit in line], done.stderr


@needs_systemd
def test_systemd_does_find_faults(installed):
    bad = installed / "etc/systemd/system/bad.service"
    bad.write_text("[Service]\nExecStart=/no/such\nRestrat=always\n")
    command = [
        "systemd-analyze",
        "verify",
        f"--root={installed}",
        "--recursive-errors=no",
        bad.name,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "Restrat" in done.stderr and done.returncode != 0


@needs_systemd
@pytest.mark.parametrize("unit", [unit.name for unit in UNITS])
def test_little_of_the_system_is_exposed(installed, unit):
    path = installed / "etc/systemd/system" / unit
    command = ["systemd-analyze", "security", "--offline=true", str(path)]
    told = subprocess.run(command, capture_output=True, text=True)
    rated = re.search(r"Overall exposure level for \S+: ([\d.]+)", told.stdout)
    assert rated, told
    assert float(rated[1]) <= EXPOSURE, told.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_comes_back_has_limits_and_a_user_of_its_own(unit):
    assert options(unit, "Restart") == ["always"] and options(unit, "StartLimitIntervalSec") == [
        "0"
    ]
    assert options(unit, "NoNewPrivileges") == options(unit, "PrivateTmp") == ["yes"]
    assert options(unit, "ProtectSystem") == ["strict"]
    assert options(unit, "MemoryMax") and options(unit, "TasksMax")
    if unit == NODE:  # any number of them, and nothing of theirs outlasts them
        assert options(unit, "DynamicUser") == ["yes"]
        return
    assert options(unit, "User") == [unit.stem]
    users = (HOME / "deploy/captions.sysusers").read_text(encoding="utf-8")
    assert re.search(rf"^u {unit.stem} ", users, re.MULTILINE)


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers")
def test_the_users_can_be_made(tmp_path):
    (tmp_path / "etc").mkdir()
    command = ["systemd-sysusers", f"--root={tmp_path}", str(HOME / "deploy/captions.sysusers")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    passwords = (tmp_path / "etc/passwd").read_text()
    for unit in set(UNITS) - {NODE}:
        assert re.search(rf"^{unit.stem}:.*nologin$", passwords, re.MULTILINE), passwords


@pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="no pulseaudio")
def test_the_sound_server_starts_as_its_unit_says(tmp_path):
    unit = next(unit for unit in UNITS if "sound" in unit.name)
    command = options(unit, "ExecStart")[0].replace("/run/captions-sound", str(tmp_path))
    # no udev and no device here
    command = command.replace("module-udev-detect", "module-null-sink")
    words = shlex.split(command)
    environment = {**os.environ, "PULSE_RUNTIME_PATH": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            client = {**environment, "PULSE_SERVER": f"unix:{tmp_path}/native"}
            asking = ["pactl", "list", "short", "modules"]
            while server.poll() is None:
                done = subprocess.run(asking, env=client, capture_output=True, text=True)
                if done.returncode == 0:
                    break
            assert server.poll() is None, server.stderr and server.stderr.read()
            for module in re.findall(r"--load=(module-[a-z-]+)", command):
                assert module in done.stdout
            assert (tmp_path / "native").is_socket()
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(tmp_path / "native"))
        finally:
            server.terminate()


def test_the_browser_is_started_as_a_reader(tmp_path):
    browser = tmp_path / "chromium"
    browser.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    browser.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CAPTIONS_PORT": "8080", "HOME": "/h"}
    command = [sys.executable, "-m", "deploy.browser"]
    assert options(HOME / "deploy/captions-screen.service", "ExecStart")[0].endswith(
        " -- @HOME@/current/.venv/bin/python -m deploy.browser"
    )
    ask = partial(subprocess.run, command, cwd=HOME, capture_output=True, text=True, check=True)
    done = ask(env=environment)
    words = done.stdout.splitlines()
    assert words[-1] == "http://127.0.0.1:8080/read" and "--kiosk" in words
    assert "--ozone-platform=x11" in words
    wayland = {**environment, "WAYLAND_DISPLAY": "wayland-0", "CAPTIONS_SCREEN": "http://x/"}
    done = ask(env=wayland)
    assert done.stdout.splitlines()[-1] == "http://x/" and "ozone-platform=wayland" in done.stdout


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_a_node_starts_as_its_unit_says(tmp_path):
    with closing(Systemd(tmp_path / "notify")) as systemd:
        _start_node(systemd, tmp_path)


def _start_node(systemd: Systemd, tmp_path: Path) -> None:
    systemd.wait_for_words()
    port = free_port()
    (line,) = options(NODE, "ExecStart")
    words = shlex.split(line.replace("%i", str(port)))
    assert words[0] == "/opt/recognition-helpers/.venv/bin/python"
    (settings,) = options(NODE, "EnvironmentFile")
    kept = (HOME / "deploy" / Path(settings).name).read_text(encoding="utf-8")
    named = dict(re.findall(r"^(CAPTIONS_\w+)=(.*)$", kept, re.MULTILINE))
    public = named["CAPTIONS_PROXY"]
    here = dict(one.split("=", 1) for one in options(NODE, "Environment"))
    here = {name: value.replace("%S", str(tmp_path)) for name, value in here.items()}
    with RedisServer() as server:
        named |= {"CAPTIONS_REDIS": server.url, "CAPTIONS_HOST": "127.0.0.1"}
        environment = {"PATH": os.environ["PATH"], **named, **here, **systemd.environment}
        with subprocess.Popen([sys.executable, *words[1:]], cwd=HOME, env=environment) as node:
            try:
                assert systemd.next() == "READY=1" and systemd.next() == "WATCHDOG=1"
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                    assert answer.status == 200
                server.kill()  # no reason to start anew
                systemd.heard()
                systemd.wait_for_words()
                assert systemd.next() == "WATCHDOG=1"
            finally:
                node.terminate()
    systemd.wait_for_words()
    assert "STOPPING=1" in systemd.heard() and node.returncode == 0
    assert public in (HOME / "deploy/nginx-nodes.conf").read_text(encoding="utf-8")
