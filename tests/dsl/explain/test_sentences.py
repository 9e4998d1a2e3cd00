"""A sentence that stands by itself is told of as a script is: its place in the sentence, and what to write instead."""

import pytest

from dsl.diagnostics import PolicyError
from dsl.sentences import Sentence, read_sentences
from tests.dsl.back.office import office


def wrong(folder, *texts):
    with pytest.raises(PolicyError) as refused:
        read_sentences(office(folder), [Sentence(text, f"sentence {number}") for number, text in enumerate(texts, 1)])
    return [(problem.file, problem.line, problem.column, problem.message) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("call form alice to bob", 6, "unknown word `form`"),
        ("call from alise to bob", 11, "there is no user `alise`"),
        ("call from alice", 16, "something is missing after `alice`"),
        ("call from alice to bob }", 25, "this `}` closes nothing"),
        ('call from alice to "x', 20, "this text is not closed"),
        ("call from alice to bob contacts 3", 24, "a call has no such thing"),
        ("given alice is bussy", 16, "`bussy` cannot be given"),
        ("hold by alice", 1, "there is no call here"),
        ("given alice is busy", 1, "nothing happens here"),
        ("call from alice to bob call from bob to alice", 1, "this is more than one sentence"),
        ('call from alice to bob } test "x" {', 1, "this is more than one sentence"),
        ("", 1, "this says nothing"),
        ("# nothing", 1, "this says nothing"),
    ],
)
def test_what_is_wrong_has_its_place_in_the_sentence(tmp_path, text, column, message):
    assert wrong(tmp_path, text) == [("sentence 1", 1, column, message)]


def test_what_is_shown_is_the_sentence_with_a_caret(tmp_path):
    with pytest.raises(PolicyError) as refused:
        read_sentences(office(tmp_path), [Sentence("call from alice\n  to bop", "standard input", 7)])
    assert str(refused.value).splitlines() == [
        "standard input:7:22: error: there is no user `bop`",
        "  call from alice   to bop",
        "                       ^^^ did you mean `bob`?",
    ]


def test_all_sentences_are_told_of_at_once_each_by_its_own_number(tmp_path):
    texts = ("call from alise to bob", "given over tol", "given pstn is upp")
    assert [(file, column) for file, _, column, _ in wrong(tmp_path, *texts)] == [
        ("sentence 1", 11),
        ("sentence 2", 12),
        ("sentence 3", 15),
    ]


def test_an_expectation_belongs_into_a_test(tmp_path):
    found = wrong(tmp_path, "call from alice to bob", "expect dial bob", "expect response 181")
    assert [(file, message) for file, _, _, message in found] == [
        ("sentence 2", "nothing is expected here"),
        ("sentence 3", "nothing is expected here"),
    ]


def test_a_number_needs_no_quotes(tmp_path):
    (said,) = read_sentences(office(tmp_path), [Sentence("call from alice to 0301234", "sentence 1")])
    assert said.step.dialed.value == "0301234"
