"""Messages: decided, and tried in `test` blocks."""

import pytest

from dsl import tester
from dsl.decision import Challenge, Deliver, HeaderEdit, Reject
from dsl.policy import told_of_message

from .office import facts, office

SCRIPT = """\
policy "acme-office"
domain acme.example
country +49
users staff from "users.yaml"
group desk = alice, carol
limit chat = 5 per 1min for each caller
trunk pstn { uri "sip:gw.carrier.example" peers 198.51.100.0/28 }

on register { otherwise -> reject 403 }
on call { otherwise -> reject 404 }
on message {
  when from trunk pstn -> deliver to alice
  when not authenticated -> challenge
  also when header "Subject" == "urgent" -> tag kind "urgent", set header "Priority" to "urgent"
  when over chat -> reject 429 "slower"
  when dialed == "desk" -> do hand(alice)
  when dialed == "mobile" -> deliver to alice.mobile
  when dialed == "boss" -> deliver to alice.boss
  when callee in staff -> do hand(callee)
  otherwise -> reject 404
}
sub hand(who: user) { when who == carol -> reject 480 otherwise -> deliver to who }
"""
SILENT = SCRIPT[: SCRIPT.index("on message")]
USERS = """\
alice: {password: a, mobile: "+49171123", boss: "202"}
bob: {password: b, extension: "202"}
carol: {password: c}
"""


def policy_of(folder, script=SCRIPT):
    return office(folder, script, USERS)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return policy_of(tmp_path_factory.mktemp("messages"))


@pytest.mark.parametrize(
    ("dialed", "caller", "action"),
    [
        ("bob", None, Challenge()),
        ("bob", "carol", Deliver("bob")),
        ("202", "carol", Deliver("bob")),
        ("desk", "bob", Deliver("alice")),
        ("carol", "bob", Reject(480)),
        ("nobody", "bob", Reject(404)),
        ("boss", "bob", Deliver("bob")),
        ("mobile", "bob", Deliver(None)),
    ],
)
def test_who_sends_a_message_and_to_whom_decides(policy, dialed, caller, action):
    assert policy.decide("message", facts(policy, dialed, caller)).action == action


def test_a_user_who_is_absent_gets_nothing(tmp_path):
    policy = policy_of(tmp_path, SILENT + "on message { otherwise -> deliver to callee }")
    assert policy.decide("message", facts(policy, "nobody")).action == Deliver(None)


def test_limits_are_counted_and_headers_changed_on_the_way(policy):
    made = policy.decide("message", facts(policy, "bob", "carol", headers={"subject": "urgent"}))
    assert made.takes == (("chat", "carol"),)
    assert made.headers == (HeaderEdit("Priority", "urgent"),)
    assert made.tags == {"kind": "urgent"}
    assert policy.speaks_of("message")
    assert policy.decide("message", facts(policy, "bob")).takes == ()


def test_a_policy_that_says_nothing_of_messages_refuses_them(tmp_path):
    policy = policy_of(tmp_path, SILENT)
    assert policy.decide("message", facts(policy, "bob", "carol")).action == Reject(405)
    assert policy.defaults_in_force[-1] == "on message: reject 405"
    assert not policy.speaks_of("message")


@pytest.mark.parametrize(
    ("best", "told"),
    [(200, 200), (202, 202), (302, 480), (401, 480), (404, 404), (407, 480), (408, 480), (500, 480), (603, 603)],
)
def test_its_sender_is_told_what_is_the_callees_own_to_say(best, told):
    assert told_of_message(best) == told


def said(folder, text):
    """None when a test of these steps passes, else what it says."""
    (result,) = tester.run(policy_of(folder, SCRIPT + f'test "it" {{\n{text}\n}}'))
    return None if result.failure is None else result.failure.message


@pytest.mark.parametrize(
    "text",
    [
        "message from carol to bob\nexpect deliver to bob\nexpect response 200",
        'message from carol to "202" header "Subject" "urgent"\nexpect response 200\nexpect tag kind "urgent"',
        "message from trunk pstn to bob\nexpect deliver to alice",
        "message from anyone to bob\nexpect challenge\nexpect response 401",
        "message from carol to bob without password\nexpect challenge",
        "given over chat\nmessage from carol to bob\nexpect reject 429",
        "given bob is not registered\nmessage from carol to bob\nexpect deliver to bob\nexpect response 480",
        "given bob answers 486\nmessage from carol to bob\nexpect response 486",
        "given bob answers 302\nmessage from carol to bob\nexpect response 480",
        "given bob rings\nmessage from carol to bob\nexpect response 480",
        'message from bob to "mobile"\nexpect deliver to alice.mobile\nexpect response 480',
    ],
)
def test_what_is_expected_and_comes_true(tmp_path, text):
    assert said(tmp_path, text) is None


def test_each_message_counts(tmp_path):
    sent = "message from carol to bob\n"
    assert said(tmp_path, sent * 6 + "expect reject 429") is None
    assert said(tmp_path, sent * 5 + "expect reject 429").startswith("instead it was: deliver to bob")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("message from carol to bob\nexpect deliver to alice", "instead it was: deliver to bob by the rule"),
        ("message from carol to bob\nexpect reject 404", "instead it was: deliver to bob by the rule"),
        ('message from bob to "mobile"\nexpect deliver to bob', "instead it was: deliver to nobody by the rule"),
        ("message from carol to bob\nexpect response 480", "the caller was sent 200"),
        ("message from carol to bob\nexpect deliver to bob\nexpect reject 404", "there was no further decision"),
    ],
)
def test_what_does_not_come_true_is_told_with_what_did(tmp_path, text, message):
    assert message in said(tmp_path, text)
