from __future__ import annotations

import pytest

from dsl.diagnostics import PolicyError, Problem, Source, joined, nearest
from dsl.parser import parse
from dsl.tree import Span


def test_a_problem_is_told_with_its_line_a_caret_and_advice() -> None:
    line = "          otherwise -> dial e164(dialed) via pstn for 60s"
    problem = Problem(
        "bad.route",
        37,
        29,
        21,
        "anyone can choose `dialed` and be connected through trunk `pstn`",
        line,
        "require `authenticated` or `source in <a net of ours>` on this path",
    )
    assert str(problem) == (
        "bad.route:37:29: error: anyone can choose `dialed` and be connected through trunk `pstn`\n"
        "  otherwise -> dial e164(dialed) via pstn for 60s\n"
        "                    ^^^^^^^^^^^^^^^^^^^^^ require `authenticated` or `source in <a net of ours>` on this path"
    )


def test_without_advice_the_caret_stands_alone_and_without_a_line_there_is_no_caret() -> None:
    assert str(Problem("a", 1, 3, 1, "wrong", "  x")) == "a:1:3: error: wrong\n  x\n  ^"
    assert str(Problem("a", 1, 1, 1, "wrong")) == "a:1:1: error: wrong"
    assert str(Problem("a", 1, 1, 1, "wrong", advice="mend it")) == "a:1:1: error: wrong\n  mend it"


def test_a_tab_is_shown_as_one_column() -> None:
    assert str(Problem("a", 1, 4, 1, "wrong", "\tx\ty")) == "a:1:4: error: wrong\n  x y\n    ^"


def test_the_caret_never_runs_past_its_line() -> None:
    source = Source("abc\ndef")
    assert str(source.problem(Span("a", 1, 2, 2, 3), "wrong")).splitlines()[2] == "   ^^"


def test_problems_are_told_in_the_order_of_the_file_and_each_once() -> None:
    one, two = Problem("a", 1, 1, 1, "x"), Problem("a", 2, 1, 1, "x")
    assert PolicyError([two, one, two]).problems == [one, two]


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("wehn", ["when", "then"], "when"),
        ("dialled", ["dialed", "caller"], "dialed"),
        ("registerd", ["registered"], "registered"),
        ("Bob", ["bob"], "bob"),
        ("x", ["y"], None),
        ("office", ["desk"], None),
        ("bob", ["bob"], None),
        ("", ["a"], None),
    ],
)
def test_the_nearest_word_is_one_slip_away_or_two_in_a_longer_word(
    word: str, known: list[str], meant: str | None
) -> None:
    assert nearest(word, known) == meant


def test_words_are_listed_as_in_a_sentence() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b or c"
    assert joined(["a", "b"], "and") == "a and b"


def test_the_whole_of_a_syntax_error_as_an_operator_reads_it() -> None:
    with pytest.raises(PolicyError) as caught:
        parse('policy "x"\non call {\n  wehn authenticated -> challenge\n}\n', "my.route")
    assert str(caught.value) == (
        "my.route:3:3: error: unknown word `wehn`\n  wehn authenticated -> challenge\n  ^^^^ did you mean `when`?"
    )
