"""What a policy does that the checker had nothing against: over generated policies, judged by what they decide.

Every policy is run, refused or not: whenever something happens that must not, the checker has to have told of it. So
each of these tests meets the very thing that it is about, and counts how often.
"""

from random import Random

import msgspec

from dsl.check import check
from dsl.compile_files import load_setup
from dsl.decision import Facts
from dsl.evaluate import EvaluationError
from dsl.include import read_script
from dsl.policy import Policy
from dsl.vocabulary import OUTCOMES, WITHIN_A_CALL
from tests.dsl.generated import policy

from . import oracle

_SEEDS = 60
_RUNS = 60
UNNAMED = "zelda"
"""A user whom no policy names."""


def told(generated, folder):
    """All that the checker says of a policy: errors, and what a reason overrules."""
    script = read_script(folder / "generated.route")
    checked = check(script, load_setup(script, folder / "generated.route", []).setup)
    return [*checked.problems, *checked.notices]


def policies(folder, seeds=_SEEDS, size=7):
    for seed in range(seeds):
        generated = policy(seed, folder, size=size)
        with open(folder / "users.yaml", "a") as users:
            users.write(f'{UNNAMED}: {{password: "secret", number: "+4930777", boss: "bob", site: "yes"}}\n')
        yield seed, generated, generated.compiled(folder), told(generated, folder)


def decisions(compiled, generated, event, facts, random):
    """An event's decision and those that follow when its dials end, with the facts of each."""
    made = compiled.decide(event, facts)
    yield facts, None, made
    for _ in range(3):
        if not hasattr(made.action, "frame"):
            return
        kind = random.choice([*compiled._program.dials[made.action.frame.dial], *OUTCOMES])
        outcome = generated.outcome(kind, random)
        chosen = {"target": random.choice((outcome.target, oracle.chosen_number(random)))}
        if outcome.redirected is not None:
            chosen["redirected"] = oracle.chosen_number(random)
        outcome = msgspec.structs.replace(outcome, **chosen)
        facts = msgspec.structs.replace(facts, callee=None)
        made = compiled.resume(made.action.frame, outcome, facts)
        yield facts, outcome, made


def says(problems, *words):
    return any(word in problem.message for problem in problems for word in words)


def test_no_stranger_chooses_a_number_at_our_expense(tmp_path):
    happened = set()
    for seed, generated, compiled, problems in policies(tmp_path):
        written, random = oracle.Written(generated, compiled), Random(seed)
        for _ in range(_RUNS):
            facts = oracle.as_a_stranger(compiled, generated.facts("call", random), random)
            facts.callee = compiled.callee(facts.dialed)
            for asked, outcome, made in decisions(compiled, generated, "call", facts, random):
                found = oracle.toll(compiled, written, asked, made.action)
                if found is not None:
                    happened.add(seed)
                    assert says(problems, "anyone can choose"), (seed, found, asked, outcome, made.rules)
    assert len(happened) > _SEEDS / 15


def test_every_way_ends_in_a_decision_and_no_rule_fires_that_cannot(tmp_path):
    never, fired = 0, 0
    for seed, generated, compiled, problems in policies(tmp_path, size=9):
        unreachable = {
            f"{problem.line}:{problem.column}"
            for problem in problems
            if "never" in problem.message and problem.file.endswith("generated.route")
        }
        never += len(unreachable)
        random = Random(seed)
        for number in range(_RUNS):
            event = ("call", "call", "register", "message", *WITHIN_A_CALL)[number % (4 + len(WITHIN_A_CALL))]
            try:
                ways = list(decisions(compiled, generated, event, generated.facts(event, random), random))
            except EvaluationError as error:
                raise AssertionError((seed, event)) from error
            for facts, outcome, made in ways:
                fired += len(made.rules)
                assert unreachable.isdisjoint(made.rules), (seed, facts, outcome, made.rules)
    assert never > 30
    assert fired > 2000


def test_no_emergency_call_of_ours_is_held_up(tmp_path):
    happened = set()
    for seed, generated, compiled, problems in policies(tmp_path):
        if not compiled.emergency or not compiled.trunks:
            continue
        random = Random(seed)
        asks = oracle.asks_who_calls(compiled, generated.text)
        for _ in range(_RUNS):
            facts = generated.facts("call", random)
            facts.dialed, facts.trunk, facts.caller_number = random.choice(sorted(compiled.emergency)), None, None
            facts.callee = compiled.callee(facts.dialed)
            known = facts.authenticated and asks
            if not known and not oracle.inside(facts.source, oracle.networks(compiled)):
                continue
            made = compiled.decide("call", facts)
            if oracle.held_up(made.action) is not None:
                happened.add(seed)
                assert says(problems, "emergency call"), (seed, facts, made)
    assert len(happened) > _SEEDS / 6


def learns(compiled, event, facts, run):
    """Whether a stranger is answered otherwise for a user whom no rule names than for nobody."""
    facts.source, facts.trunk, facts.caller_number = oracle.ELSEWHERE, None, None
    answers = [
        oracle.seen(compiled.decide(event, asking(compiled, event, facts, who, run)).action, who)
        for who in (UNNAMED, "nobody7")
    ]
    return answers[0] != answers[1]


def test_nobody_learns_who_is_here_before_showing_who_asks(tmp_path):
    for seed, generated, compiled, problems in policies(tmp_path):
        random = Random(seed)
        for event in ("register", "call", "message"):
            for run in range(_RUNS if oracle.challenges(compiled, event) else 0):
                facts = oracle.as_a_stranger(compiled, generated.facts(event, random), random)
                if learns(compiled, event, facts, run):
                    assert says(problems, "whether"), (seed, event, facts)


HEAD = """\
policy "asked" domain acme.example
users staff from "users.yaml"
group desk = alice, bob
net office = 10.0.0.0/8
limit toll = 4 per 1h
table people from "people.csv" key text
trunk pstn { uri "sip:gw.example" peers 192.0.2.1 }
on register { otherwise -> reject 403 }
"""
USERS = f"alice: {{password: a}}\nbob: {{password: b, boss: alice}}\n{UNNAMED}: {{password: c, boss: bob}}\n"
ASKING = (
    *("callee in staff", "callee is absent", "callee is not absent", "callee not in staff", "callee in desk"),
    *("callee is registered", 'callee.boss == "bob"', "callee == bob", "lookup people dialed", "callee.boss is absent"),
    *("diverted by in staff", "callee in (alice, desk)", "callee != alice"),
)
NOT_ASKING = (
    *("over toll", "source in office", "anonymous", "from trunk pstn", 'dialed == "100"', "dialed matches `X(3)`"),
    *("source not in office", 'header "X-A" == "1"', "caller in desk", "caller not in desk", "authenticated"),
    "not authenticated",
)
DECIDING = (
    *("reject 404", "reject 404", "reject 403", 'reject 404 "gone"', "challenge", "challenge", "challenge"),
    *("answer echo", "dial alice", "dial callee", "redirect 302 callee", "redirect 302 dialed", "do ring(callee)"),
    *("do ring(alice)", 'redirect 302 "sip:a@b.example"'),
)


def asked_policy(random):
    """Rules about who exists, and about other things, in any order, with a challenge somewhere."""
    rules = []
    for _ in range(random.randint(1, 4)):
        condition = random.choice(ASKING)
        if random.random() < 0.4:
            other = random.choice(NOT_ASKING)
            condition = random.choice((f"{condition} and {other}", f"not ({condition} or {other})", other))
        body = f"-> {random.choice(DECIDING)}"
        if random.random() < 0.3:
            inner = random.choice((*ASKING, *NOT_ASKING))
            body = f"{{ when {inner} {body} otherwise -> {random.choice(DECIDING)} }}"
        rules.append(f"when {condition} {body}")
    rules.insert(
        random.randint(0, len(rules)), random.choice(("when not authenticated", "when anonymous")) + " -> challenge"
    )
    end = random.choice(("reject 404", "challenge", "reject 403", "dial callee"))
    ring = random.choice(
        ("dial who", "reject 404", "challenge", "when who in staff -> dial who otherwise -> reject 404")
    )
    return (
        f"{HEAD}on call {{\n" + "\n".join([*rules, f"otherwise -> {end}"]) + f"\n}}\nsub ring(who: user) {{ {ring} }}\n"
    )


def test_rules_about_who_exists_tell_strangers_nothing(tmp_path):
    (tmp_path / "users.yaml").write_text(USERS)
    (tmp_path / "people.csv").write_text(f"name,floor\n{UNNAMED},2\n")
    told_of, silent = 0, 0
    for seed in range(400):
        random = Random(seed)
        text = asked_policy(random)
        compiled, problems = judged(tmp_path, text)
        if not says(problems, "whether"):
            silent += 1
        for run in range(12):
            facts = Facts(
                time=0.0,
                source=oracle.ELSEWHERE,
                transport="udp",
                ambient=oracle.Same(run),
                anonymous=random.random() < 0.5,
                headers={"x-a": "1"} if random.random() < 0.5 else {},
            )
            if learns(compiled, "call", facts, run):
                told_of += 1
                assert says(problems, "whether"), (seed, text)
    assert told_of > 200
    assert silent > 60


def judged(folder, text):
    """A policy, whatever is wrong with it, and what the checker says of it."""
    path = folder / "asked.route"
    path.write_text(text)
    script = read_script(path)
    loaded = load_setup(script, path, [])
    checked = check(script, loaded.setup)
    return Policy(script, path, loaded.setup, loaded.version, []), [*checked.problems, *checked.notices]


def asking(compiled, event, facts, name, seed):
    """The same facts, but for the name that is asked for."""
    facts = msgspec.structs.replace(facts, ambient=oracle.Same(seed))
    if event == "register":
        facts.user = name if name in compiled.users else None
    else:
        facts.dialed, facts.callee = name, compiled.callee(name)
    return facts
