"""Attended transfers: decided by who is there, and tried in `test` blocks."""

import pytest

from dsl import tester

from .office import USERS, facts, office

SCRIPT = """\
policy "acme-office"
domain acme.example
timezone "Europe/Berlin" country +49
users staff from "users.yaml"
limit  each_one = 1 at once for each caller
trunk pstn { uri "sip:gw.carrier.example" peers 198.51.100.0/28 allow `+49X(6-12)` channels 2 }

on register { otherwise -> reject 403 }
on call {
  when from trunk pstn -> dial alice
  when not authenticated -> challenge
  when callee is busy and caller == dave -> reject 486
  when pstn is full -> reject 503
  when dialed == "202" and over each_one -> reject 480
  when callee in staff -> dial callee
  otherwise -> dial e164(dialed) via pstn
}
on transfer {
  when not attended -> reject 403 "not without asking"
  when transferor is not known -> reject 403 "not by strangers"
  when target == bob -> transfer to target
  when target is absent and dialed matches `+49{rest:X(3-12)}` -> transfer to alice for 5s
  otherwise -> reject 486
}
"""


def said(folder, text):
    """None when a test of these steps passes, else what it says."""
    users = USERS + "dave: {password: locker}\n"
    (result,) = tester.run(office(folder, SCRIPT + f'test "it" {{\n{text}\n}}', users))
    return None if result.failure is None else result.failure.message


TWO = "call from carol to alice as first\ncall from alice to bob as second\n"


@pytest.mark.parametrize(
    "text",
    [
        TWO + "transfer by alice to bob attended\nexpect transfer to bob",
        TWO + 'transfer by alice to "202" attended\nexpect transfer to bob',
        # The order of the calls is no matter, nor which of them goes on.
        TWO + "back to first\ntransfer by alice to bob attended\nexpect transfer to bob",
        "call from alice to bob\ncall from carol to alice\ntransfer by alice to bob attended\nexpect transfer to bob",
        # They go on with each other, and the transferor is free.
        TWO + "transfer by alice to bob attended\ncall from dave to carol\nexpect reject 486\n"
        "call from dave to alice\nexpect dial alice",
        TWO + "transfer by alice to bob attended\ntransfer by bob to dave\nexpect reject 403",
        TWO + "transfer by alice to bob attended\nhang up\ncall from dave to carol\nexpect dial carol\n"
        "call from dave to bob\nexpect dial bob",
        # A refusal changes nothing.
        TWO + "transfer by alice to carol attended\nexpect reject 486\ncall from dave to alice\nexpect reject 486\n"
        "back to second\nhang up\nback to first\nhang up\ncall from dave to bob\nexpect dial bob",
        # A trunk's channel stays taken, for the caller and for the called alike, and is given back.
        'call from trunk pstn to "1"\ncall from alice to "030123456"\ntransfer by alice to "030123456" attended\n'
        "expect transfer to alice for 5s\ncall from dave to 0301234567\nexpect reject 503",
        'call from trunk pstn to "1"\ncall from alice to "030123456"\ntransfer by alice to "030123456" attended\n'
        "hang up\ncall from dave to 0301234567\nexpect dial e164(dialed) via pstn",
        'call from alice to bob\ncall from trunk pstn to "1" as in\ntransfer by alice to bob attended\n'
        "call from dave to 0301234567\ncall from dave to 0301234568\nexpect reject 503",
        # So does a limit that the other call took.
        'call from carol to alice\ncall from alice to "202"\ntransfer by alice to bob attended\n'
        'call from alice to "202"\nexpect reject 480\nhang up all\ncall from alice to "202"\nexpect dial bob',
    ],
)
def test_what_is_expected_and_comes_true(tmp_path, text):
    assert said(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO + "transfer by alice to dave attended\nexpect reject 403", "the transferor talks to nobody of that name"),
        (TWO + "transfer by dave to bob attended\nexpect reject 403", "the transferor talks to nobody of that name"),
        (
            "call from alice to bob\ntransfer by alice to bob attended\nexpect reject 403",
            "the transferor has no other call",
        ),
        (
            TWO + "hang up first\ntransfer by alice to bob attended\nexpect reject 403",
            "the transferor has no other call",
        ),
        (
            "given bob rings\ncall from carol to alice\ncall from alice to bob\n"
            "transfer by alice to bob attended\nexpect reject 403",
            "the transferor talks to nobody of that name",
        ),
        (
            'call from trunk pstn to "1"\ncall from alice to bob\ncall from trunk pstn to "1"\n'
            "transfer by trunk pstn to alice attended\nexpect transfer to alice",
            "instead it was: reject 403",
        ),
        (TWO + "transfer by alice to bob attended\nexpect reject 403", "instead it was: transfer to bob by the rule"),
    ],
)
def test_what_does_not_come_true_is_told_with_what_did(tmp_path, text, message):
    assert message in said(tmp_path, text)


def test_who_is_there_decides(tmp_path):
    policy = office(tmp_path, SCRIPT.replace("dave", "carol"))
    known = {"transferor": "carol", "transferor_is_known": True, "target": "bob"}
    assert policy.decide("transfer", facts(policy, "bob", "carol", attended=True, **known)).action.target.user == "bob"
    assert policy.decide("transfer", facts(policy, "bob", "carol", **known)).action.reason == "not without asking"


def test_a_stranger_may_connect_the_two_where_the_policy_lets_it(tmp_path):
    script = SCRIPT.replace('  when transferor is not known -> reject 403 "not by strangers"\n', "")
    script = script.replace("dave", "carol").replace("target == bob", "target == alice")
    steps = 'call from trunk pstn to "1"\ncall from trunk pstn to "2"\n'
    steps += "transfer by trunk pstn to alice attended\nexpect transfer to alice"
    (result,) = tester.run(office(tmp_path, script + f'test "it" {{\n{steps}\n}}'))
    assert result.failure is None
