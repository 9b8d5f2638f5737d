"""Have the kiosk start when somebody logs in: a login item on macOS, a scheduled task on Windows.

    python -m deploy.login kiosk-install | kiosk-remove

`deploy/kiosk.command` and `deploy/kiosk.bat` end here. What is started is `start.command kiosk` or
`start.ps1 kiosk`, and by that `deploy.keep`.
"""

import getpass
import os
import plistlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
LABEL = "org.recognition-helpers.captions"
SPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
# Of Task Scheduler's schema, in its order. It starts it again after a minute at the soonest; within
# seconds `deploy.keep` does, and this is for the case that that one ends.
SETTINGS = {
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "StartWhenAvailable": "true",
    "ExecutionTimeLimit": "PT0S",
    "Priority": "4",  # as what somebody starts by hand; a task's is lower
    "RestartOnFailure": {"Interval": "PT1M", "Count": "999"},
}

Run = Callable[[Sequence[str]], None]


def agent(home: Path, logs: Path) -> dict:
    """A login item of macOS, launchd.plist(5).

    Parameters
    ----------
    home : the project's folder
    logs : where what is printed goes
    """
    # caffeinate: neither the computer nor its screen sleeps while it runs
    words = ["/usr/bin/caffeinate", "-dis", "/bin/bash", str(home / "start.command"), "kiosk"]
    return {
        "Label": LABEL,
        "ProgramArguments": words,
        "WorkingDirectory": str(home),
        "RunAtLoad": True,
        "KeepAlive": True,
        "ProcessType": "Interactive",
        "LimitLoadToSessionType": "Aqua",
        "StandardOutPath": str(logs / "captions.log"),
        "StandardErrorPath": str(logs / "captions.log"),
    }


def task(home: Path, user: str) -> ET.Element:
    """A scheduled task of Windows that runs while a user is logged in."""
    root = ET.Element("Task", version="1.2", xmlns=SPACE)
    _fill(root, {"RegistrationInfo": {"Description": "Live captions on the whole screen"}})
    _fill(root, {"Triggers": {"LogonTrigger": {"Enabled": "true", "UserId": user}}})
    who = {"UserId": user, "LogonType": "InteractiveToken", "RunLevel": "LeastPrivilege"}
    _fill(root, {"Principals": {"Principal": who}})
    _fill(root, {"Settings": SETTINGS})
    script = home / "start.ps1"
    words = f'-NoProfile -WindowStyle Hidden -ExecutionPolicy Bypass -File "{script}" kiosk'
    command = {"Command": "powershell.exe", "Arguments": words, "WorkingDirectory": str(home)}
    _fill(root, {"Actions": {"Exec": command}})
    return root


def _fill(parent: ET.Element, parts: dict) -> None:
    for name, value in parts.items():
        child = ET.SubElement(parent, name)
        if isinstance(value, dict):
            _fill(child, value)
        else:
            child.text = value


def on_mac(command: str, user_home: Path, run: Run) -> None:
    """Install the login item and start it now, or end it and take it away."""
    path = user_home / "Library/LaunchAgents" / f"{LABEL}.plist"
    domain = f"gui/{os.getuid()}"
    if path.exists():
        done(run, ["launchctl", "bootout", f"{domain}/{LABEL}"])
    if command == "kiosk-remove":
        path.unlink(missing_ok=True)
        return
    logs = user_home / "Library/Logs"
    for folder in (path.parent, logs):
        folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plistlib.dumps(agent(HOME, logs)))
    run(["launchctl", "bootstrap", domain, str(path)])


def on_windows(command: str, user: str, run: Run) -> None:
    """Install the scheduled task and start it now, or end it and take it away."""
    if command == "kiosk-remove":
        done(run, ["schtasks", "/End", "/TN", LABEL])
        run(["schtasks", "/Delete", "/F", "/TN", LABEL])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.xml"
        ET.ElementTree(task(HOME, user)).write(path, encoding="utf-16", xml_declaration=True)
        run(["schtasks", "/Create", "/F", "/TN", LABEL, "/XML", str(path)])
    run(["schtasks", "/Run", "/TN", LABEL])


def done(run: Run, words: Sequence[str]) -> None:
    """Run what may fail because there is nothing to end."""
    try:
        run(words)
    except subprocess.CalledProcessError as err:
        print(err, file=sys.stderr)


def system(words: Sequence[str]) -> None:
    """Run a command of the system."""
    subprocess.run(words, check=True)


def main(command: str) -> int:
    """Carry the command out on this system."""
    try:
        if sys.platform == "darwin":
            on_mac(command, Path.home(), system)
        elif sys.platform == "win32":
            domain = os.environ.get("USERDOMAIN")
            user = getpass.getuser()
            on_windows(command, f"{domain}\\{user}" if domain else user, system)
        else:
            print("On Linux: make kiosk, make kiosk-remove", file=sys.stderr)
            return 1
    except (OSError, subprocess.CalledProcessError) as err:
        print(f"deploy/login.py: {err}", file=sys.stderr)
        return 1
    print("The kiosk is gone." if command == "kiosk-remove" else "The kiosk starts at each login.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
