"""Settings come from file, environment and flags; what cannot be is refused at once."""

import os

import pytest

from utils import config
from utils.errors import ConfigError


def test_later_places_win(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('port = 1\nhost = "0.0.0.0"\nasr = "whisper"\n')
    settings = config.load(
        {"asr": "auto", "model": None, "command": None}, path, {"CAPTIONS_PORT": "2"}
    )
    assert (settings.host, settings.port, settings.asr, settings.model) == (
        "0.0.0.0",
        2,
        "auto",
        "",
    )


def test_a_mark_in_front_as_windows_editors_write_it_is_no_setting(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('\ufefflanguage = "ko"\n', encoding="utf-8")
    assert config.load({}, path, {}).language == "ko"


def test_defaults_without_anything(tmp_path):
    assert config.load({}, tmp_path / "none.toml", {}) == config.Settings()


@pytest.mark.parametrize("name", ["room", "redis", "host", "proxy", "address", "microphone"])
def test_bytes_that_are_no_text_are_told_where_no_file_is_meant(tmp_path, name):
    given = os.fsdecode(b"redis://h\xff")  # as a terminal of another encoding hands it over
    with pytest.raises(ConfigError, match="expected text in UTF-8") as caught:
        config.load({}, tmp_path / "none", {f"CAPTIONS_{name.upper()}": given})
    assert str(caught.value).startswith(name)
    assert config.load({"source": given}, tmp_path / "none", {}).source == given


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prot = 1", "unknown setting prot; expected address"),
        ("port = 70000", "1 to 65535"),
        ('port = "x"', "1 to 65535"),
        ('language = " "', "language is empty: expected a code such as en"),
        ("port = true", "port True: expected a number from 1 to 65535"),
        ("port = 5000.5", "port 5000.5: expected a number"),
        ("port = 1e999", "port inf: expected a number"),
        ("port = []", "expected a number from 1 to 65535"),
        (f"port = {'9' * 4000}", "port of so many digits: expected a number"),
        (f"port = {'9' * 5000}", "cannot be read as TOML"),
        (f"port = 0x{'f' * 5000}", "port of so many digits: expected a number"),
        (f"asr = {'[' * 5000}", "cannot be read as TOML"),
        ("clear_after = false", "clear_after False: expected a number of minutes"),
        ("clear_after = 2026-01-01", "clear_after 2026-01-01: expected a number of minutes"),
        ('clear_after = "-1"', "expected minutes, 0 to"),
        ("emotion = 1.0", "expected true or false"),
        ("asr = [1]", "expected text"),
        ("host = true", "host True: expected text"),
        ('save = "a\\u0000b"', "no control characters"),
        ('source = "a\\nb"', "no control characters"),
        ('room = "Hall\\u200b"', r"room 'Hall\\u200b': .*letters that are not seen"),
        ('room = "\\u202ellaH"', "letters that are not seen"),
        ('room = "Hall\\u200d"', "letters that are not seen"),
        ("port = = 1", "cannot be read as TOML"),
        ('host = ""', "host is empty"),
        ('proxy = "captions.example"', "such as https://captions.example"),
        ("offline = 2", "expected true or false"),
        ('offline = "maybe"', "expected true or false"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path, text, expected):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=expected):
        config.load({}, path, {})


def test_a_settings_file_that_is_none_is_named_and_one_that_is_not_there_is_not_missed(tmp_path):
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load({}, tmp_path / "settings.toml", {})
    (tmp_path / "file").write_text("")
    assert config.load({}, tmp_path / "file" / "settings.toml", {}) == config.Settings()


@pytest.mark.parametrize("name", ["offline", "listen"])
@pytest.mark.parametrize(
    ("text", "environment", "flags", "on"),
    [
        ("", {}, {}, False),
        ("NAME = true", {}, {}, True),
        ("NAME = false", {"NAME": "1"}, {}, True),
        ("NAME = true", {"NAME": "off"}, {}, False),
        ("", {"NAME": "0"}, {"NAME": True}, True),
    ],
)
def test_a_switch_from_every_place(tmp_path, name, text, environment, flags, on):
    path = tmp_path / "settings.toml"
    path.write_text(text.replace("NAME", name))
    environment = {f"CAPTIONS_{name.upper()}": value for value in environment.values()}
    flags = {key.replace("NAME", name): value for key, value in flags.items()}
    assert getattr(config.load(flags, path, environment), name) is on


@pytest.mark.parametrize(
    ("given", "device"),
    [("", None), ("3", 3), ("-1", -1), ("USB Audio", "USB Audio"), ("--5", "--5"), ("²", "²")],
)
def test_microphone_by_name_or_index(given, device):
    assert config.Settings(microphone=given).microphone_device == device


@pytest.mark.parametrize("address", ["", "kiosk", "Kiosk.local", "192.168.1.5", "fe80::1", "a.b."])
def test_a_name_or_an_address_by_which_phones_reach_this_computer(address):
    assert config.Settings(address=address).address == address


@pytest.mark.parametrize(
    "address",
    ["http://192.168.1.5", "192.168.1.5:5000", "kiosk.local/read", "my kiosk", "[::1]", "a@b", "."],
)
def test_what_would_lead_no_phone_here_is_told(address):
    with pytest.raises(ConfigError, match="a name or an IP address alone, such as"):
        config.Settings(address=address)


def test_settings_that_are_no_file_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "settings.toml")
    with pytest.raises(ConfigError, match="it is a pipe, not a file"):
        config.load({}, tmp_path / "settings.toml", {})


def test_it_is_told_where_each_setting_is_from(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('port = 1\nlanguage = "ko"\nroom = "Hall"\n')
    found = config.gather({"port": 3, "asr": None}, path, {"CAPTIONS_LANGUAGE": "de"})
    assert (found.settings.port, found.settings.language, found.settings.room) == (3, "de", "Hall")
    assert found.origins == {"port": "flag", "language": "environment", "room": "file"}
    assert found.problems == found.unknown == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("room = = 1", "cannot be read as TOML"),
        ('port = 70000\nroom = "Hall"', "expected a number from 1 to 65535"),
        (f'room = "{"x" * 61}"', "60 letters at most"),
    ],
)
def test_the_program_starts_with_what_can_be_used_of_its_file(tmp_path, text, problem):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    found = config.gather({}, path, {})
    assert len(found.problems) == 1 and problem in found.problems[0]
    assert found.settings.room == ("Hall" if "Hall" in text else "")
    assert found.settings.port == 5000


def test_the_program_starts_where_a_setting_of_the_file_forbids_another(tmp_path):
    path, server = tmp_path / "settings.toml", "redis://10.0.0.5:6379"
    path.write_text('room = "Hall 1/2"\nlanguage = "ko"\n')
    found = config.gather({}, path, {"CAPTIONS_REDIS": server})
    assert (found.settings.room, found.settings.redis) == ("", server)
    assert found.settings.language == "ko" and found.origins.keys() == {"redis", "language"}
    assert len(found.problems) == 1 and "expected no /" in found.problems[0]


def test_what_is_no_setting_is_named_and_left_alone(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('romo = "Hall"\nport = 1\n[kiosk]\nscreen = 2\n')
    found = config.gather({}, path, {})
    assert found.unknown == ("kiosk", "romo") and found.problems == ()
    assert found.settings.port == 1


def test_a_wrong_flag_or_variable_ends_the_start_whatever_the_file_says(tmp_path):
    with pytest.raises(ConfigError, match="1 to 65535"):
        config.gather({}, tmp_path / "none.toml", {"CAPTIONS_PORT": "x"})


def test_the_file_beside_the_program_is_the_one_where_it_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    own = tmp_path / "own/recognition_helpers/settings.toml"
    assert config.settings_file(tmp_path) == own
    (tmp_path / "settings.toml").write_text("")
    assert config.settings_file(tmp_path) == tmp_path / "settings.toml"
