"""From the text of a `.route` file to its tree, or to all of its syntax errors at once.

Owns the way through a damaged file: a statement that cannot be read is reported, blanked out, and the file is
read again. What an error is called is in `syntax`, where a statement begins and ends in `recovery`.
"""

from __future__ import annotations

from typing import Any

from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from dsl import tree
from dsl.build import TooDeepError, build
from dsl.diagnostics import PolicyError, Problem, Source
from dsl.language import language
from dsl.recovery import begins_statement, blanked, line_start
from dsl.syntax import Mistake, describe

_MOST_PROBLEMS = 50


def parse(text: str, file: str, included: str = "") -> tree.Script:
    """Read one file; problems call it `file`, and places `included` unless it is the main one.

    Raises PolicyError with all syntax errors.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return build(language().parse(text), file, text, included)
    except UnexpectedInput:
        raise PolicyError(_problems(text, file)) from None
    except TooDeepError as error:
        problem = Source(text).problem(error.span, "this is nested too deeply", "let a sub do the inner part")
        raise PolicyError([problem]) from None


def _problems(text: str, file: str) -> list[Problem]:
    problems: list[Problem] = []
    remaining = text
    while len(problems) < _MOST_PROBLEMS:
        mistake = _first_mistake(remaining)
        if mistake is None:
            break
        told = describe(mistake, text, file)
        problems.append(told.problem)
        start, end = told.unreadable
        if not remaining[start:end].strip():
            break
        remaining = blanked(remaining, start, end)
    return problems


def _first_mistake(text: str) -> Mistake | None:
    """Read up to what cannot stand there, and say what could."""
    reading: Any = language().parse_interactive(text)
    history: list[tuple[Token, list[Any]]] = []
    before = list(reading.parser_state.state_stack)
    try:
        for token in reading.lexer_thread.lex(reading.parser_state):
            reading.feed_token(token)
            history.append((token, before))
            before = list(reading.parser_state.state_stack)
        reading.feed_eof(history[-1][0] if history else None)
    except UnexpectedInput as unexpected:
        at = unexpected.pos_in_stream
        ended = isinstance(unexpected, UnexpectedToken) and unexpected.token.type == "$END"
        if ended or at is None:
            at = len(text)
        line = line_start(text, at)
        begun = [number for number, (token, _) in enumerate(history) if (token.start_pos or 0) >= line]
        if begun and _began_a_statement(text, history[begun[0]][0]):
            token, before = history[begun[0]]
            at = token.start_pos or 0
            del history[begun[0] :]
        last = history[-1][0] if history else None
        reading.parser_state.state_stack[:] = before
        return Mistake(
            text=text,
            at=at,
            after=0 if last is None or last.end_pos is None else last.end_pos,
            last="" if last is None else last.type,
            expected=frozenset(reading.accepts()),
        )
    return None


def _began_a_statement(text: str, token: Token) -> bool:
    """Whether a word was read as a name, but stands where a statement or declaration begins with it."""
    return token.type in ("NAME", "HOST") and begins_statement(text, token.start_pos or 0)
