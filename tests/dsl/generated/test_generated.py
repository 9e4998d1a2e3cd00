"""The generator makes what the language has: every rule and word of the grammar, in policies that hold together."""

from random import Random

import pytest

from dsl.language import tables
from dsl.policy import load
from dsl.reading import Reading

from . import policy
from .policies import problems


def rules_of_the_grammar():
    """Every rule that leaves a node in a parse tree, by the name that the node has."""
    return {rule.node for rule in tables().rules if not rule.single} - {"", "start"}


def read(text):
    """The rules of the grammar that a text uses, and its terminals."""
    rules, words = set(), set()
    reading = Reading(text, make=lambda name, span, children: rules.add(name))
    while (piece := reading.next()) is not None:
        words.add(piece.terminal)
        reading.take(piece)
    reading.finish()
    return rules, words


def test_every_rule_and_word_of_the_grammar_is_made(tmp_path):
    rules, words = set(), set()
    for seed in range(60):
        generated = policy(seed, tmp_path, tests=True, size=4)
        for text in (generated.text, generated.files.get("more.route", b"").decode()):
            more_rules, more_words = read(text)
            rules |= more_rules
            words |= more_words
    assert rules_of_the_grammar() - rules == set()
    terminals = tables().words.keys() | tables().forms.keys()
    assert terminals - words - set(tables().ignored) == set()


@pytest.mark.parametrize("seed", range(25))
def test_whatever_is_made_has_sound_names_and_types(tmp_path, seed):
    generated = policy(seed, tmp_path, tests=True)
    proofs = (
        *("never", "authenticated already", "goes round", "too many ways", "overrules nothing"),
        *("anyone can", "whoever calls", "emergency call"),
    )
    refused = problems(generated, tmp_path)
    assert [str(problem) for problem in refused if not any(proof in problem.message for proof in proofs)] == []


@pytest.mark.parametrize("seed", range(12))
def test_what_is_to_be_accepted_is(tmp_path, seed):
    generated = policy(seed, tmp_path, accepted=True, tests=True, comments=True)
    load(tmp_path / "generated.route")
    assert "#" in generated.text


def test_a_seed_gives_the_same_policy_and_the_same_facts(tmp_path):
    one, other = (policy(7, tmp_path, accepted=True) for _ in range(2))
    assert (one.text, one.files) == (other.text, other.files)
    assert policy(8, tmp_path, accepted=True).text != one.text
    assert one.facts("call", Random(3)) == other.facts("call", Random(3))


def test_rules_hold_and_do_not_hold(tmp_path):
    """Of what is made, most rules are tried, and many match: what never happens shows nothing."""
    fired, decisions = set(), set()
    for seed in range(30):
        generated = policy(seed, tmp_path, size=10)
        made = generated.compiled(tmp_path)
        random = Random(seed)
        for _ in range(20):
            decision = made.decide("call", generated.facts("call", random))
            fired.update((seed, place) for place in decision.rules)
            decisions.add(type(decision.action).__name__)
    assert len(fired) > 90
    assert {"Challenge", "Reject", "Redirect", "Dial", "Answer"} <= decisions
