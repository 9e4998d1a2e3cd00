"""A decision that takes too many steps is given up with 500, and where no way is that long nobody counts."""

import pytest

from dsl import compile as compiling
from dsl import evaluate, tester
from dsl.check import budget
from dsl.check.report import Report
from dsl.compile_conditions import Conditions
from dsl.decision import Continue, Dial, Frame, Outcome, Reject
from dsl.explain import Sentence, explain
from dsl.steps import most_steps
from tests.dsl.generated import policy

from .office import SCRIPT, facts, office, unchecked

ASKED = " and ".join(f'header "X-{number}" != "1"' for number in range(50))
"""Fifty steps that no index spares anybody."""


def with_rules(rules, event="call"):
    """The office with rules before its others, for an event."""
    begin = f"on {event} {{\n"
    more = f"{SCRIPT}{begin}{rules} otherwise -> continue }}"
    return SCRIPT.replace(begin, begin + rules) if begin in SCRIPT else more


def test_the_longest_way_is_counted_rule_by_rule(tmp_path):
    script = office(tmp_path).script
    # Of the rules of `on call` all are tried; the last but one decides in its body.
    assert most_steps(script) == most_steps(unchecked(tmp_path, SCRIPT).script) > 10
    longer = unchecked(tmp_path, with_rules(f"when {ASKED} and dialed is absent -> reject 404\n")).script
    assert most_steps(longer) == most_steps(script) + 51
    within = unchecked(tmp_path, with_rules(f"also when authenticated {{ also when {ASKED} -> log dialed }}\n")).script
    assert most_steps(within) == most_steps(script) + 52
    outcome = f"dial alice {{ busy {{ {f'also when {ASKED} -> log dialed ' * 3} otherwise -> reject 486 }} }}"
    nested = unchecked(tmp_path, with_rules(f"when anonymous -> {outcome}\n")).script
    assert most_steps(nested) == 3 * 51 + 2


@pytest.fixture
def scarce(monkeypatch):
    """Let a decision take fewer steps."""

    def so_many(steps):
        for module in (compiling, evaluate, budget):
            monkeypatch.setattr(module, "MOST_STEPS", steps)
        monkeypatch.setattr("dsl.policy.MOST_STEPS", steps)

    return so_many


def test_where_every_way_is_short_enough_nobody_counts(tmp_path, scarce):
    rules = f"when {ASKED} and dialed is absent -> reject 404\n"
    longest = most_steps(unchecked(tmp_path, with_rules(rules)).script)
    for steps, counted in ((longest, False), (longest - 1, True)):
        scarce(steps)
        slow = unchecked(tmp_path, with_rules(rules))
        run = evaluate.Run(facts(slow, "404", "bob"), slow.users, None)
        assert slow._program.events["call"](run) == Reject(404)
        assert (run.steps > 0) is counted


def test_what_takes_too_long_is_given_up_at_its_rule(tmp_path, scarce):
    compiled = unchecked(tmp_path, SCRIPT)
    scarce(60)
    rules = f'also when anonymous -> tag kind "x", log "here"\nwhen {ASKED} and dialed is absent -> reject 404\n'
    slow = unchecked(tmp_path, with_rules(rules * 2))
    decision = slow.decide("call", facts(compiled, "404", "bob", anonymous=True))
    assert decision.action == Reject(500)
    assert decision.fault == "the decision was given up at 35:1: it took more than 60 steps"
    assert (decision.rules[-1], decision.tags) == ("35:1", {"kind": "x"})
    assert decision.logs == ("here", "here", decision.fault)


def test_whoever_calls_for_help_is_waited_for(tmp_path, scarce):
    scarce(60)
    slow = unchecked(tmp_path, with_rules(f"when {ASKED} and dialed is absent -> reject 404\n" * 3))
    decision = slow.decide("call", facts(slow, "112", source="10.20.1.1"))
    assert (decision.fault, type(decision.action)) == (None, Dial)


def test_a_phone_holds_all_the_same(tmp_path, scarce):
    scarce(60)
    slow = unchecked(tmp_path, with_rules(f"when {ASKED} and dialed is absent -> continue\n" * 3, "hold"))
    decision = slow.decide("hold", facts(slow, "404", "bob"))
    assert (decision.action, decision.fault is not None) == (Continue(), True)


def test_an_outcome_is_given_up_too(tmp_path, scarce):
    scarce(60)
    slow = unchecked(tmp_path, with_rules(f"when {ASKED} and dialed is absent -> reject 404\n" * 3, "redirect"))
    decision = slow.resume(Frame("", 0), Outcome("redirect"), facts(slow, "404", "bob"))
    assert (decision.action, decision.rules) == (Reject(500), ("66:1",))


@pytest.mark.interpreted
def test_nothing_counts_as_tried_that_an_index_may_spare(tmp_path, monkeypatch):
    compared = spared = 0
    compiled = Conditions.rule

    def watched(self, condition):
        nonlocal compared, spared
        made = compiled(self, condition)
        may_be = budget.may_be_spared(condition)
        assert may_be or not made.keys
        compared, spared = compared + 1, spared + may_be
        return made

    monkeypatch.setattr(Conditions, "rule", watched)
    for seed in range(12):
        policy(seed, tmp_path, size=9).compiled(tmp_path)
    assert compared > 300 and compared > spared > compared // 4


FIRST = SCRIPT[: SCRIPT.index("on call {")].count("\n") + 2
"""The line of the first rule of `on call`."""

ALL = "steps are all that a decision may take"
NOBODY = f"nobody comes here: the rules above take 49 steps, and 49 {ALL}"


@pytest.mark.parametrize(
    ("rules", "line", "message"),
    [
        (f"when {ASKED} -> reject 404\n", 0, f"this asks 50 things, and 49 {ALL}"),
        ('when header "A" != "1" -> reject 404\n' * 60, 48, NOBODY),
        ("also when anonymous -> log dialed\n" * 60, 48, NOBODY),
        ('log "a"\n' * 50, 49, NOBODY),
        (
            f"when anonymous {{\nwhen {45 * 'anonymous and '}anonymous -> reject 404\n"
            "otherwise {\nlog dialed\nreject 404 } }\n",
            4,
            NOBODY,
        ),
    ],
)
def test_what_surely_takes_too_long_is_refused(tmp_path, scarce, rules, line, message):
    scarce(49)
    report = Report(unchecked(tmp_path, with_rules(rules)).script)
    budget.check_budget(unchecked(tmp_path, with_rules(rules)).script, report)
    (problem,) = report.problems
    assert (problem.line, problem.message) == (FIRST + line, message)
    assert problem.advice == "put what is asked for into a table, a net, a group or numbers, and ask for that"


@pytest.mark.parametrize(
    "rules",
    [
        'when dialed == "77" -> reject 404\n',
        "when source in 192.0.2.0/24 and anonymous -> reject 404\n",
        'when dialed matches `7X` or dialed == "9" -> reject 404\n',
        "also when from trunk plain -> log dialed\n",
    ],
)
def test_what_an_index_may_spare_is_not_refused(tmp_path, scarce, rules):
    many = with_rules("".join(rules.replace("7", str(number)) for number in range(60)))
    script = unchecked(tmp_path, many).script
    report = Report(script)
    scarce(49)
    budget.check_budget(script, report)
    assert report.problems == []


def test_explain_and_tests_tell_of_it(tmp_path, scarce):
    scarce(60)
    rules = f"when {ASKED} and dialed is absent -> reject 404\n" * 2
    test = 'test "slow" { call from bob to alice expect dial alice }\n'
    slow = unchecked(tmp_path, with_rules(rules) + test)
    (event,) = explain(slow, [Sentence("call from bob to alice", "sentence 1")]).events
    fault = f"the decision was given up at {FIRST + 1}:1: it took more than 60 steps"
    assert (event.decision, event.by, event.besides) == (
        "reject 500",
        f"office.route:{FIRST + 1}:1",
        (f'logs "{fault}"',),
    )
    (result,) = tester.run(slow)
    assert result.failure.message == f"instead it was: reject 500 by the rule at {FIRST + 1}:1"
    assert result.trace[-1] == "  so: reject 500"
    # What was not come to was not looked at, and the dial's outcome can be given up like the call.
    assert event.tried[-1].place == f"office.route:{FIRST}:1"
    late = with_rules(rules, "redirect")
    call, given_up = explain(
        unchecked(tmp_path, late), [Sentence("call from bob to alice", "1"), Sentence("given alice answers 302", "2")]
    ).events
    assert (call.decision, given_up.event, given_up.decision) == ("dial alice", "redirect", "reject 500")
    assert len(given_up.tried) == 1
