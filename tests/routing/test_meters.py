"""What is counted for limits and turns, and what chance says."""

import pytest

from b2bua.routing.meters import Meters, Moment
from b2bua.routing.versions import Versions
from dsl.compile_setup import Limit
from dsl.hunt_groups import HuntGroup
from dsl.policy import load

POLICY = """policy "x" domain x.example
on register { otherwise -> reject 403 }
on call { otherwise -> reject 404 }
"""


class NoLines:
    def __init__(self):
        self.barred = set()
        self.witnesses = {}


@pytest.fixture
def version(tmp_path):
    (tmp_path / "x.route").write_text(POLICY)
    return Versions(load(tmp_path / "x.route"), 60.0, 0.0).current


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


def test_chance_shares_a_thousand_calls_by_weight(version):
    group = HuntGroup("out", ("tier1", "tier2"), "weight", (70, 30))
    firsts = [group.drawn(moment(version, f"call-{number}@phone.example").draw("out"))[0] for number in range(1000)]
    deviation = (1000 * 0.7 * 0.3) ** 0.5
    assert abs(firsts.count(0) - 700) < 3 * deviation


def test_chance_is_the_same_for_whoever_asks_again_and_another_for_another_group(version):
    assert (
        moment(version, "a@b").draw("out") == moment(version, "a@b").draw("out") != moment(version, "a@b").draw("sales")
    )


def test_turns_are_those_of_a_groups_name(version):
    meters = Meters(lambda user: False, NoLines())
    before = Moment(version, meters, 0.0, "a@b")
    meters.take_turn("hotline")
    meters.take_turn("hotline")
    assert [Moment(version, meters, 1.0, "c@d").turn(group) for group in ("hotline", "desk")] == [2, 0]
    assert before.turn("hotline") == 2


def moment(version, call):
    return Moment(version, Meters(lambda user: False, NoLines()), 0.0, call)
