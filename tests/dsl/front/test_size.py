"""Scripts that are very deep, very long or very wide: every command reads them, or says what is too much."""

import pytest

from dsl import tester
from dsl.check.proofs import walk
from dsl.check.solver import _MOST_SPLITS
from dsl.diagnostics import PolicyError
from dsl.explain import Sentence, explain
from dsl.fmt import formatted
from dsl.policy import load

HEAD = """policy "large"
domain acme.example
users staff from "users.yaml"
net office = 10.0.0.0/8
on register { otherwise -> reject 403 }
"""
CALL = 'test "a call" { call from alice to bob expect reject 404 }\n'


def rule(condition):
    return f"on call {{ when {condition} -> reject 403 otherwise -> reject 404 }}\n"


def nested(levels):
    inner = "reject 404"
    for number in range(levels):
        inner = f'when dialed == "{number}" -> reject 40{3 + number % 2}\notherwise {{ {inner} }}'
    return f"on call {{ {inner} }}\n"


def chain(subs, last="reject 404"):
    """Each does the next; two levels each, for `do` stands in an `otherwise`."""
    whole = [
        f'sub s{at}() {{ when dialed == "{at}" -> reject 403 otherwise -> do s{at + 1}() }}\n' for at in range(subs)
    ]
    return f"on call {{ do s0() }}\n{''.join(whole)}sub s{subs}() {{ {last} }}\n"


def alternating(levels):
    condition = "authenticated"
    for number in range(levels):
        condition = f'({condition} {("and", "or")[number % 2]} dialed != "{number}")'
    return condition


def loaded(folder, text):
    (folder / "users.yaml").write_text("alice: {password: a}\nbob: {password: b}\n")
    path = folder / "large.route"
    path.write_text(HEAD + text)
    return load(path)


def read(folder, text):
    """What every command does with a script: check, compile, fmt, test, explain."""
    policy = loaded(folder, text + CALL)
    assert formatted(HEAD + text, "large.route").startswith('policy "large"')
    (tested,) = tester.run(policy)
    assert tested.passed
    (event,) = explain(policy, [Sentence("call from alice to bob", "sentence 1")]).events
    assert event.decision == "reject 404"
    return event


def refused(folder, text):
    with pytest.raises(PolicyError) as error:
        loaded(folder, text)
    return [(problem.line, problem.message) for problem in error.value.problems]


WIDE = " or ".join(f'dialed == "{number}"' for number in range(5000))


@pytest.mark.parametrize(
    "text",
    [
        rule("(" * 3000 + "anonymous" + ")" * 3000),
        rule("not (" * 100 + "anonymous" + ")" * 100),
        rule(f"anonymous and {alternating(100)}"),
        rule("e164(" * 100 + "dialed" + ")" * 100 + ' == "+1"'),
        rule(" and ".join(f'dialed != "{number}"' for number in range(1000)) + " and anonymous"),
        rule(f"dialed in ({', '.join(str(number) for number in range(5000))})"),
        nested(36),
        chain(29),
    ],
    ids=["parentheses", "not", "and-or", "e164", "and", "set", "nested", "subs"],
)
def test_what_is_deep_or_wide_is_read_by_every_command(tmp_path, text):
    read(tmp_path, text)


def test_a_wide_condition_is_told_by_a_few_of_its_parts(tmp_path):
    event = read(tmp_path, rule(WIDE))
    assert len(event.tried[0].parts) == 5000


@pytest.mark.parametrize(
    "text",
    [
        rule("not (" * 200 + "anonymous" + ")" * 200),
        rule(alternating(200)),
        rule("e164(" * 200 + "dialed" + ")" * 200 + ' == "+1"'),
        nested(200),
        "on call { " + "when anonymous { " * 5000 + "reject 404" + " }" * 5000 + " }",
        "on call { " + "dial alice { busy -> " * 200 + "reject 404" + " }" * 200 + " }",
    ],
    ids=["not", "and-or", "e164", "nested", "never-mind-how", "outcomes"],
)
def test_what_is_nested_too_deeply_is_refused_at_its_place(tmp_path, text):
    found = refused(tmp_path, text)
    assert [message for _, message in found] == ["this is nested too deeply"]
    with pytest.raises(PolicyError, match="nested too deeply"):
        formatted(HEAD + text, "large.route")


@pytest.mark.parametrize(("subs", "depth"), [(30, 61), (1000, 2001)])
def test_subs_that_do_each_other_too_deeply_are_refused(tmp_path, subs, depth):
    assert refused(tmp_path, chain(subs)) == [(6, f"rules and subs stand {depth} deep in each other from here on")]


def test_subs_that_go_round_are_told_however_many_they_are(tmp_path):
    ((line, message),) = refused(tmp_path, chain(1000, "do s0()"))
    assert line == 1007
    assert message == "this goes round: `s0` to `s1` to `s2` to `s3` to `s4` to `s5` to `s6` to `s7` to ... to `s0`"


def test_a_sub_that_is_done_twice_is_as_deep_as_once(tmp_path):
    doing = 'when dialed == "77" -> do s1() when dialed == "78" -> do s1() otherwise -> do s1()'
    read(tmp_path, chain(29).replace("otherwise -> do s1()", doing, 1))
    subs = chain(30).replace("otherwise -> do s1()", doing, 1)
    assert refused(tmp_path, subs) == [(6, "rules and subs stand 61 deep in each other from here on")]


def test_of_subs_that_go_round_all_else_is_told_too(tmp_path):
    found = refused(
        tmp_path, chain(2, "when callee == alice -> do s0() when callee == alice -> reject 403 otherwise -> reject 404")
    )
    assert [message for _, message in found] == [
        "this goes round: `s0` to `s1` to `s2` to `s0`",
        "this rule can never match",
    ]


def test_a_condition_with_very_many_ways_to_hold_may_hold(tmp_path):
    ways = " and ".join(
        f'(header "X-{number}" == "1" or header "Y-{number}" == "1")' for number in range(_MOST_SPLITS + 50)
    )
    read(tmp_path, rule(ways))


def test_more_rules_than_the_proofs_enter_blocks_of_subs(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "MOST_BLOCKS", 5)
    monkeypatch.setattr("dsl.check.proofs.MOST_BLOCKS", 5)
    monkeypatch.setattr("dsl.check.paths._MOST_BLOCKS", 5)
    rules = "".join(f'when dialed == "{number}" -> reject 403\n' for number in range(20))
    read(tmp_path, f"on call {{ {rules} otherwise -> reject 404 }}\n")
    assert refused(tmp_path, chain(5)) == [(7, "there are too many ways through the subs to check them all")]


def test_files_that_include_each_other_too_deeply_are_refused(tmp_path):
    for number in range(600):
        (tmp_path / f"at{number}.route").write_text(f'include "at{number + 1}.route"\n')
    (tmp_path / "at600.route").write_text("")
    found = refused(tmp_path, f'include "at0.route"\n{rule("anonymous")}')
    assert found == [(1, "20 files include each other one after the other down to here")]
