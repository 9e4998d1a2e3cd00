"""On whose behalf a call goes on, that one user does so only once in a call, and why nobody is called."""

import re

import pytest

from dsl import tester
from dsl.decision import Outcome
from dsl.explain import Sentence, explain, explanation_text
from dsl.walk import Walker

from .office import USERS, facts, office

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


# Why nobody was called

OUTCOMES = """\
policy "why"
domain acme.example
country +49
emergency 112
users staff from "users.yaml"
table ways from "ways.csv" key number
trunk pstn { uri "sip:gw.example" allow `+49X(6-12)` channels 1 }
trunk any { uri "sip:any.example" number e164 }
on register { otherwise -> reject 403 }
on call {
  when dialed is emergency and authenticated -> dial dialed via pstn
  when not authenticated -> challenge
  when dialed == "70" -> dial "+44201234567" via pstn
  when dialed == "71" -> dial "12" via any
  when dialed == "72" -> dial carol.mobile via any
  when lookup ways dialed as row -> dial row.to via row.way
  when dialed == "74" -> dial "+4930123456" via pstn progress 3s for 20s
  when dialed == "75" -> dial "+4930123456" via any
  when dialed == "76" -> dial "sip:zoe@acme.example"
  when dialed == "77" -> dial alice and bob
  when dialed == "78" -> forward alice.number via any { failure -> forward alice.number via pstn }
  when dialed == "79" -> dial "+44201234567" via pstn then alice
  when callee in staff -> dial callee for 20s
  otherwise -> reject 404
}
on redirect { otherwise -> dial redirected }
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('call from carol to "70"', "failure (pstn allows no +44201234567)"),
        ('call from carol to "71"', "failure (12 is no number)"),
        ('call from alice to "72"', "failure (there is no number to call via any)"),
        ('call from carol to "+4930555"', "failure (what says whom to call, or by which trunk, is empty)"),
        ('given pstn is full call from carol to "74"', "unreachable (pstn is full)"),
        ('given pstn is not up call from carol to "74"', "unreachable (pstn is not up)"),
        ('given pstn is silent call from carol to "74"', "unreachable (+4930123456 is silent)"),
        ('given any is silent call from carol to "75"', "unreachable (+4930123456 is silent)"),
        ('call from carol to "76"', "failure (nobody here has sip:zoe@acme.example)"),
        ("given bob is not registered given alice answers 503 call from carol to \"77\"",
         "unreachable (bob is not registered)"),
        ("given bob is not registered given alice answers 486 call from carol to \"77\"", "busy"),
        ('given any answers 404 call from carol to "78"', "failure (alice has forwarded this call already)"),
        ('given alice answers 404 call from carol to "79"', "failure"),
        ('given bob redirects to "sip:x@elsewhere.example" call from alice to bob',
         "failure (sip:x@elsewhere.example is elsewhere, and no rule names it)"),
        ('given bob redirects to "tel:+4930123" call from alice to bob',
         "failure (tel:+4930123 is no address that can be called)"),
        ("given bob redirects to carol given carol redirects to bob call from alice to bob",
         "failure (this call was redirected to sip:carol@acme.example already, or too often)"),
        ("given bob answers 404 call from alice to bob", "failure"),
    ],
)  # fmt: skip
def test_an_outcome_that_is_nobodys_answer_says_why_it_came_about(tmp_path, text, why):
    (tmp_path / "ways.csv").write_text("number,way,to\n+4930555,,+4930123456\n")
    made = office(tmp_path, f'{OUTCOMES}test "t" {{ {text} expect answered by alice }}')
    (failed,) = tester.run(made)
    assert [line for line in failed.trace if line.startswith("on ")][-1] == f"on {why}"
    sentences = [Sentence(said, "here") for said in re.split(r" (?=call )| (?=given )", text)]
    told = explanation_text(explain(made, sentences)).splitlines()
    assert any(line.startswith(f"  {why}: ") for line in told)
    assert any(line.startswith(f"on {why}: ") for line in told)


def test_a_sixth_forwarding_says_why_it_fails(tmp_path):
    users = [f"user{number}" for number in range(6)]
    script = OUTCOMES.replace(
        'when dialed == "70" -> dial "+44201234567" via pstn',
        'when dialed == "70" -> '
        + " { failure -> ".join(f"forward {user}.number via any" for user in users)
        + " }" * 5,
    )
    people = "".join(f'{user}: {{password: "{user}-secret", number: "+493055500{user[-1]}"}}\n' for user in users)
    written = 'test "t" { given any answers 404 call from carol to "70" expect answered by carol }'
    (tmp_path / "ways.csv").write_text("number,way,to\n")
    (failed,) = tester.run(office(tmp_path, script + written, USERS + people))
    assert "on failure (this call was forwarded 5 times already)" in failed.trace
