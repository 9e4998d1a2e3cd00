"""A compiled policy decides what a plain walk of its tree decides, whatever it says and whatever happens."""

from random import Random

import msgspec

from dsl import compile_index, tree
from dsl import decision as d
from dsl.compile_files import load_setup
from dsl.parser import parse
from dsl.policy import Policy
from dsl.vocabulary import OUTCOMES, WITHIN_A_CALL
from dsl.walk import Walker
from tests.dsl.generated import Answers, GeneratedPolicy, policy

_MOST_DIALS = 4
EVENTS = ("register", "message", *["call"] * 4, *WITHIN_A_CALL)


def without_frame(made: d.Decision) -> d.Decision:
    """Where a dial stands is told by what follows it: frames are each evaluator's own."""
    if not isinstance(made.action, d.Dial):
        return made
    action = msgspec.structs.replace(made.action, frame=d.Frame("", 0))
    return msgspec.structs.replace(made, action=action)


def agree(generated: GeneratedPolicy, compiled: Policy, walker: Walker, random: Random) -> int:
    """One event, and if it dials what follows that, to the end; how many decisions these were."""
    event = random.choice(EVENTS)
    facts = generated.facts(event, random)
    made, walked = compiled.decide(event, facts), walker.decide(event, facts).decision
    assert without_frame(made) == without_frame(walked), (event, facts)
    for number in range(_MOST_DIALS):
        if not isinstance(made.action, d.Dial):
            return number + 1
        kind = random.choice(_likely(made, compiled))
        facts = generated.facts(kind, random)
        outcome = generated.outcome(kind, random)
        walked_frame = walked.action.frame
        made = compiled.resume(made.action.frame, outcome, facts)
        walked = walker.resume(walked_frame, outcome, facts).decision
        assert without_frame(made) == without_frame(walked), (outcome, facts)
    return _MOST_DIALS + 1


def _likely(made, compiled):
    """Outcomes, those first for which something is written where the dial stands."""
    nested = [*compiled._program.dials[made.action.frame.dial]]
    return [*nested * 3, *OUTCOMES]


def test_a_compiled_policy_decides_what_its_tree_says(tmp_path, monkeypatch):
    decisions = 0
    for seed in range(16):
        generated = policy(seed, tmp_path, size=9)
        compiled = generated.compiled(tmp_path)
        walker = Walker(compiled.script, compiled.setup, compiled.hash)
        for fewest in (compile_index.FEWEST, 1):
            monkeypatch.setattr(compile_index, "FEWEST", fewest)
            indexed = Policy(compiled.script, compiled.path, compiled.setup, compiled.hash, [])
            random = Random(f"{seed} {fewest}")
            decisions += sum(agree(generated, indexed, walker, random) for _ in range(40))
    assert decisions > 16 * 2 * 40


LONG = """\
policy "long"
domain acme.example
users staff from "users.yaml"
net office = 10.0.0.0/8
on register { otherwise -> reject 403 }
on call { otherwise -> reject 404 }
"""
RULES = 12_000


def many_rules(random: Random) -> tuple[tree.When, ...]:
    """A block of rules of all kinds that an index finds, some that it does not, and equal ones far from each other."""

    def at(line: int) -> tree.Span:
        return tree.Span("long.route", line, 3, line, 9)

    def condition(line: int, deep: bool = False) -> tree.Condition:
        span = at(line)
        dialed, source = (tree.Reference(span, tree.Name(span, name)) for name in ("dialed", "source"))
        number = str(random.randrange(400))
        kind = random.randrange(7 if deep else 10)
        if kind < 2:
            return tree.Compare(span, dialed, "==", tree.Text(span, number))
        if kind < 4:
            return tree.Matches(span, dialed, tree.Pattern(span, f"{number}X(0-2)"))
        if kind < 6:
            return tree.In(span, source, tree.Network(span, f"10.{random.randrange(200)}.{random.randrange(200)}.0/24"))
        if kind == 6:
            return tree.Not(span, tree.Compare(span, dialed, "!=", tree.Text(span, f"9{number}")))
        combine = tree.And if kind < 9 else tree.Or
        return combine(span, (condition(line, True), condition(line, True)))

    return tuple(
        tree.When(
            at(line),
            condition(line),
            tree.Block(at(line), (tree.Reject(at(line), tree.Code(at(line), 480), None),), at(line)),
            at(line),
        )
        for line in range(10, 10 + RULES)
    )


def test_a_block_of_many_thousand_rules_keeps_its_first_match(tmp_path):
    (tmp_path / "users.yaml").write_text("alice: {password: a}\n")
    script = parse(LONG, "long.route")
    random = Random(1)
    declarations = [
        msgspec.structs.replace(
            item, body=msgspec.structs.replace(item.body, statements=many_rules(random) + item.body.statements)
        )
        if isinstance(item, tree.On) and "call" in item.names
        else item
        for item in script.declarations
    ]
    script = msgspec.structs.replace(script, declarations=tuple(declarations))
    setup = load_setup(script, tmp_path / "long.route", []).setup
    compiled, walker = Policy(script, tmp_path, setup, "long", []), Walker(script, setup, "long")
    lines = set()
    for dialed, source in (("399", "10.7.7.7"), ("12", "192.0.2.1"), ("9123", "192.0.2.1"), ("nobody", "10.199.1.1")):
        facts = d.Facts(time=0.0, source=source, transport="udp", ambient=Answers(1), dialed=dialed)
        made = compiled.decide("call", facts)
        assert made == walker.decide("call", facts).decision
        lines.add(int(made.rules[0].partition(":")[0]))
    assert len(lines) == 4 and max(lines) > 1000
