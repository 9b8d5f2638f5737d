"""The presenter's token: shared by file, private, renewed at will."""

import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from utils.address import host_name, is_loopback, plain_address, reachable_address, url
from utils.errors import ConfigError
from web.access import LINK_S, Links, Token


def test_the_program_and_the_command_share_a_private_token(tmp_path):
    program, command = Token(tmp_path / "x" / "token"), Token(tmp_path / "x" / "token")
    assert program.value() == command.value() and len(program.value()) > 40
    assert stat.S_IMODE(os.stat(program.path).st_mode) == 0o600
    cookie = command.cookie()
    assert program.matches(cookie) and cookie != command.value()
    for wrong in (None, "", "x", cookie[:-1], cookie + "x", "é", "\ud800", command.value()):
        assert not program.matches(wrong)


def test_a_new_token_holds_at_once_and_the_old_no_more(tmp_path):
    program = Token(tmp_path / "token")
    old, cookie = program.value(), program.cookie()
    Token(tmp_path / "token").renew()
    assert not program.matches(cookie) and program.value() != old


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
    value, cookie = token.value(), token.cookie()
    token.path.unlink()
    assert token.matches(cookie)
    assert Token(tmp_path / "token").value() == value


def test_where_no_token_can_be_kept_one_holds_in_this_run_and_that_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    token = Token(tmp_path / "file" / "token")
    assert token.matches(token.cookie()) and not token.matches("")
    assert "XDG_STATE_HOME" in token.problem
    with pytest.raises(ConfigError, match="no new token"):
        token.renew()
    value = token.value()
    (tmp_path / "file").unlink()
    assert token.value() == value and token.problem is None
    assert Token(token.path).value() == value


def test_a_code_is_taken_once_by_its_own_run_alone(tmp_path):
    token = Token(tmp_path / "token")
    program, other = Links(token), Links(token)
    code = Links(Token(tmp_path / "token"), program.run).new()  # as the command makes it
    assert not other.take(code)
    assert program.take(code) and not program.take(code)
    for wrong in ("", ".", code[:-1], f"9{code}", program.new().replace(".", ".x", 1)):
        assert not program.take(wrong), wrong


def test_a_code_holds_ten_minutes_whatever_the_clock_is_set_to(tmp_path, monkeypatch):
    links, now = Links(Token(tmp_path / "token")), time.monotonic()
    late, in_time = links.new(), links.new()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now + LINK_S - 5)
    assert links.take(in_time)
    monkeypatch.setattr(time, "monotonic", lambda: now + LINK_S + 5)
    assert not links.take(late) and not links.take(in_time)
    assert links.take(links.new())


def test_a_new_token_ends_the_codes_of_the_old(tmp_path):
    token = Token(tmp_path / "token")
    links = Links(token)
    code, cookie = links.new(), token.cookie()
    Token(tmp_path / "token").renew()
    assert not links.take(code) and not token.matches(cookie)
    assert links.take(links.new())


def test_two_that_hand_in_one_code_at_once_are_not_both_let_in(tmp_path):
    links = Links(Token(tmp_path / "token"))
    with ThreadPoolExecutor(8) as hands:
        for _ in range(50):
            assert sum(hands.map(links.take, [links.new()] * 8)) == 1


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
    for host in (
        "",
        "localhost.evil.example",
        "10.0.0.1",
        "0.0.0.0",
        "127.0.0.1.nip.io",
        "127.0.0.1%00.evil.example",
        "127.1",
        "2130706433",
        "::",
        "64:ff9b::7f00:1",
    ):
        assert not is_loopback(host), host
    assert plain_address("::ffff:10.0.0.1") == "10.0.0.1"


def test_where_phones_reach_what_is_served():
    assert reachable_address("127.0.0.1") is None and reachable_address("localhost") is None
    assert reachable_address("192.168.1.5") == "192.168.1.5"
    assert reachable_address("127.0.0.1", "kiosk.local") == "kiosk.local"
    found = reachable_address("0.0.0.0")
    assert found is None or not is_loopback(found)
    assert url("::1", 5000, "/read") == "http://[::1]:5000/read"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_token_that_is_no_file_is_not_waited_for_and_left_as_it_is(tmp_path, make):
    make(tmp_path / "token")
    (tmp_path / "token").chmod(0o755)
    token = Token(tmp_path / "token")
    assert "it is not a file" in token.problem and len(token.value()) > 40
    assert stat.S_IMODE(os.stat(tmp_path / "token").st_mode) == 0o755


def test_a_rooms_token_opens_no_other_room_and_the_operators_opens_all(tmp_path):
    path = tmp_path / "key"
    program, hall, second = Token(path), Token(path, "Hall"), Token(path, "Room 2")
    assert len({token.cookie() for token in (program, hall, second)}) == 3
    assert hall.matches(hall.cookie())
    assert not (second.matches(hall.cookie()) or program.matches(hall.cookie()))
    assert not (hall.operates(hall.cookie()) or hall.operates(program.cookie()))
    assert hall.operates(program.for_operators()) and second.operates(program.for_operators())
    code = Links(hall, "run").new()
    assert not Links(second, "run").take(code) and Links(hall, "run").take(code)
    program.renew()
    assert not hall.operates("") and len(hall.cookie()) == 43
