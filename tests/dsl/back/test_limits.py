"""Whom a limit counts for, and users with a number of their own."""

import pytest

from dsl.decision import Facts
from dsl.policy import load
from dsl.rehearsal import World


def policy(folder, limit):
    (folder / "users.yaml").write_text(
        "alice: {password: a, lines: 5}\nbob: {password: b}\ncarol: {password: c, lines: 0}\n"
    )
    (folder / "x.route").write_text(
        f"""policy "x" domain office.example
users staff from "users.yaml"
net lab = 10.1.0.0/16
net office = 10.0.0.0/8, 2001:db8::/32
limit lines = {limit}
on register {{ otherwise -> reject 403 }}
on call {{ when over lines -> reject 503 otherwise -> reject 404 }}
"""
    )
    return load(folder / "x.route")


def taken(policy, **given):
    facts = Facts(**{"time": 0.0, "source": "192.0.2.1", "transport": "udp", "ambient": World(policy)} | given)
    return policy.decide("call", facts).takes


@pytest.mark.parametrize(
    ("source", "net"),
    [("10.1.0.1", "lab"), ("10.2.0.1", "office"), ("2001:db8::1", "office"), ("192.0.2.1", ""), ("192.0.2.9", "")],
)
def test_a_net_is_the_first_declared_that_has_the_source(tmp_path, source, net):
    assert taken(policy(tmp_path, "5 per 1s for each net"), source=source) == (("lines", net),)


def test_a_trunk_is_the_one_that_a_call_came_from(tmp_path):
    made = policy(tmp_path, "5 at once for each trunk")
    assert taken(made, trunk="pstn") == (("lines", "pstn"),)
    assert taken(made) == (("lines", ""),)


def test_users_can_have_a_number_of_their_own(tmp_path):
    made = policy(tmp_path, "caller.lines or 2 at once for each caller")
    limit = made.limits["lines"]
    assert {user: limit.most(user) for user in ("alice", "bob", "carol", "")} == {
        "alice": 5,
        "bob": 2,
        "carol": 0,
        "": 2,
    }
    assert taken(made, caller="alice", authenticated=True) == (("lines", "alice"),)
