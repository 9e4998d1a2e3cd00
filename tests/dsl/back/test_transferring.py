"""Transfers: decided, and tried in `test` blocks."""

import wave

import msgspec
import pytest

from dsl import tester
from dsl.decision import Decision, NumberTarget, Reject, Transfer, UriTarget, UserTarget

from .office import facts, office

SCRIPT = """\
policy "acme-office"
domain acme.example
country +49
users staff from "users.yaml"
group desk = alice, carol
sound jazz = "jazz.wav"
trunk pstn { uri "sip:gw.carrier.example" peers 198.51.100.0/28 allow `+49X(6-12)` }

on register { otherwise -> reject 403 }
on call {
  when from trunk pstn -> dial alice
  when not authenticated -> challenge
  when callee in staff -> dial callee
  when dialed == "*43" -> answer echo
  otherwise -> dial e164(dialed) via pstn
}
on hold {
  also when holder is caller -> tag holder "caller"
  otherwise -> play jazz to held
}
on transfer {
  also when transferor is caller -> tag by "caller"
  when transferor is not known -> reject 403 "not by strangers"
  when dialed == "desk" -> transfer to "sip:desk@elsewhere.example"
  when target == bob -> do engaged(target)
  when target in desk -> transfer to target for 20s
  when transferee in desk -> transfer to dialed via pstn
  otherwise -> transfer to bob.mobile via pstn for 20min
}
on unreachable { otherwise -> do engaged(target) }
sub engaged(who: user) { otherwise -> reject 486 }
"""
SILENT = SCRIPT[: SCRIPT.index("on transfer")]


def policy_of(folder, script=SCRIPT):
    with wave.open(str(folder / "jazz.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(800))
    return office(folder, script)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return policy_of(tmp_path_factory.mktemp("transferring"))


def decided(policy, dialed, **given):
    known = {"target": policy.callee(dialed), "transferor": "carol", "transferor_is_known": True}
    return policy.decide("transfer", facts(policy, dialed, "carol", **(known | given)))


def test_who_transfers_and_to_whom_decides(policy):
    def action(dialed, **given):
        return decided(policy, dialed, **given).action

    assert action("alice") == Transfer(UserTarget("alice"), 20.0)
    assert action("bob") == Reject(486)
    assert action("desk") == Transfer(UriTarget("sip:desk@elsewhere.example", written=True))
    assert action("030123456", transferee="alice") == Transfer(NumberTarget("030123456", "pstn"))
    assert action("030123456") == Transfer(NumberTarget("015112345678", "pstn"), 600.0)
    assert action("alice", transferor_is_known=False) == Reject(403, "not by strangers")


def test_that_the_caller_transfers_is_something_else_than_that_it_holds(policy):
    assert decided(policy, "alice", transferor_is_caller=True).tags == {"by": "caller"}
    assert decided(policy, "alice", holder_is_caller=True).tags == {}
    held = facts(policy, "201", "carol", holder="carol", held="bob", transferor_is_caller=True)
    assert policy.decide("hold", held).tags == {}


def test_a_policy_that_says_nothing_refuses_transfers(tmp_path):
    silent = policy_of(tmp_path, SILENT)
    assert decided(silent, "alice") == Decision(Reject(403), silent.hash)
    assert "on transfer: reject 403" in silent.defaults_in_force


def test_what_is_decided_is_plain_data(policy):
    made = decided(policy, "030123456", transferee="alice")
    assert msgspec.json.decode(msgspec.json.encode(made), type=Decision) == made


def test_a_target_that_two_events_have_is_what_it_may_be_in_either(tmp_path):
    """In `unreachable` the caller chose it, and a number it may be too."""
    shared = SCRIPT.replace("sub engaged(who: user) { otherwise -> reject 486 }", "sub engaged(who: user) { do out() }")
    shared += "sub out() { when target == bob -> reject 486 otherwise -> reject 404 }"
    assert decided(policy_of(tmp_path, shared), "bob").action == Reject(486)


# `test` blocks


def said(folder, text):
    """None when a test of these steps passes, else what it says."""
    (result,) = tester.run(policy_of(folder, SCRIPT + f'test "it" {{\n{text}\n}}'))
    return None if result.failure is None else result.failure.message


CALL = "call from carol to bob\n"


@pytest.mark.parametrize(
    "text",
    [
        CALL + 'transfer by carol to alice\nexpect transfer to alice for 20s\nexpect tag by "caller"',
        CALL + "transfer by bob to alice\nexpect transfer to alice",
        CALL + 'transfer by bob to "0301234567"\nexpect transfer to dialed via pstn',
        CALL + 'transfer by bob to "0301-234567"\nexpect transfer to "0301234567" via pstn',
        CALL + 'transfer by carol to "0301234567"\nexpect transfer to bob.mobile via pstn for 10min',
        CALL + "transfer by carol to bob\nexpect reject 486",
        'call from trunk pstn to "1"\ntransfer by trunk pstn to carol\nexpect reject 403 "not by strangers"',
        'call from trunk pstn to "1"\ntransfer by alice to carol\nexpect transfer to carol',
        'call from carol to "0301234567"\ntransfer by "0301234567" to alice\nexpect reject 403',
        # Whoever was called takes the transferor's place, whose hold is over with it.
        CALL + "transfer by carol to alice\nhold by alice\nexpect play jazz to bob\n"
        "transfer by alice to carol\nexpect transfer to carol\nhold by carol\nexpect play jazz to bob",
        CALL + "hold by bob\ntransfer by bob to alice\nhold by alice\nexpect play jazz to carol",
        CALL + 'transfer by bob to "0301234567"\ntransfer by trunk pstn to alice\nexpect reject 403',
        # If nobody was there, all is as before.
        CALL + "given alice answers 486\ntransfer by carol to alice\nhold by carol\nexpect play jazz to bob\n"
        'expect tag holder "caller"',
        CALL + "transfer by carol to bob\nhold by carol\nexpect play jazz to bob",
    ],
)
def test_what_is_expected_and_comes_true(tmp_path, text):
    assert said(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            CALL + "transfer by carol to alice\nexpect transfer to carol",
            "instead it was: transfer to alice by the rule",
        ),
        (CALL + "transfer by carol to alice\nexpect transfer to alice for 5s", "instead it was: transfer to alice"),
        (CALL + "transfer by carol to alice\nexpect reject 403", "instead it was: transfer to alice"),
        (CALL + "transfer by carol to alice\nexpect response 202", "the caller was sent 200"),
        (CALL + "transfer by alice to carol\nexpect reject 403", "the parties of this call are `carol` and `bob`"),
        (
            CALL + "transfer by carol to alice\nhold by carol\nexpect play jazz to bob",
            "the parties of this call are `alice` and `bob`",
        ),
        (
            CALL + 'transfer by carol to alice\nhold by alice\nexpect tag holder "caller"',
            "`holder` is not tagged",
        ),
        ('call from bob to "*43"\ntransfer by bob to alice\nexpect reject 403', "we answered this call ourselves"),
        ("call from anyone to bob\ntransfer by anyone to bob\nexpect reject 403", "nobody answered this call"),
        (
            'call from trunk pstn to "1"\ntransfer by alice to carol\ntransfer by anyone to carol\n'
            "expect transfer to carol",
            "instead it was: reject 403",
        ),
    ],
)
def test_what_does_not_come_true_is_told_with_what_did(tmp_path, text, message):
    assert message in said(tmp_path, text)
