"""Limits of each peer."""

from web.limits import KEPT_PEERS, AtOnce, Buckets


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
