"""Outcomes that are decided together: one rule of a dial, or one block, for several."""

import pytest

from dsl import tester
from dsl.coverage import coverage
from dsl.decision import Dial, Outcome, Redirect, Reject, UserTarget
from dsl.vocabulary import OUTCOMES

from .office import facts, office

SCRIPT = """\
policy "together"
domain acme.example
users staff from "users.yaml"
on register { reject 403 }
on call {
  when lookup dids dialed as line -> dial bob {
    busy, no-answer, unreachable {
      when line.user == "alice" -> dial alice
      when rang                 -> do gone(482)
      otherwise                 -> do gone(483)
    }
  }
  when callee in staff -> dial callee
  otherwise -> reject 404
}
on busy, redirect {
  when code == 302 -> redirect 302 alice
  otherwise        -> reject 486
}
on no-answer, unreachable { reject 480 "nobody answers" }
sub gone(code_then: number) {
  when target == bob -> reject 410
  otherwise          -> reject 480
}
table dids from "dids.csv" key text
"""


@pytest.fixture
def policy(tmp_path):
    return office(tmp_path, SCRIPT)


@pytest.fixture
def after(policy):
    def decided(dialed, kind, **of_it):
        made = policy.decide("call", facts(policy, dialed)).action
        return policy.resume(made.frame, Outcome(kind, "bob", **of_it), facts(policy, dialed))

    return decided


@pytest.mark.parametrize("kind", ["busy", "no-answer", "unreachable"])
def test_a_rule_of_a_dial_is_for_each_of_its_outcomes(after, kind):
    forwarded, gone = after("030 555001", kind), after("030555002", kind, rang=True)
    assert isinstance(forwarded.action, Dial)
    assert [step.parties for step in forwarded.action.steps] == [(UserTarget("alice"),)]
    assert (gone.action, gone.rules) == (Reject(410), ("7:5", "9:7", "22:3"))


def test_other_outcomes_of_that_dial_go_elsewhere(after):
    assert after("030555002", "redirect", code=302).action == Redirect(302, "sip:alice@acme.example")
    assert after("030555002", "failure", code=404).action == Reject(404)


def test_a_block_is_for_each_of_its_outcomes(after):
    made = {kind: after("alice", kind) for kind in OUTCOMES}
    assert made["busy"].action == made["redirect"].action == Reject(486)
    assert made["busy"].rules == made["redirect"].rules == ("18:3",)
    assert made["no-answer"].action == made["unreachable"].action == Reject(480, "nobody answers")
    assert made["failure"].action == Reject(480)


def test_what_a_policy_leaves_out_is_said_of_outcomes_one_by_one(policy):
    assert [said.split(":")[0] for said in policy.defaults_in_force] == [
        *("on failure", "on hold", "on resume", "on transfer", "on message")
    ]


def test_a_rule_for_several_outcomes_is_one_rule_to_cover(tmp_path):
    tests = (
        'test "busy" { given bob answers 486 call from alice to "030555002" expect dial bob expect reject 410 }\n'
        'test "redirected" { given alice redirects to "sip:x@y.example" '
        "call from bob to alice expect dial alice expect redirect 302 alice }\n"
    )
    policy = office(tmp_path, SCRIPT + tests)
    results = tester.run(policy)
    assert [str(result.failure) for result in results if not result.passed] == []
    found = coverage(policy, results)
    assert "7:5 busy, no-answer, unreachable" in [f"{rule.place} {rule.rule}" for rule in found.rules]
    missed = [rule.place for rule in found.missed]
    assert missed == ["4:15", "8:7", "9:7", "14:3", "18:3", "20:29", "23:3"]
