"""A client may send its burst at once and its share in the long run; who comes too often is told when to come again."""

from shared.limits import Limits


def limits(**others: int) -> Limits:
    return Limits(**{"per_second": 2, "burst": 3, **others})


def test_a_burst_is_let_in_and_the_next_request_has_to_wait() -> None:
    buckets = limits()
    assert [buckets.wait("a", 0.0) for _ in range(4)] == [0, 0, 0, 1]


def test_after_the_wait_it_is_let_in_again_and_no_more_than_its_share() -> None:
    buckets = limits(per_second=1, burst=1)
    assert [buckets.wait("a", now) for now in (0.0, 0.5, 1.0, 1.5, 2.0)] == [0, 1, 0, 1, 0]


def test_a_refused_request_does_not_put_off_the_next() -> None:
    buckets = limits(per_second=1, burst=1)
    assert [buckets.wait("a", now / 10) for now in range(11)] == [0, *[1] * 9, 0]


def test_the_wait_is_in_whole_seconds_and_long_enough() -> None:
    buckets = Limits(per_second=0.1, burst=1)
    assert buckets.wait("a", 0.0) == 0
    assert buckets.wait("a", 2.5) == 8
    assert buckets.wait("a", 10.5) == 0


def test_quiet_time_earns_no_more_than_a_burst() -> None:
    buckets = limits()
    assert buckets.wait("a", 0.0) == 0
    assert [buckets.wait("a", 1000.0) for _ in range(4)] == [0, 0, 0, 1]


def test_one_client_does_not_use_up_anothers_share() -> None:
    buckets = limits(burst=1)
    assert [buckets.wait(client, 0.0) for client in ("a", "a", "b")] == [0, 1, 0]


def test_only_so_many_clients_are_remembered_and_the_longest_idle_is_forgotten() -> None:
    buckets = limits(burst=1, clients=2)
    for client in ("a", "b", "a", "c"):
        buckets.wait(client, 0.0)
    assert len(buckets) == 2
    assert buckets.wait("a", 0.0) == 1
