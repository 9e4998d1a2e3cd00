"""What the engine may ask of a policy, and what it is told."""

import os
import sys

import msgspec
import pytest

from dsl.decision import (
    Accept,
    Challenge,
    Decision,
    Frame,
    HeaderEdit,
    NumberTarget,
    Outcome,
    Redirect,
    Reject,
    Step,
    UriTarget,
    UserTarget,
)
from dsl.diagnostics import PolicyError
from dsl.evaluate import EvaluationError
from dsl.policy import load

from .office import NIGHT, SCRIPT, USERS, Ambient, facts, office, unchecked, write


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return office(tmp_path_factory.mktemp("office"))


def line(text, nth=1):
    """The place of a rule by its text: `line:col`."""
    lines = [number for number, written in enumerate(SCRIPT.split("\n"), 1) if text in written]
    number = lines[nth - 1]
    written = SCRIPT.split("\n")[number - 1]
    return f"{number}:{written.index(text) + 1}"


# Decisions


def test_a_registration_is_challenged_then_accepted_within_bounds(policy):
    assert policy.decide("register", facts(policy)).action == Challenge()
    assert policy.decide("register", facts(policy, caller="alice", user="alice")).action == Accept(3, 60, 3600)


def test_a_decision_names_the_rules_that_fired_and_its_version(policy):
    made = policy.decide("call", facts(policy, "alice", "bob"))
    assert made.rules == (line("when callee in staff"), line("otherwise -> dial who"))
    assert made.policy == policy.hash and made.action.frame.policy == policy.hash


def test_a_decision_is_plain_data(policy):
    made = policy.decide("call", facts(policy, "carol", "alice", headers={"x-says": "hi"}))
    assert msgspec.json.decode(msgspec.json.encode(made), type=Decision) == made


def test_steps_parties_and_their_times(policy):
    made = policy.decide("call", facts(policy, "carol", "bob")).action
    assert made.steps == (
        Step((UserTarget("carol"),), 20.0),
        Step((UserTarget("alice"), UserTarget("bob"))),
        Step((NumberTarget("015112345678", "pstn"),), 120.0, 4.0, "else"),
    )
    assert made.forwarder is None and made.notify is None


def test_a_forward_says_for_whom_and_tells_the_caller(policy):
    by_name = policy.decide("call", facts(policy, "bob", "alice")).action
    assert (by_name.forwarder, by_name.notify) == ("bob", 181)
    from_outside = policy.decide("call", facts(policy, "+4930555002", trunk="pstn")).action
    assert (from_outside.forwarder, from_outside.notify) == ("bob", 181)


def test_a_user_in_a_table_is_found_by_name_or_extension_else_absent(policy):
    assert policy.decide("call", facts(policy, "030555001", trunk="pstn")).action.steps[0].parties == (
        UserTarget("alice"),
    )
    assert policy.decide("call", facts(policy, "030555003", trunk="pstn")).action == Reject(480)
    assert policy.decide("call", facts(policy, "030555009", trunk="pstn")).action == Reject(404)


def test_captures_are_bound_and_what_is_no_number_is_dialled_as_absent(policy):
    party = policy.decide("call", facts(policy, "9030123456", "alice")).action.steps[0].parties[0]
    assert party == NumberTarget("+4930123456", "pstn")
    party = policy.decide("call", facts(policy, "9123", "alice")).action.steps[0].parties[0]
    assert party == NumberTarget(None, "pstn")


def test_a_redirection_to_a_user_is_its_address_and_to_what_is_absent_a_refusal(policy):
    assert policy.decide("call", facts(policy, "away", "bob")).action == Redirect(302, "sip:alice@acme.example")
    assert policy.decide("call", facts(policy, "gone", "alice")).action == Reject(480)


def test_a_redirection_to_a_number_is_its_tel_uri(tmp_path):
    sent = office(tmp_path, SCRIPT.replace("redirect 302 caller.mobile", 'redirect 302 "(040) 600000"'))
    assert sent.decide("call", facts(sent, "gone", "alice")).action == Redirect(302, "tel:+4940600000")


def test_edits_come_from_rules_that_fired_and_carry_no_line_end(policy):
    made = policy.decide("call", facts(policy, "404", "alice", headers={"x-says": "a\r\nVia: b"}))
    assert made.tags == {"team": "desk"} and made.logs == ("404",)
    assert made.headers == (HeaderEdit("X-Said", "a  Via: b"),)
    assert policy.decide("call", facts(policy, "404", "bob")).headers == ()


# Ambient facts and limits


def test_the_ambient_is_asked_only_what_the_rules_come_to_and_it_is_recorded(policy):
    ambient = Ambient(("busy", "alice"))
    made = policy.decide("call", facts(policy, "alice", "bob", ambient=ambient))
    assert ambient.questions == [("over", "doors", "192.0.2.7"), ("busy", "alice")]
    assert made.asked == {"over doors 192.0.2.7": False, "busy alice": True}
    made = policy.decide("call", facts(policy, "alice", "bob", ambient=Ambient(("busy", "alice")), time=NIGHT))
    assert made.action == Reject(480, "we are closed")


def test_a_limit_that_is_tested_and_not_passed_is_taken_from(policy):
    made = policy.decide("call", facts(policy, "030123456", "bob"))
    assert made.takes == (("doors", "192.0.2.7"), ("toll", "bob"))
    passed = policy.decide("call", facts(policy, "030123456", "bob", ambient=Ambient(("over", "toll"))))
    assert passed.action == Reject(403, "hourly limit reached")
    assert passed.takes == (("doors", "192.0.2.7"),)


def test_a_challenge_takes_from_no_limit(policy):
    made = policy.decide("call", facts(policy, "alice"))
    assert made.action == Challenge() and made.takes == () and made.asked == {"over doors 192.0.2.7": False}


def test_each_source_is_an_address_or_64_bits(policy):
    made = policy.decide("call", facts(policy, "404", "bob", source="2001:db8:1:2:3::4"))
    assert made.takes == (("doors", "2001:db8:1:2::/64"),)


def test_a_limit_left_of_what_an_index_could_find_is_taken_all_the_same(tmp_path):
    rules = "\n".join(f'  when over toll and dialed == "{n}" -> reject {n}' for n in range(600, 620))
    many = SCRIPT.replace("  when over doors", f"{rules}\n  when over doors")
    policy = office(tmp_path, many)
    assert ("toll", "bob") in policy.decide("call", facts(policy, "404", "bob")).takes


def test_an_emergency_passes_every_limit_and_takes_from_none(policy):
    unknown = facts(policy, "110", ambient=Ambient(("over", "doors")))
    made = policy.decide("call", unknown)
    assert made.action == Challenge() and made.asked == {} and unknown.ambient.questions == []
    made = policy.decide("call", facts(policy, "urn:service:sos.police", source="10.20.0.9"))
    assert made.action.steps[0].parties == (NumberTarget("urn:service:sos.police", "pstn"),)


# Outcomes


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        ("busy", 486, 486),
        ("no-answer", None, 480),
        ("unreachable", 503, 480),
        ("failure", 404, 404),
        ("failure", 603, 603),
        ("failure", 513, 480),
        ("failure", 407, 480),
        ("failure", None, 480),
    ],
)
def test_what_holds_where_no_rule_speaks_of_an_outcome(policy, kind, code, status):
    asked = facts(policy, "404", "alice")
    made = policy.resume(Frame(policy.hash, 0), Outcome(kind, "alice", code), asked)
    assert made == Decision(Reject(status), policy.hash)
    assert [text.partition(":")[0] for text in policy.defaults_in_force] == [
        "on busy", "on no-answer", "on unreachable", "on failure", "on hold", "on resume", "on transfer",
        "on message",
    ]  # fmt: skip


def test_a_dials_own_outcome_comes_before_the_events(policy):
    asked = facts(policy, "carol", "bob")
    frame = policy.decide("call", asked).action.frame
    busy = policy.resume(frame, Outcome("busy", "carol", 486), asked)
    assert busy.action.steps == (Step((UserTarget("alice"),)),) and busy.rules == (line("busy -> dial alice"),)
    quiet = policy.resume(frame, Outcome("no-answer", "bob", rang=True), asked)
    assert quiet.action == Reject(486)
    quiet = policy.resume(frame, Outcome("no-answer", "alice", rang=True), asked)
    assert (quiet.action.forwarder, quiet.action.notify) == ("bob", 180)


def test_names_that_were_bound_travel_in_the_frame(policy):
    asked = facts(policy, "201", "bob")
    frame = policy.decide("call", asked).action.frame
    assert frame.names == {"who": "alice"}
    stored = msgspec.json.decode(msgspec.json.encode(frame), type=Frame)
    made = policy.resume(stored, Outcome("failure", "alice", 415), msgspec.structs.replace(asked, callee=None))
    assert made.action.steps == (Step((NumberTarget("+4930111111", "pstn"),)),)
    assert made.action.forwarder == "alice"


def test_where_a_redirection_leads_is_followed_or_passed_on(policy):
    moved = Outcome("redirect", "alice", 302, redirected="sip:alice@elsewhere.example")
    passed = policy.resume(Frame(policy.hash, 0), moved, facts(policy, "alice", "bob"))
    assert passed.action == Redirect(302, "sip:alice@elsewhere.example")
    followed = policy.resume(Frame(policy.hash, 0), moved, facts(policy, "carol", "bob"))
    assert followed.action.steps[0].parties == (UriTarget("sip:alice@elsewhere.example", written=False),)


def test_a_frame_of_another_version_is_decided_by_the_events(policy):
    asked = facts(policy, "carol", "bob")
    made = policy.resume(Frame("another", policy.decide("call", asked).action.frame.dial), Outcome("busy"), asked)
    assert made.action == Reject(486) and made.rules == ()


def test_an_event_that_the_policy_does_not_have_is_our_own_fault(policy):
    with pytest.raises(EvaluationError, match="on no-answer"):
        policy.decide("no-answer", facts(policy))


def test_a_user_may_be_called_like_a_fact_of_other_events(tmp_path):
    users = USERS + "agent: {password: a, extension: 300}\ntarget: {password: t}\n"
    script = SCRIPT.replace(
        "sub ring", "on busy { when target == alice -> reject 603\notherwise -> dial agent }\nsub ring"
    )
    script = script.replace(
        "  when callee in staff",
        "  when callee == agent -> reject 486 when callee == target -> dial agent for 9s\n  when callee in staff",
    )
    policy = office(tmp_path, script, users)
    assert policy.decide("call", facts(policy, "300", "bob")).action == Reject(486)
    made = policy.decide("call", facts(policy, "target", "bob"))
    assert made.action.steps == (Step((UserTarget("agent"),), 9.0),)
    ended = policy.resume(made.action.frame, Outcome("busy", "alice"), facts(policy, "target", "bob"))
    assert ended.action == Reject(603)


# Numbers, trunks and users


def test_numbers_are_dialled_as_the_trunk_wants_them(policy):
    assert policy.trunk_number("pstn", "030123456") == "+4930123456"
    assert policy.trunk_number("plain", "030123456") == "4930123456"
    assert policy.trunk_number("pbx", "030123456") == "030123456"
    assert policy.trunk_number("pbx", "*43") == "*43"
    assert policy.trunk_number("plain", "*43") is None
    assert policy.trunk_number("pstn", "+442071234567") is None
    assert policy.trunk_number("pstn", "110") == "110"
    with pytest.raises(KeyError):
        policy.trunk_number("none", "030123456")


def test_a_trunk_is_known_by_its_peers_the_first_declared_of_several(policy):
    assert policy.trunk_of("198.51.100.3") == "pstn"
    assert policy.trunk_of("198.51.100.99") == "pbx"
    assert policy.trunk_of("192.0.2.1") is None


def test_a_trunk_carries_its_settings(policy):
    pstn = policy.trunks["pstn"]
    assert (pstn.uri, pstn.account, pstn.from_, pstn.failover) == ("sip:gw.carrier.example", "acme", "account", {603})
    assert (pstn.secret.username, pstn.secret.password) == ("acme", "s3cret")
    assert policy.limits["toll"].per == 3600.0 and policy.limits["doors"].per is None


def test_who_is_called(policy):
    assert policy.callee("201") == policy.callee("alice") == "alice"
    assert policy.callee("999") is None and policy.callee(None) is None
    assert policy.is_emergency("112") and policy.is_emergency("urn:service:sos.fire") and not policy.is_emergency("113")
    assert policy.domains == ("acme.example", "pbx.acme.example") and policy.name == "acme-office"
    assert policy.e164("030 123456") == "+4930123456"


# Versions and files


def test_a_version_is_the_script_and_its_files_without_credentials(tmp_path):
    first = office(tmp_path).hash
    assert office(tmp_path).hash == first
    assert office(tmp_path, users=USERS.replace("builder", "changed")).hash == first
    assert office(tmp_path, users=USERS.replace("015112345678", "015112345679")).hash != first
    assert office(tmp_path, SCRIPT.replace("for 25s", "for 26s")).hash != first
    path = write(tmp_path)
    (tmp_path / "dids.csv").write_text("number,user\n")
    assert load(path).hash != first
    write(tmp_path)
    (tmp_path / "holidays.yaml").write_text("- 2026-12-25\n")
    assert load(path).hash != first


def problems(path):
    with pytest.raises(PolicyError) as caught:
        load(path)
    return [(os.path.basename(p.file), p.line, p.message, p.advice) for p in caught.value.problems]


def test_all_problems_of_all_files_come_at_once(tmp_path):
    path = write(tmp_path, SCRIPT.replace("dial carol for", "dial karol for").replace("`+49X(6-12)`", "`+49Q`"))
    (tmp_path / "users.yaml").write_text(USERS.replace("password: builder", "passwort: builder"))
    (tmp_path / "dids.csv").write_text("number,user\n030555001\n")
    (tmp_path / "secrets.yaml").chmod(0o644)
    found = problems(path)
    assert {name for name, *_ in found} == {"office.route", "users.yaml", "dids.csv", "secrets.yaml"}
    assert any("karol" in message for _, _, message, _ in found)
    assert any(advice and "chmod 600" in advice for *_, advice in found)


def test_a_missing_file_is_told_where_it_is_named(tmp_path):
    path = write(tmp_path)
    for name in ("users.yaml", "dids.csv", "holidays.yaml", "secrets.yaml"):
        (tmp_path / name).unlink()
    assert {(name, message) for name, _, message, _ in problems(path)} == {
        ("office.route", f"`{name}` cannot be read: no such file or directory")
        for name in ("users.yaml", "dids.csv", "holidays.yaml", "secrets.yaml")
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Europe/Berlin", "Europe/Berlni", "there is no time zone"),
        ("country +49", "country +999", "no prefixes are known for `+999`"),
        ("10.20.0.0/16", "10.20.0.1/16", "is an address in a network"),
        ('secret "pstn"', 'secret "pst"', "no entry `pst`"),
        ("number e164", "number e165", "`e165` is no form"),
        ("key number", "key digits", "`digits` is no kind of key"),
    ],
)
def test_what_a_declaration_says_wrong(tmp_path, old, new, says):
    assert any(says in message for _, _, message, _ in problems(write(tmp_path, SCRIPT.replace(old, new))))


# Cost


def calls_made(function):
    """How many Python functions run for one call of this one."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "rule",
    [
        'when dialed == "x{n}" and authenticated -> reject 405',
        "when dialed matches `7{n:04}X(2-4)` -> reject 405",
        "when source in 10.{high}.{low}.0/24 and caller == bob -> reject 405",
        'when dialed == "y{n}" or (dialed == "z{n}" and callee == bob) -> reject 405',
    ],
)
def test_a_decision_costs_the_same_however_many_rules_there_are(tmp_path, rule):
    costs = []
    for count in (20, 400):
        rules = "\n".join("  " + rule.format(n=n, high=100 + n // 250, low=n % 250) for n in range(count))
        policy = unchecked(tmp_path, SCRIPT.replace('  when dialed == "carol"', f'{rules}\n  when dialed == "carol"'))
        asked = facts(policy, "404", "alice")
        assert policy.decide("call", asked).action == Reject(404)
        costs.append(calls_made(lambda policy=policy, asked=asked: policy.decide("call", asked)))
    assert costs[0] == costs[1]


def test_the_number_of_a_caller_is_written_as_the_trunk_wants_to_read_it(policy):
    assert policy.number_towards("pstn", "030123456") == policy.number_towards("pbx", "030123456") == "+4930123456"
    assert policy.number_towards("plain", "030123456") == "4930123456"
    assert policy.number_towards("plain", "alice") == "alice"


def test_who_is_named_in_a_table_can_be_forwarded_for_nobody(tmp_path):
    script = SCRIPT.replace("do ring(line.user)", "forward line.user via plain", 1)
    made = office(tmp_path, script).decide("call", facts(office(tmp_path, script), "030555001", trunk="pstn")).action
    assert (made.steps[0].parties, made.forwarder) == ((NumberTarget("alice", "plain"),), None)
