"""A file with any damage is either sound or told of: nothing else ever comes out of reading it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.check import check
from dsl.compile_files import load_setup
from dsl.diagnostics import PolicyError, Problem
from dsl.parser import parse
from tests.dsl.work import calls

OFFICE = Path(__file__).parents[3] / "examples" / "office" / "office.route"
TEXT = OFFICE.read_text(encoding="utf-8")

PIECES = [
    "{",
    "}",
    '"',
    "`",
    "#",
    "->",
    "when ",
    "otherwise ",
    "not ",
    "alice",
    "20",
    "20s",
    "(",
    ")",
    ",",
    "\n",
    "é",
    "=",
]


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = TEXT
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        removed = draw(st.integers(0, 12))
        text = text[:at] + draw(st.sampled_from(["", *PIECES])) + text[at + removed :]
    return text


@settings(max_examples=40, deadline=None)
@given(damaged())
def test_whatever_is_wrong_is_told_of_at_a_place_in_the_file(text: str) -> None:
    problems: list[Problem] = []
    try:
        script = parse(text, "damaged.route")
        setup = load_setup(script, OFFICE, problems).setup
        problems += check(script, setup).problems
    except PolicyError as error:
        problems += error.problems
        assert problems
    lines = text.split("\n")
    for problem in problems:
        if problem.file == "damaged.route":
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


@pytest.mark.parametrize(
    "text",
    [
        f"on call {{ when {'not ' * 2_000}anonymous -> reject 404 otherwise -> reject 404 }}",
        f"on call {{ when {'(rang or ' * 2_000}rang{')' * 2_000} -> reject 404 otherwise -> reject 404 }}",
        f"on call {{ {'when rang { ' * 2_000} reject 404 {'}' * 2_000} }}",
        f"on call {{ dial {'e164(' * 2_000}dialed{')' * 2_000} via pstn }}",
        f"on call {{ {'dial bob { busy -> ' * 2_000} reject 404 {'}' * 2_000} }}",
    ],
    ids=["not", "or", "blocks", "values", "dials"],
)
def test_what_is_nested_without_end_is_told_of_like_anything_else(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(text, "deep.route")
    assert [problem.message for problem in caught.value.problems] == ["this is nested too deeply"]


def test_twice_as_many_rules_are_about_twice_as_much_to_check(tmp_path: Path) -> None:
    def work(count: int) -> int:
        rules = "\n".join(f'  when dialed == "{number}" -> reject 404' for number in range(count))
        script = parse(
            f'policy "x"\ndomain a.example\non register {{ otherwise -> reject 403 }}\n'
            f"on call {{\n{rules}\n  otherwise -> reject 404\n}}\n",
            "many.route",
        )
        setup = load_setup(script, tmp_path / "many.route", []).setup
        problems: list[object] = []
        done = calls(lambda: problems.extend(check(script, setup).problems))
        assert problems == []
        return done

    assert work(2_000) < 2.2 * work(1_000)


def test_a_number_of_ten_thousand_digits_is_no_number() -> None:
    with pytest.raises(PolicyError):
        parse(f"on call {{ reject {'4' * 10_000} }}", "long.route")
