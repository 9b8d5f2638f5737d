"""The presenter's token: shared by file, private, renewed at will."""

import os
import stat

import pytest

from utils.access import Token
from utils.address import host_name, is_loopback, plain_address, reachable_address, url
from utils.errors import ConfigError


def test_the_program_and_the_command_share_a_private_token(tmp_path):
    program, command = Token(tmp_path / "x" / "token"), Token(tmp_path / "x" / "token")
    assert program.value() == command.value() and len(program.value()) > 40
    assert stat.S_IMODE(os.stat(program.path).st_mode) == 0o600
    assert program.matches(command.value())
    for wrong in (None, "", "x", command.value()[:-1], command.value() + "x", "é"):
        assert not program.matches(wrong)


def test_a_new_token_holds_at_once_and_the_old_no_more(tmp_path):
    program = Token(tmp_path / "token")
    old = program.value()
    Token(tmp_path / "token").renew()
    assert not program.matches(old) and program.value() != old


@pytest.mark.parametrize("damage", ["", "short\n", "\x00\n"])
def test_a_damaged_token_lets_nobody_in(tmp_path, damage):
    token = Token(tmp_path / "token")
    token.path.write_text(damage)
    assert not token.matches(damage.strip()) and len(token.value()) > 40
    assert Token(tmp_path / "token").value() == token.value()


def test_a_token_that_others_could_read_becomes_private(tmp_path):
    Token(tmp_path / "token").path.chmod(0o644)
    Token(tmp_path / "token")
    assert stat.S_IMODE(os.stat(tmp_path / "token").st_mode) == 0o600


def test_a_removed_file_does_not_lock_the_presenter_out(tmp_path):
    token = Token(tmp_path / "token")
    value = token.value()
    token.path.unlink()
    assert token.matches(value)
    assert Token(tmp_path / "token").value() == value


def test_where_no_token_can_be_kept_one_holds_in_this_run_and_that_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    token = Token(tmp_path / "file" / "token")
    assert token.matches(token.value()) and not token.matches("")
    assert "XDG_STATE_HOME" in token.problem
    with pytest.raises(ConfigError, match="no new token"):
        token.renew()
    value = token.value()
    (tmp_path / "file").unlink()
    assert token.value() == value and token.problem is None
    assert Token(token.path).value() == value


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("127.0.0.1:5000", "127.0.0.1"),
        ("[::1]:5000", "::1"),
        ("Kiosk.LOCAL.", "kiosk.local"),
        ("evil.example@127.0.0.1", ""),
        ("127.0.0.1/evil", ""),
        ("a b", ""),
        ("host:port", ""),
        ("[::1", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_header(header, expected):
    assert host_name(header) == expected


def test_what_is_loopback():
    for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"):
        assert is_loopback(host), host
    for host in ("", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "127.0.0.1.nip.io"):
        assert not is_loopback(host), host
    assert plain_address("::ffff:10.0.0.1") == "10.0.0.1"


def test_where_phones_reach_what_is_served():
    assert reachable_address("127.0.0.1") is None and reachable_address("localhost") is None
    assert reachable_address("192.168.1.5") == "192.168.1.5"
    assert reachable_address("127.0.0.1", "kiosk.local") == "kiosk.local"
    found = reachable_address("0.0.0.0")
    assert found is None or not is_loopback(found)
    assert url("::1", 5000, "/read") == "http://[::1]:5000/read"
