"""Limits of each peer, which is one host by however many addresses it comes."""

import http.client
import logging
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from flask import Flask

from tests.program import PATIENCE_S, Program, free_port
from utils.address import network
from web.limits import KEPT_PEERS, AtOnce, Buckets, LogOnce
from web.pages import EXPORTS_AT_ONCE
from web.server import CONNECTIONS, CONNECTIONS_AN_ADDRESS, Server

PROXY = "https://captions.example"


def test_each_peer_has_a_bucket_of_its_own():
    buckets = Buckets(rate=0.0, burst=2)
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    assert buckets.take("b")
    for i in range(KEPT_PEERS):
        assert buckets.take(f"other {i}")
    assert buckets.take("a")  # who was not seen for long is new


def test_so_many_at_once_of_a_peer_and_of_all():
    at_once = AtOnce(of_a_peer=2, in_all=3)
    assert [at_once.take("a") for _ in range(3)] == [True, True, False]
    assert at_once.take("b") and not at_once.take("c")
    at_once.give_back("a")
    assert at_once.take("c") and not at_once.take("a")


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::7", "2001:db8:1:3::/64"),
        ("fe80::7%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("::1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("", ""),
        ("a page", "a page"),
    ],
)
def test_what_an_address_counts_as(address, counted_as):
    assert network(address) == counted_as


def test_a_host_of_ipv6_has_one_bucket_and_one_place_whatever_address_it_takes():
    buckets, at_once = Buckets(rate=0.0, burst=2), AtOnce(of_a_peer=2, in_all=9)
    host, neighbour = [f"2001:db8:1:2::{i:x}" for i in range(3)], "2001:db8:1:3::1"
    assert [buckets.take(address) for address in host] == [True, True, False]
    assert [at_once.take(address) for address in host] == [True, True, False]
    assert buckets.take(neighbour) and at_once.take(neighbour)
    at_once.give_back(host[2])
    assert at_once.take(host[2]) and not at_once.take(host[0])


def test_a_host_of_ipv6_fills_no_log(caplog):
    refusals = LogOnce(logging.getLogger("web.test"))
    with caplog.at_level(logging.WARNING):
        for i in range(KEPT_PEERS * 2):
            refusals.warn("a flood", f"2001:db8:1:2::{i:x}")
    assert caplog.messages == ["refused a flood from 2001:db8:1:2::/64 (told once)"]


def test_a_host_of_ipv6_takes_no_more_connections_than_one_address_may():
    assert CONNECTIONS_AN_ADDRESS < CONNECTIONS  # else all would be refused alike
    with Server("127.0.0.1", free_port(), Flask("test")) as server:
        held = [socket.socket() for _ in range(CONNECTIONS_AN_ADDRESS)]
        for i, one in enumerate(held):
            assert server.verify_request(one, (f"2001:db8:1:2::{i:x}", 1, 0, 0))
            server.answering(one, True)  # it does not give way
        with socket.socket() as more, socket.socket() as neighbour:
            assert not server.verify_request(more, ("2001:db8:1:2:ffff::1", 1, 0, 0))
            assert server.verify_request(neighbour, ("2001:db8:1:3::1", 1, 0, 0))
        for one in held:
            one.close()


@pytest.fixture(scope="module")
def proxied() -> Iterator[Program]:
    """The program behind the operator's proxy, which says who asks."""
    with Program(["--asr", "whisper", "--no-emotion", "--proxy", PROXY]) as running:
        running.wait_for("ready")
        yield running


def test_exports_are_counted_for_a_host_of_ipv6_not_for_each_of_its_addresses(proxied):
    def export(address: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", proxied.port, timeout=PATIENCE_S)
        with closing(connection):
            connection.request("GET", "/export/txt", headers={"X-Forwarded-For": address})
            return connection.getresponse().status

    asked = (export(f"2001:db8:1:2::{i:x}") for i in range(EXPORTS_AT_ONCE * 10))
    assert next(status for status in asked if status != 200) == 429
    assert export("2001:db8:1:3::1") == 200
