"""From the text of a `.route` file to its tree, or to all of its syntax errors at once.

Owns what is made of a file, whole or damaged. The way through a damaged one is `damaged`'s, which is imported when one
is met: `check` runs at each save, and most files are whole.
"""

from __future__ import annotations

from dsl import tree
from dsl.build import node, script
from dsl.diagnostics import PolicyError, Problem, Source
from dsl.reading import Reading, TooDeepError, UnreadableError


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
        from dsl.damaged import problems_of

        problems, readable = problems_of(text, file)
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
