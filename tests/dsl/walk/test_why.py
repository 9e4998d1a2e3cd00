"""Why a rule matched or did not, in words with its values: a line of the script, an event, and what is said of it."""

import pytest

from dsl.compile_files import load_setup
from dsl.decision import Facts, NumberTarget, Outcome
from dsl.parser import parse
from dsl.policy import Policy
from dsl.walk import Tried, Walker, told_rules
from tests.dsl.generated import Answers

HEAD = """\
policy "why"
domain acme.example
timezone "Europe/Berlin" country +49
emergency 112
users staff from "users.yaml"
group desk = alice, carol
group many = alice, bob, carol, dora, erin
net office = 10.20.0.0/16
net wide = 10.0.0.0/30, 10.0.1.0/30, 10.0.2.0/30, 10.0.3.0/30, 10.0.4.0/30
numbers vips = "+4930123", 200 to 299
hours open = mon-fri 08:00-18:00
limit toll = 4 per 1h for each caller
limit all = 9 at once
table dids from "dids.csv" key number
trunk pstn { uri "sip:gw.example" }
on register { when expires < 60s -> reject 423 when contacts > 3 -> reject 403 otherwise -> accept }
on hold { when holder is caller -> continue when held for > 90s -> continue otherwise -> continue }
"""
USERS = "".join(f"{name}: {{password: p, mobile: '01511'}}\n" for name in ("alice", "bob", "carol", "dora", "erin"))
NOON = 1782900000.0

LINES = [
    ("callee == alice", {}, "callee is absent"),
    ("callee == alice", {"callee": "bob"}, "callee is bob, not alice"),
    ("alice == callee", {"callee": "bob"}, "callee is bob, not alice"),
    ("callee != alice", {"callee": "alice"}, "callee is alice"),
    ("caller == callee", {"callee": "bob", "caller": "carol"}, "caller is carol, callee is bob"),
    ('dialed == "100"', {"dialed": "0301"}, 'dialed is "0301", not "100"'),
    ("dialed matches `0X(6-14)`", {"dialed": "0301"}, 'dialed is "0301", which is not of the form `0X(6-14)`'),
    ("dialed matches `0X(6-14)`", {}, "dialed is absent"),
    ("dialed not matches `0X(3)`", {"dialed": "0301"}, 'dialed is "0301", of the form `0X(3)`'),
    ("source in office", {}, "source 192.0.2.1 is not in office (10.20.0.0/16)"),
    ("source not in 192.0.2.0/24", {}, "source 192.0.2.1 is in 192.0.2.0/24"),
    ("source == 10.0.0.1", {}, "source is 192.0.2.1"),
    ("192.0.2.1 in office", {}, "192.0.2.1 is not in office (10.20.0.0/16)"),
    ("source in office", {"source": "nowhere"}, "source nowhere is not in office (10.20.0.0/16)"),
    (
        "source in wide",
        {},
        "source 192.0.2.1 is not in wide (10.0.0.0/30, 10.0.1.0/30, 10.0.2.0/30, 10.0.3.0/30 and 1 more)",
    ),
    ("caller in desk", {"caller": "bob"}, "caller is bob, not in desk (alice, carol)"),
    ("caller not in many", {"caller": "bob"}, "caller is bob, in many (alice, bob, carol, dora and 1 more)"),
    ("caller in desk", {}, "caller is absent"),
    ("dialed in vips", {"dialed": "100"}, 'dialed is "100", not in vips'),
    ('dialed in ("101", 200 to 209)', {"dialed": "100"}, 'dialed is "100", not in ("101", 200 to 209)'),
    ("callee is not absent", {}, "callee is absent"),
    ("callee is absent", {"callee": "bob"}, "callee is bob"),
    ("dialed is emergency", {"dialed": "0301"}, 'dialed is "0301", no emergency number'),
    ("dialed is not emergency", {"dialed": "112"}, 'dialed is "112", an emergency number'),
    ("over toll", {"caller": "alice", "dialed": "112"}, "an emergency call is over no limit"),
    ("not authenticated", {"authenticated": True, "caller": "bob"}, "bob is authenticated"),
    ("authenticated", {}, "nobody is authenticated"),
    ("anonymous", {}, "anonymous is false"),
    ("from trunk pstn", {}, "it comes from no trunk"),
    ("not from trunk pstn", {"trunk": "pstn"}, "it comes from trunk pstn"),
    ("not within open", {}, "it is Wed 2026-07-01 12:00, within open"),
    ("lookup dids dialed as d", {"dialed": "0301"}, 'dids has no row for "0301"'),
    ("lookup dids dialed as d", {}, "dialed is absent"),
    ("not lookup dids dialed", {"dialed": "030555001"}, 'dids has a row for "030555001"'),
    ("diverted by is busy", {"diverted_by": "0301"}, 'diverted by is "0301", no user of ours'),
    ("callee is busy", {}, "callee is absent"),
    ('header "X-A" == "1"', {"headers": {"x-a": "2\x07" + 80 * "3"}}, f'header "X-A" is "2 {58 * "3"}...", not "1"'),
    ("callee == alice or dialed == alice.mobile", {}, 'callee is absent; dialed is absent, alice.mobile is "01511"'),
    ("callee == alice or callee == bob", {}, "callee is absent"),
    ("not (callee == bob and anonymous)", {"callee": "bob", "anonymous": True}, "callee is bob; anonymous is true"),
]


def policy_of(folder, script):
    (folder / "users.yaml").write_text(USERS)
    (folder / "dids.csv").write_text("number,user\n030555001,alice\n")
    problems = []
    parsed = parse(script, "why.route")
    loaded = load_setup(parsed, folder / "why.route", problems)
    assert problems == []
    return Policy(parsed, folder, loaded.setup, loaded.version, [])


def walker_of(folder, script):
    policy = policy_of(folder, script)
    return Walker(policy.script, policy.setup, policy.hash)


def facts(**given):
    return Facts(time=NOON, transport="udp", **{"ambient": Answers(1), "source": "192.0.2.1", **given})


@pytest.mark.parametrize(("condition", "given", "why"), LINES)
def test_a_rule_that_did_not_match_says_why(tmp_path, condition, given, why):
    walker = walker_of(tmp_path, f"{HEAD}on call {{ when {condition} -> reject 486 otherwise -> reject 404 }}")
    rule, otherwise = walker.decide("call", facts(**given)).tried
    assert (rule.matched, rule.why) == (False, why)
    assert rule.rule.startswith("when ") and (otherwise.rule, otherwise.matched, otherwise.why) == (
        "otherwise",
        True,
        "",
    )


@pytest.mark.parametrize("state", ["registered", "busy"])
@pytest.mark.parametrize("seed", range(3))
def test_what_the_moment_answered_is_said(tmp_path, state, seed):
    script = f"{HEAD}on call {{ when bob is {state} and callee is {state} -> reject 1 when pstn is up -> reject 2"
    script += " when over toll -> reject 3 when over all -> reject 4 otherwise -> reject 5 }"
    ambient = Answers(seed)
    walked = walker_of(tmp_path, script).decide("call", facts(ambient=ambient, callee="bob", caller="alice"))
    expected = {
        "when bob": f"bob is {'' if getattr(ambient, state)('bob') else 'not '}{state}",
        "when pstn": f"pstn is {'' if ambient.up('pstn') else 'not '}up",
        "when over toll": f"toll {'is used up' if ambient.over('toll', 'alice') else 'has room'} for alice",
        "when over all": f"all {'is used up' if ambient.over('all', '') else 'has room'}",
    }
    for item in walked.tried[:-1]:
        (why,) = [why for rule, why in expected.items() if item.rule.startswith(rule)]
        assert item.why.startswith(why)


def test_times_and_amounts_have_their_units(tmp_path):
    walker = walker_of(tmp_path, f"{HEAD}on call {{ otherwise -> reject 404 }}")
    tried = walker.decide("register", facts(user="alice", expires=90, contacts=2)).tried
    assert [item.why for item in tried[:2]] == ["expires is 90s, not less than 60s", "contacts is 2, not more than 3"]
    tried = walker.decide("hold", facts(held_for=None)).tried
    assert tried[0].why == "the holder is the called side"


def test_a_dials_own_rule_is_one_of_those_tried(tmp_path):
    script = f"{HEAD}on call {{ otherwise -> do ring(callee) }}"
    script += "sub ring(who: user) { dial who { busy { when target == who -> reject 486 otherwise -> dial carol } } }"
    walker = walker_of(tmp_path, script)
    walked = walker.decide("call", facts(callee="bob"))
    assert [item.rule for item in walked.tried] == ["otherwise", "dial"]
    ended = walker.resume(walked.decision.action.frame, Outcome("busy", "bob"), facts())
    assert [(item.rule, item.why) for item in ended.tried] == [
        ("busy", ""),
        ("when target == who", "target is bob, who is bob"),
    ]


def tried(place, why, matched=False, depth=0):
    return Tried(f"{place}:3", f"when {place}", matched, why, depth)


def test_many_rules_that_fail_alike_are_one_line():
    alike = [tried(line, f'dialed is "0301", not "{line}"') for line in range(10, 30)]
    lines = told_rules([tried(9, "callee is absent"), *alike, tried(30, "", True)])
    assert lines == [
        " 9:3  when 9: no, callee is absent",
        '10:3  when 10: no, dialed is "0301", not "10"',
        "      ... nor do the 19 rules from 11:3 to 29:3",
        "30:3  when 30",
    ]


def test_of_very_many_rules_those_in_the_middle_are_counted():
    lines = told_rules([tried(line, f"number {line}") for line in range(100, 200)])
    assert len(lines) == 31 and lines[15] == "... 70 lines more, of rules between these"
    assert lines[0].startswith("100:3") and lines[-1].startswith("199:3")


def test_nothing_was_tried():
    assert told_rules([]) == []


def test_what_a_row_has_is_dialled_on_behalf_of_nobody(tmp_path):
    walker = walker_of(
        tmp_path,
        f"{HEAD}on call {{ when lookup dids dialed as d and d.user == alice -> forward d.user via pstn\n"
        "  otherwise -> reject 404 }",
    )
    made = walker.decide("call", facts(dialed="030555001")).decision.action
    assert (made.steps[0].parties, made.forwarder) == ((NumberTarget("alice", "pstn"),), None)


def test_a_policy_that_ends_without_a_decision_is_not_walked(tmp_path):
    walker = walker_of(tmp_path, f"{HEAD}on call {{ when anonymous -> reject 404 }}")
    with pytest.raises(ValueError, match="was not checked"):
        walker.decide("call", facts())


def test_a_row_says_through_which_trunk_or_through_none(tmp_path):
    (tmp_path / "ways.csv").write_text("number,way\n030555001,pstn\n030555002,\n")
    script = (
        f'{HEAD}table ways from "ways.csv" key number\n'
        "on call { when lookup ways dialed as w -> dial dialed via w.way otherwise -> reject 404 }"
    )
    policy, walker = policy_of(tmp_path, script), walker_of(tmp_path, script)
    for dialed in ("030555001", "030555002"):
        made, walked = (each.decide("call", facts(dialed=dialed)) for each in (policy, walker))
        assert made.action.steps == walked.decision.action.steps


def test_what_was_asked_is_asked_once_by_both(tmp_path):
    script = (
        f"{HEAD}group late by weight = alice 3, carol 1\n"
        'on call { when alice is busy and dialed == "1" -> reject 486 when alice is busy -> reject 600\n'
        'when pstn is up and dialed == "1" -> reject 486 when pstn is not up -> reject 500\n'
        'when pstn is full and dialed == "1" -> reject 486 when pstn is full -> reject 503\n'
        "otherwise -> dial late then late }"
    )
    policy, walker = policy_of(tmp_path, script), walker_of(tmp_path, script)
    for seed in range(32):
        given = {"dialed": "2", "ambient": Answers(seed)}
        made, walked = policy.decide("call", facts(**given)), walker.decide("call", facts(**given)).decision
        assert (made.rules, made.asked) == (walked.rules, walked.asked)
