"""The way through a file that cannot be read as it is.

A statement that cannot be read is reported, blanked out, and the file is read again, so that what is left of it can be
had too. What an error is called is in `syntax`, where a statement begins and ends in `recovery`.
"""

from __future__ import annotations

from dsl.build import node
from dsl.diagnostics import Problem
from dsl.reading import Piece, Reading, TooDeepError, UnreadableError
from dsl.recovery import begins_statement, blanked, line_start
from dsl.syntax import Mistake, describe

_MOST_PROBLEMS = 50


def problems_of(text: str, file: str) -> tuple[list[Problem], str]:
    """All syntax errors of a text that cannot be read as it is, and the text without what is wrong."""
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
    return problems, remaining


def read_beginning(text: str) -> Reading | None:
    """Read a script up to where somebody is writing; None where what they are writing cannot be read so far.

    What is damaged further up is left out.
    """
    remaining = text
    for _ in range(_MOST_PROBLEMS):
        reading = Reading(remaining, make=node)
        try:
            while (piece := reading.next()) is not None:
                reading.take(piece)
        except TooDeepError:
            return None
        except UnreadableError:
            mistake = _first_mistake(remaining)
            assert mistake is not None
            start, end = describe(mistake, text, "").unreadable
            if not remaining[end:].strip() or not remaining[start:end].strip():
                return None
            remaining = blanked(remaining, start, end)
        else:
            return reading
    return None


def _first_mistake(text: str) -> Mistake | None:
    """What cannot stand where it stands, first of all, and what could."""
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
