"""Whom a limit counts for, and users with a number of their own."""

import pytest

from dsl.decision import Facts
from dsl.policy import load
from dsl.rehearsal import World
from dsl.walk import Walker


def policy(folder, limit, alice="lines: 5"):
    (folder / "users.yaml").write_text(
        f"alice: {{password: a, {alice}}}\nbob: {{password: b}}\ncarol: {{password: c, lines: 0}}\n"
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
    takes = policy.decide("call", facts).takes
    assert Walker(policy.script, policy.setup, policy.hash).decide("call", facts).decision.takes == takes
    return takes


@pytest.mark.parametrize(
    ("source", "net"),
    [("10.1.0.1", "lab"), ("10.2.0.1", "office"), ("2001:db8::1", "office"), ("192.0.2.1", ""), ("192.0.2.9", "")],
)
def test_a_net_is_the_first_declared_that_has_the_source(tmp_path, source, net):
    assert taken(policy(tmp_path, "5 per 1s for each net"), source=source) == (("lines", net),)


@pytest.mark.parametrize(("given", "user"), [({"caller": "alice"}, "alice"), ({}, "")])
def test_a_user_is_the_one_that_calls(tmp_path, given, user):
    assert taken(policy(tmp_path, "5 at once for each user"), **given) == (("lines", user),)


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


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({"caller": "alice", "authenticated": True}, "+4930201"),
        ({"caller": "bob", "authenticated": True}, "bob"),
        ({"trunk": "pstn", "caller_number": "+4917112345"}, "+4917112345"),
        ({"trunk": "pstn"}, ""),
    ],
)
def test_a_number_is_the_accounts_or_what_the_trunk_gives(tmp_path, given, number):
    made = policy(tmp_path, "3 per 1min for each caller.number", alice='number: "+4930201"')
    assert taken(made, **given) == (("lines", number),)


TRUNKS = """
trunk pstn {{ uri "sip:gw.carrier.example" peers 198.51.100.0/28 }}
trunk other {{ uri "sip:gw.other.example" peers 203.0.113.0/28 }}
limit both = 5 per 1s for each caller
on register {{ otherwise -> reject 403 }}
on call {{ {rules} otherwise -> reject 404 }}
sub ring() {{ when over both -> reject 486 otherwise -> reject 404 }}
"""


@pytest.mark.parametrize(
    ("rules", "doubtful"),
    [
        ("when from trunk pstn { when over both -> reject 486 }", True),
        (
            'when from trunk pstn or from trunk other { also when over both -> log "many" otherwise -> reject 404 }',
            True,
        ),
        ("when from trunk pstn -> do ring()", True),
        ("when from trunk pstn -> do ring() when authenticated -> do ring()", False),
        ("when from trunk pstn and authenticated and over both -> reject 486", False),
        ("when over both -> reject 486", False),
        ("when not from trunk pstn and over both -> reject 486", False),
    ],
)
def test_a_limit_of_accounts_where_only_a_trunk_calls_is_doubtful(tmp_path, rules, doubtful):
    rules = rules.replace("reject 486 }", "reject 486 otherwise -> reject 404 }")
    script = f'policy "x" domain office.example\n{TRUNKS.format(rules=rules)}'
    (tmp_path / "x.route").write_text(script)
    told = [item.message for item in load(tmp_path / "x.route").warnings if "count as one" in item.message]
    assert told == ["all calls that come here from a trunk count as one for `both`: they have no account"] * doubtful
