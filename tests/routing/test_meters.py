"""What is counted for limits."""

from b2bua.routing.meters import Meters
from dsl.compile_setup import Limit


class NoLines:
    def __init__(self):
        self.barred = set()
        self.witnesses = {}


def test_who_has_a_number_of_their_own_has_that_many_calls_at_once():
    meters = Meters(lambda user: False, NoLines())
    limit = Limit("lines", 1, None, "caller", {"alice": 2, "carol": 0})
    assert [meters.over(limit, user, 0.0) for user in ("alice", "bob", "carol")] == [False, False, True]
    for user in ("alice", "bob"):
        assert meters.take(limit, user, 0.0)
    assert [meters.over(limit, user, 0.0) for user in ("alice", "bob")] == [False, True]
    meters.take(limit, "alice", 0.0)
    assert meters.over(limit, "alice", 0.0)
    meters.give_back("lines", "alice")
    assert not meters.over(limit, "alice", 0.0)


def test_who_has_a_number_of_their_own_has_that_many_in_a_window():
    meters = Meters(lambda user: False, NoLines())
    limit = Limit("rate", 1, 10.0, "caller", {"alice": 2})
    for user in ("alice", "bob"):
        meters.take(limit, user, 0.0)
    assert [meters.over(limit, user, 1.0) for user in ("alice", "bob")] == [False, True]
    assert not meters.over(limit, "bob", 10.0)
