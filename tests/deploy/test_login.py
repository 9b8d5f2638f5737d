"""What has the kiosk start at each login, as macOS and Windows read it; neither is here to run it."""

import plistlib
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy import login
from deploy.login import HOME, LABEL, SPACE, on_mac, on_windows, task

# As Task Scheduler's schema has them, in its order; what is out of order is refused.
ORDER = {
    "Task": ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"],
    "Settings": list(login.SETTINGS),
    "Exec": ["Command", "Arguments", "WorkingDirectory"],
}


class System:
    """Stands for launchctl and schtasks: notes what they are told, and reads the task's file."""

    def __init__(self, fails: str = "") -> None:
        self.asked: list[Sequence[str]] = []
        self.task: ET.Element | None = None
        self._fails = fails

    def run(self, words: Sequence[str]) -> None:
        self.asked.append(words)
        if self._fails in words:
            raise subprocess.CalledProcessError(1, words)
        if "/XML" in words:
            self.task = ET.parse(words[-1]).getroot()
            assert Path(words[-1]).read_bytes()[:2] == b"\xff\xfe", "schtasks wants UTF-16"


def test_a_login_item_is_installed_started_and_removed(tmp_path):
    system = System()
    on_mac("kiosk-install", tmp_path, system.run)
    path = tmp_path / f"Library/LaunchAgents/{LABEL}.plist"
    item = plistlib.loads(path.read_bytes())
    assert item["Label"] == LABEL and item["RunAtLoad"] is item["KeepAlive"] is True
    *_, script, word = item["ProgramArguments"]
    assert Path(script).is_file() and word == "kiosk"
    assert Path(item["StandardErrorPath"]).parent.is_dir()
    assert system.asked[-1][:2] == ["launchctl", "bootstrap"] and system.asked[-1][-1] == str(path)
    on_mac("kiosk-install", tmp_path, System("bootout").run)  # again: the old one may not run
    on_mac("kiosk-remove", tmp_path, system.run)
    assert system.asked[-1][1] == "bootout" and not path.exists()
    on_mac("kiosk-remove", tmp_path, system.run)  # nothing is there


def test_a_scheduled_task_is_made_started_and_removed():
    system = System()
    on_windows("kiosk-install", "PC\\Zoë & co", system.run)
    assert [words[1] for words in system.asked] == ["/Create", "/Run"]
    assert system.task is not None
    for parent, names in ORDER.items():
        found = [e for e in system.task.iter() if e.tag == f"{{{SPACE}}}{parent}"]
        assert [child.tag.rpartition("}")[2] for child in found[0]] == names
    words = {e.tag.rpartition("}")[2]: e.text for e in system.task.iter() if e.text}
    assert words["UserId"] == "PC\\Zoë & co" and words["ExecutionTimeLimit"] == "PT0S"
    assert words["Arguments"].endswith(f'-File "{HOME / "start.ps1"}" kiosk')
    on_windows("kiosk-remove", "PC\\Zoë & co", System("/End").run)  # one that does not run
    with pytest.raises(subprocess.CalledProcessError):
        on_windows("kiosk-remove", "x", System("/Delete").run)


def test_the_task_names_its_settings_once():
    tags = [e.tag for e in task(HOME, "x").iter()]
    assert len([tag for tag in tags if tag == "Settings"]) == 1 and "ns0:" not in str(tags)


def test_on_linux_it_says_what_to_do_instead(capfd):
    assert login.main("kiosk-install") == 1
    assert "make kiosk" in capfd.readouterr().err
