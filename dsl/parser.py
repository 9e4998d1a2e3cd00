"""From the text of a `.route` file to its tree, or to all of its syntax errors at once.

Owns the grammar's loading and the way through a damaged file: a statement that cannot be read is reported, blanked out,
and the file is read again. What an error is called is in `syntax`, where a statement begins and ends in `recovery`.
"""

from __future__ import annotations

import functools
from pathlib import Path

from lark import Lark, Token
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.lexer import PatternStr

from dsl import tree
from dsl.build import build
from dsl.diagnostics import PolicyError, Problem
from dsl.recovery import blanked
from dsl.syntax import Mistake, describe

GRAMMAR = Path(__file__).with_name("grammar.lark")

_MOST_PROBLEMS = 20


@functools.cache
def _lark() -> Lark:
    return Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        propagate_positions=True,
        maybe_placeholders=True,
    )


def parse(text: str, file: str) -> tree.Script:
    """Read a script; `file` is the name under which problems are told. Raises PolicyError with all syntax errors."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return build(_lark().parse(text), file, text)
    except UnexpectedInput:
        raise PolicyError(_problems(text, file)) from None


def _problems(text: str, file: str) -> list[Problem]:
    problems: list[Problem] = []
    remaining = text
    while len(problems) < _MOST_PROBLEMS:
        mistake = _first_mistake(remaining)
        if mistake is None:
            break
        told = describe(mistake, text, file, keywords())
        problems.append(told.problem)
        start, end = told.unreadable
        if not remaining[start:end].strip():
            break
        remaining = blanked(remaining, start, end)
    return problems


def _first_mistake(text: str) -> Mistake | None:
    """Read up to what cannot stand there, and say what could."""
    reading = _lark().parse_interactive(text)
    before = reading.copy(deepcopy_values=False)
    last: Token | None = None
    try:
        for token in reading.lexer_thread.lex(reading.parser_state):
            before = reading.copy(deepcopy_values=False)
            reading.feed_token(token)
            last = token
        before = reading.copy(deepcopy_values=False)
        reading.feed_eof(last)
    except UnexpectedInput as unexpected:
        at = unexpected.pos_in_stream
        ended = isinstance(unexpected, UnexpectedToken) and unexpected.token.type == "$END"
        return Mistake(
            text=text,
            at=len(text) if ended or at is None else at,
            after=0 if last is None or last.end_pos is None else last.end_pos,
            last="" if last is None else last.type,
            expected=frozenset(before.accepts()),
        )
    return None


@functools.cache
def keywords() -> dict[str, str]:
    """Every fixed word and sign of the language, by the name of its terminal."""
    return {
        terminal.name: terminal.pattern.value
        for terminal in _lark().terminals
        if isinstance(terminal.pattern, PatternStr)
    }
