"""What the presenter chooses holds, is kept, and gives way to what the program is started with."""

from pathlib import Path

import pytest

from tests.disks import make_read_only, small_disk
from utils import config
from utils.config import Gathered, Settings
from utils.errors import ConfigError, DataError, ModelError, RequestError
from utils.setup.choices import Choices, usable
from utils.setup.first import First
from utils.setup.settings_file import SettingsFile


def choices(path: Path, flags=None, environment=None) -> Choices:
    return Choices(config.gather(flags or {}, path, environment or {}), SettingsFile(path))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "settings.toml"


def nothing(settings: Settings) -> None:
    """Takes no effect anywhere."""


def test_a_choice_takes_effect_is_kept_and_says_where_it_is_from(path):
    chosen, applied = choices(path), []
    kept = chosen.choose({"room": "Hall", "clear_after": "15"}, applied.append)
    assert kept.not_kept == kept.aside == ""
    assert applied == [chosen.settings] and chosen.settings.clear_after == 15
    assert chosen.state()["room"] == {"value": "Hall", "origin": "file", "by": ""}
    assert chosen.state()["listen"] == {"value": False, "origin": "built in", "by": ""}
    assert choices(path).settings == chosen.settings


@pytest.mark.parametrize(
    ("flags", "environment", "by"),
    [
        ({"clear_after": 5}, {}, "--clear-after"),
        ({}, {"CAPTIONS_CLEAR_AFTER": "5"}, "CAPTIONS_CLEAR_AFTER"),
    ],
)
def test_what_the_program_is_started_with_is_shown_and_stays(path, flags, environment, by):
    path.write_text("clear_after = 60\n")
    chosen = choices(path, flags, environment)
    told = chosen.state()["clear_after"]
    assert (told["value"], told["by"]) == (5, by)
    with pytest.raises(RequestError, match=by):
        chosen.choose({"clear_after": "15"}, nothing)
    assert chosen.settings.clear_after == 5 and path.read_text() == "clear_after = 60\n"


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("port", "1", RequestError),
        ("nmae", "x", RequestError),
        ("clear_after", "soon", ConfigError),
        ("room", "x" * 61, ConfigError),
        ("room", "a\0b", ConfigError),
        ("listen", "maybe", ConfigError),
        ("model", "no-such-model-here", ConfigError),
    ],
)
def test_what_cannot_be_chosen_leaves_all_as_it_was(path, name, value, error):
    chosen = choices(path)
    if name == "model":
        chosen.choose({"language": "ko"}, nothing)
        name, value = "model", "tiny.en"  # which knows no Korean
    before = chosen.settings
    with pytest.raises(error):
        chosen.choose({name: value}, nothing)
    assert chosen.settings == before == choices(path).settings


def test_what_cannot_take_effect_is_not_chosen(path):
    chosen = choices(path)

    def fail(settings: Settings) -> None:
        raise DataError("no such folder")

    with pytest.raises(DataError):
        chosen.choose({"save": "/x"}, fail)
    assert chosen.settings == Settings() and not path.exists()


def test_where_the_file_cannot_be_written_a_choice_holds_until_the_end(tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk:
        make_read_only(disk)
        chosen = choices(disk / "settings.toml")
        kept = chosen.choose({"room": "Hall"}, nothing)
        assert chosen.settings.room == "Hall"
        assert "may not be read or written to" in kept.not_kept


def test_the_program_starts_without_what_the_file_asks_for_in_vain(tmp_path):
    gone = str(tmp_path / "gone")
    found = Gathered(
        Settings(asr="vosk", model=gone, phrases=gone, room="Hall"),
        {"asr": "file", "model": "file", "phrases": "file", "room": "file"},
    )
    left = usable(found)
    assert left.settings == Settings(room="Hall")
    assert [problem.split()[0] for problem in left.problems] == ["model", "asr", "phrases"]
    with pytest.raises((ConfigError, ModelError)):
        usable(Gathered(Settings(asr="vosk"), {"asr": "flag"}))


def test_greeted_once(tmp_path):
    note = tmp_path / "state" / "set-up"
    assert not First(note, wanted=False).greets
    first = First(note, wanted=True)
    assert first.greets
    first.end()
    assert not first.greets and not First(note, wanted=True).greets


def test_where_no_note_can_be_written_nobody_is_greeted_twice_in_a_run(tmp_path):
    (tmp_path / "file").write_text("")
    first = First(tmp_path / "file" / "set-up", wanted=True)
    first.end()
    assert not first.greets
