"""The settings file is changed whole or not at all, and what a person wrote in it stays."""

import os
import stat
import tomllib
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.disks import fill, make_read_only, small_disk
from utils import config
from utils.errors import DataError
from utils.setup.settings_file import BEGINNING, SettingsFile

WRITTEN = """\
# the hall's computer
port = 8080   # 5000 is taken

colour = "green"

[kiosk]
screen = 2
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "settings.toml"


def test_a_new_file_says_what_it_is_and_is_for_its_user_alone(path):
    SettingsFile(path).put({"language": "ko", "listen": True, "clear_after": 5})
    text = path.read_text()
    assert text.startswith(BEGINNING)
    assert text.endswith('language = "ko"\nlisten = true\nclear_after = 5\n')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = config.gather({}, path, {})
    assert (found.settings.language, found.settings.listen) == ("ko", True)


def test_what_a_person_wrote_stays(path):
    path.parent.mkdir()
    path.write_text(WRITTEN)
    SettingsFile(path).put({"room": 'The "big" hall', "port": 8081})
    text = path.read_text()
    assert "port = 8081   # 5000 is taken" in text and "# the hall's computer" in text
    assert 'colour = "green"' in text and text.endswith("[kiosk]\nscreen = 2\n")
    found = config.gather({}, path, {})
    assert found.settings.room == 'The "big" hall' and found.unknown == ("colour", "kiosk")


def test_a_file_that_cannot_be_read_is_put_aside_and_kept(path):
    path.parent.mkdir()
    for number in (1, 2):
        path.write_text(f"port = = {number}\n")
        aside = SettingsFile(path).put({"language": "de"})
        assert aside is not None and aside.name == f"settings.toml.unreadable-{number}"
        assert aside.read_text() == f"port = = {number}\n"
        assert config.gather({}, path, {}).settings.language == "de"


def test_a_link_to_the_file_stays_one(path, tmp_path):
    path.parent.mkdir()
    (tmp_path / "elsewhere.toml").write_text("port = 1\n")
    path.symlink_to(tmp_path / "elsewhere.toml")
    SettingsFile(path).put({"language": "de"})
    assert path.is_symlink()
    assert (tmp_path / "elsewhere.toml").read_text() == 'port = 1\nlanguage = "de"\n'


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk:
        path = disk / "settings.toml"
        path.write_text(WRITTEN)
        fill(disk)
        with pytest.raises(DataError, match="is full"):
            SettingsFile(path).put({"language": "ko"})
        assert path.read_text() == WRITTEN
        assert sorted(p.name for p in disk.iterdir()) == ["filling", "settings.toml"]


def test_a_disk_that_may_not_be_written_to_is_named(tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk:
        path = disk / "settings.toml"
        path.write_text("port = = 1")
        make_read_only(disk)
        with pytest.raises(DataError, match="settings.toml may not be read or written to"):
            SettingsFile(path).put({"language": "ko"})
        assert path.read_text() == "port = = 1"


def test_what_is_no_file_is_refused(path):
    path.mkdir(parents=True)
    with pytest.raises(DataError, match="it is a folder, not a file"):
        SettingsFile(path).put({"language": "ko"})
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(DataError, match="it is a pipe, not a file"):
        SettingsFile(path).put({"language": "ko"})


def test_who_puts_settings_at_once_loses_none_of_the_others(path):
    file, names = SettingsFile(path), [f"name_{number}" for number in range(16)]
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(lambda name: file.put({name: True}), names))
    assert set(names) <= tomllib.loads(path.read_text()).keys()
