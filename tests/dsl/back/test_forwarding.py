"""Forwarding: on whose behalf a call goes on, and that one user does so only once in a call."""

import pytest

from dsl import tester
from dsl.decision import Outcome
from dsl.walk import Walker

from .office import facts, office

FORWARDING = """\
policy "duty"
domain acme.example
country +49
emergency 112
users staff from "users.yaml"
trunk pstn { uri "sip:gw.example" peers 198.51.100.0/28 allow `+49X(6-12)` }
on register { otherwise -> reject 403 }
on call {
  when dialed is emergency and authenticated -> dial dialed via pstn
  when from trunk pstn {
    when dialed == "50" -> do night(bob)
    when dialed == "51" -> do both(alice, bob, "x")
    otherwise           -> reject 404
  }
  when not authenticated -> challenge
  when dialed == "60" -> do both(alice, bob, "second")
  when dialed == "61" -> do both(alice, bob, "number")
  when dialed == "62" -> do both(alice, bob, "third")
  when dialed == "63" -> do both(alice, bob, "chain")
  when dialed == "64" -> forward callee.mobile via pstn
  when callee == carol -> do both(alice, bob, "number")
  when callee == alice -> forward bob.mobile via pstn
  otherwise -> reject 404
}
sub night(who: user) {
  otherwise -> forward "030123456" via pstn
}
sub both(first: user, second: user, way: text) {
  when way == "second" -> forward second.mobile via pstn
  when way == "third"  -> forward carol
  when way == "chain"  -> dial first for 20s {
    no-answer -> forward second.mobile via pstn { no-answer -> forward "030123456" via pstn }
    busy      -> forward carol
  }
  otherwise -> forward "030123456" via pstn
}
"""


@pytest.mark.parametrize(
    ("asked", "forwarder"),
    [
        # Whose attribute it is, whoever stands before them in a sub, or was called.
        (("60", "carol", None), "bob"),
        (("alice", "carol", None), "bob"),
        (("64", "carol", None), None),
        # A number or somebody else: who was called.
        (("carol", "alice", None), "carol"),
        (("61", "carol", None), None),
        (("62", "alice", None), None),
        # Where the call names no user, the only one that a sub was done for.
        (("50", None, "pstn"), "bob"),
        (("51", None, "pstn"), None),
    ],
)
def test_on_whose_behalf_a_call_goes_on(tmp_path, asked, forwarder):
    dialed, caller, trunk = asked
    made = office(tmp_path, FORWARDING)
    known = facts(made, dialed, caller, trunk=trunk)
    action = made.decide("call", known).action
    assert (action.forwarder, action.notify) == (forwarder, 181)
    walked = Walker(made.script, made.setup, made.hash).decide("call", known).decision.action
    assert (walked.forwarder, walked.steps) == (forwarder, action.steps)


@pytest.mark.parametrize(
    ("outcome", "forwarder"),
    [(Outcome("no-answer", "alice"), "bob"), (Outcome("busy", "alice"), "alice"), (Outcome("busy", "+4930"), None)],
)
def test_after_a_dial_a_call_goes_on_for_whoever_was_tried_last(tmp_path, outcome, forwarder):
    made = office(tmp_path, FORWARDING)
    asked = facts(made, "63", "carol")
    frame = made.decide("call", asked).action.frame
    assert made.resume(frame, outcome, asked).action.forwarder == forwarder
    walker = Walker(made.script, made.setup, made.hash)
    frame = walker.decide("call", asked).decision.action.frame
    assert walker.resume(frame, outcome, asked).decision.action.forwarder == forwarder


def test_the_second_of_a_sub_rings_after_the_first(tmp_path):
    script = FORWARDING.replace("dial first for 20s {", "forward first.number via pstn for 20s {")
    test = (
        'test "t" { given alice.number rings given bob.mobile rings given carol.number rings call from carol to "63"\n'
        'expect rings alice.number via pstn expect rings bob.mobile via pstn expect rings "030123456" via pstn }'
    )
    (result,) = tester.run(office(tmp_path, script + test))
    assert result.passed, result.failure
