"""From the text of a `.route` file to its tree, or to all of its syntax errors at once.

Owns the way through a damaged file: a statement that cannot be read is reported, blanked out, and the file is read
again, so that what is left of it can be had too. What an error is called is in `syntax`, where a statement begins and
ends in `recovery`.
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
    script, problems = parse_readable(text, file, included)
    if problems:
        raise PolicyError(problems)
    return script


def parse_readable(text: str, file: str, included: str = "") -> tuple[tree.Script, list[Problem]]:
    """The same, but of a damaged file what can be read of it, and what is wrong: statements that cannot be read are
    left out, and all others stand where they are.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    problems: list[Problem] = []
    declarations: list[tree.Declaration] = []
    try:
        declarations = Reading(text, file, included, node).run()
    except UnreadableError:
        problems, readable = _problems(text, file)
        declarations = _declarations(readable, file, included)
    except TooDeepError as error:
        problems.append(_too_deep(text, error))
    return script(declarations, file, text, included), problems


def _too_deep(text: str, error: TooDeepError) -> Problem:
    return Source(text).problem(error.span, "this is nested too deeply", "let a sub do the inner part")


def _declarations(readable: str, file: str, included: str) -> list[tree.Declaration]:
    """What stands in a text that was damaged; nothing where it is so still."""
    try:
        return Reading(readable, file, included, node).run()
    except (UnreadableError, TooDeepError):
        return []


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


def _problems(text: str, file: str) -> tuple[list[Problem], str]:
    """All syntax errors, and the text without what cannot be read."""
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
