"""The rooms of the settings file: what each has of its own, and what is said of a wrong one."""

from pathlib import Path

import pytest

from utils import config
from utils.config import Settings
from utils.setup.rooms import rooms

TWO = """
language = "ko"
listen = true
[[room]]
name = "Hall"
microphone = "Desk microphone"
[[room]]
name = "Großer Saal"
microphone = 3
listen = false
"""


def found(path: Path, text: str, **flags: str) -> tuple[tuple[Settings, ...], tuple[str, ...]]:
    (path / "settings.toml").write_text(text)
    return rooms(config.gather(flags, path / "settings.toml", {}))


def test_each_has_what_is_its_own_and_what_holds_for_all(tmp_path):
    (hall, saal), problems = found(tmp_path, TWO)
    assert problems == ()
    assert (hall.room, hall.microphone, hall.language, hall.listen) == (
        "Hall",
        "Desk microphone",
        "ko",
        True,
    )
    assert (saal.room, saal.microphone_device, saal.listen) == ("Großer Saal", 3, False)


def test_a_file_without_tables_is_of_one_room(tmp_path):
    assert found(tmp_path, 'room = "Hall"') == found(tmp_path, "room = []") == ((), ())
    gathered = config.gather({}, tmp_path / "none.toml", {})
    assert gathered.tables == () and gathered.settings == Settings()


def test_other_commands_read_a_file_that_has_rooms(tmp_path):
    found(tmp_path, TWO)
    assert config.load({}, tmp_path / "settings.toml", {}).language == "ko"


@pytest.mark.parametrize("flag", ["room", "microphone", "source"])
def test_who_asks_for_one_room_at_the_start_gets_it(tmp_path, flag):
    several, problems = found(tmp_path, TWO, **{flag: "Other"})
    assert several == () and f"left out, as {flag} is given" in problems[0]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('name = "hall"\nmicrophone = "x"', "room 'hall' is left out: another room has this name"),
        (
            'name = "B"\nmicrophone = "DESK microphone"',
            "room 'B' is left out: room 'Hall' hears its microphone 'DESK microphone'",
        ),
        ('microphone = "x"', "room number 2 is left out: expected a name"),
        ('name = " "\nmicrophone = "x"', "expected a name, without spaces around it"),
        ('name = "a/b"\nmicrophone = "x"', "room 'a/b' is left out: expected a name without / "),
        ('name = ".."\nmicrophone = "x"', "no dot at its ends"),
        (f'name = "{"x" * 61}"\nmicrophone = "x"', "60 letters at most"),
        (f'name = "{"🎭" * 46}"\nmicrophone = "x"', "takes 184 bytes, expected 180 at most"),
        ('name = "a\\u0000b"\nmicrophone = "x"', "no control characters"),
        ('name = "B"', "room 'B' is left out: expected its microphone, by a name that `app.py"),
        ('name = "B"\nmicrophone = "x"\nsource = "y"', "or a recording that stands in for it"),
        (
            'name = "B"\nmicrophone = "x"\nport = 1',
            "room 'B' is left out: unknown port; expected name, microphone, source, listen",
        ),
        (
            'name = "B"\nmicrophone = "x"\nlisten = "maybe"',
            "listen 'maybe': expected true or false",
        ),
    ],
)
def test_a_wrong_room_is_told_and_the_others_stay(tmp_path, table, problem):
    text = f'[[room]]\nname = "Hall"\nmicrophone = "Desk microphone"\n[[room]]\n{table}\n'
    several, problems = found(tmp_path, text)
    assert [settings.room for settings in several] == ["Hall"]
    assert len(problems) == 1 and problem in problems[0]


def test_what_is_no_table_is_told(tmp_path):
    several, problems = found(tmp_path, "room = [1]")
    assert several == () and "expected a table under [[room]]" in problems[0]


def test_a_name_is_one_however_its_accents_are_typed(tmp_path):
    tables = ['name = "Cafe\\u0301"\nmicrophone = "x"', 'name = "CAFÉ"\nmicrophone = "y"']
    (cafe,), problems = found(tmp_path, "".join(f"[[room]]\n{table}\n" for table in tables))
    assert cafe.room == "Café" and "another room has this name" in problems[0]


def test_an_index_is_one_however_it_is_written(tmp_path):
    tables = ['name = "A"\nmicrophone = 3', 'name = "B"\nmicrophone = "03"']
    several, problems = found(tmp_path, "".join(f"[[room]]\n{table}\n" for table in tables))
    assert [settings.room for settings in several] == ["A"]
    assert "room 'B' is left out: room 'A' hears its microphone '03'" in problems[0]


def test_the_first_device_is_one_by_its_index_and_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.setup.rooms.devices_meant", lambda asked: ["device"] * len(asked))
    tables = ['name = "A"\nmicrophone = "Desk"', 'name = "B"\nmicrophone = 0']
    several, problems = found(tmp_path, "".join(f"[[room]]\n{table}\n" for table in tables))
    assert [settings.room for settings in several] == ["A"]
    assert "is the device that room 'A' hears as 'Desk'" in problems[0]
