from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dsl.front.golden import expected, found, problems_of

ERRORS = sorted(Path(__file__).with_name("errors").glob("*.route"))

_NOT_OUR_WORDS = re.compile(r"\b(token|lark|python|terminal|none|str|int|expected one of|grammar|parser?)\b|_[A-Z]")


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_each_mistake_is_told_where_it_stands_and_nothing_else_is(path: Path) -> None:
    assert found(path) == expected(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_what_is_said_is_in_the_operators_words(path: Path) -> None:
    problems, warnings = problems_of(path)
    for problem in [*problems, *warnings]:
        for sentence in filter(None, (problem.message, problem.advice)):
            own = re.sub(r"`[^`]*`", "", sentence)
            assert not own.endswith("."), sentence
            assert own == own.lower() or "SIP" in own or "UTF-8" in own, sentence
            assert not _NOT_OUR_WORDS.search(own), sentence


def test_there_is_a_golden_file_for_each_kind_of_mistake() -> None:
    assert len(ERRORS) >= 25
