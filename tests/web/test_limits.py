"""Limits of each peer, which is one host by however many addresses it comes."""

import http.client
import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest
from flask import Flask

from tests.program import PATIENCE_S, Program, free_port
from utils.address import network
from web.limits import KEPT_PEERS, SITE, AtOnce, Buckets, LogOnce
from web.pages import EXPORTS_AT_ONCE
from web.server import CONNECTIONS, CONNECTIONS_A_SITE, CONNECTIONS_AN_ADDRESS, Server

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


def test_who_has_a_48_to_himself_is_not_65536_peers():
    """A site of IPv6 is given so many /64, of which a host may take another each time."""
    site, elsewhere = [f"2001:db8:1:{i:x}::7" for i in range(100)], "2001:db8:2:1::7"
    buckets, at_once = Buckets(rate=0.0, burst=2), AtOnce(of_a_peer=2, in_all=6)
    assert sum(buckets.take(address) for address in site) == 2 * SITE
    taken = [address for address in site if at_once.take(address)]
    assert len(taken) == 4
    assert buckets.take(elsewhere) and at_once.take(elsewhere)
    at_once.give_back(taken[0])
    assert at_once.take(site[-1]) and not at_once.take(site[-2])


def test_ever_another_64_is_not_forgotten():
    buckets = Buckets(rate=0.0, burst=2)
    took = sum(buckets.take(f"2001:db8:1:{i:x}::7") for i in range(3 * KEPT_PEERS))
    assert took == 2 * SITE


def test_neighbours_of_ipv4_are_strangers():
    buckets = Buckets(rate=0.0, burst=1)
    assert all(buckets.take(f"203.0.113.{i}") for i in range(100))


def test_a_host_of_ipv6_fills_no_log(caplog):
    refusals = LogOnce(logging.getLogger("web.test"))
    with caplog.at_level(logging.WARNING):
        for i in range(KEPT_PEERS * 2):
            refusals.warn("a flood", f"2001:db8:1:2::{i:x}")
    assert caplog.messages == ["refused a flood from 2001:db8:1:2::/64 (told once)"]


@contextmanager
def holding(addresses: Iterable[str]) -> Iterator[Callable[[str], bool]]:
    """A server with a connection from each address; tells whether it takes another one's."""
    with ExitStack() as stack:
        server = stack.enter_context(Server("127.0.0.1", free_port(), Flask("test")))

        def takes(address: str) -> bool:
            one = stack.enter_context(socket.socket())
            taken = server.verify_request(one, (address, 1, 0, 0))
            if taken:
                server.answering(one, True)  # it does not give way
            return taken

        assert all(takes(address) for address in addresses)
        yield takes


def test_a_host_of_ipv6_takes_no_more_connections_than_one_address_may():
    assert CONNECTIONS_AN_ADDRESS < CONNECTIONS  # else all would be refused alike
    with holding(f"2001:db8:1:2::{i:x}" for i in range(CONNECTIONS_AN_ADDRESS)) as takes:
        assert not takes("2001:db8:1:2:ffff::1")
        assert takes("2001:db8:1:3::1")


def test_a_site_of_ipv6_leaves_room_for_others():
    with holding(f"2001:db8:1:{i:x}::1" for i in range(CONNECTIONS_A_SITE)) as takes:
        assert not takes("2001:db8:1:ffff::1")
        assert takes("2001:db8:2:1::1")


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
