"""From the text of a `.route` file to its tree, or to all of its syntax errors at once.

Owns the way through a damaged file: a statement that cannot be read is reported, blanked out, and the file is
read again. What an error is called is in `syntax`, where a statement begins and ends in `recovery`.
"""

from __future__ import annotations

from dsl import tree
from dsl.build import node, script
from dsl.diagnostics import PolicyError, Problem, Source
from dsl.reading import Piece, Reading, TooDeepError, UnreadableError
from dsl.recovery import begins_statement, blanked, line_start
from dsl.syntax import Mistake, describe

_MOST_PROBLEMS = 50


def parse(text: str, file: str, included: str = "") -> tree.Script:
    """Read one file; problems call it `file`, and places `included` unless it is the main one.

    Raises PolicyError with all syntax errors.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        return script(Reading(text, file, included, node).run(), file, text, included)
    except UnreadableError:
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
    reading = Reading(text)
    history: list[tuple[Piece, list[int]]] = []
    before = list(reading.states)
    try:
        while (piece := reading.next()) is not None:
            reading.take(piece)
            history.append((piece, before))
            before = list(reading.states)
        reading.finish()
    except UnreadableError as unreadable:
        at = unreadable.at
        line = line_start(text, at)
        begun = [number for number, (piece, _) in enumerate(history) if piece.start >= line]
        if begun and _began_a_statement(text, history[begun[0]][0]):
            piece, before = history[begun[0]]
            at = piece.start
            del history[begun[0] :]
        last = history[-1][0] if history else Piece("", 0, 0)
        return Mistake(
            text=text,
            at=at,
            after=last.end,
            last=last.terminal,
            expected=reading.acceptable(before),
        )
    return None


def _began_a_statement(text: str, piece: Piece) -> bool:
    """Whether a word was read as a name, but stands where a statement or declaration begins with it."""
    return piece.terminal in ("NAME", "HOST") and begins_statement(text, piece.start)
