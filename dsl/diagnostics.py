"""What is wrong with a policy, told to the person who wrote it.

Owns the form: place, message, the line, a caret, advice; and the nearest known name. Messages are lower case
without a full stop, with the writer's own words in backticks. What is wrong is found by `parser`, `resolve`
and `check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from dsl.tree import Script, Span

Severity: TypeAlias = Literal["error", "warning", "notice"]
"""An error refuses the policy. A warning is probably a mistake; a notice is what a reviewer should have seen."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is to be told, at `length` characters from `line`:`column` on.

    `text` is the line itself; `advice` what to write instead, if that is known; `related` another place that
    matters, as `line:column`, of another file `file:line:column`.
    """

    file: str
    line: int
    column: int
    length: int
    message: str
    text: str = ""
    advice: str | None = None
    related: str | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        """`file:line:col: severity: message`, the line without its indent, and a caret line with the advice."""
        head = f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"
        if not self.text.strip():
            return head if self.advice is None else f"{head}\n  {self.advice}"
        shown = self.text.lstrip()
        start = max(0, self.column - 1 - (len(self.text) - len(shown)))
        caret = "^" * max(1, min(self.length, len(shown) - start))
        advice = "" if self.advice is None else f" {self.advice}"
        return f"{head}\n  {shown.replace(chr(9), ' ').rstrip()}\n  {' ' * start}{caret}{advice}"


class PolicyError(Exception):
    """A policy that cannot be used; `problems` holds all that is wrong, in the order of the file, and `remarks`
    the warnings and notices.
    """

    def __init__(self, problems: Iterable[Problem], remarks: Iterable[Problem] = ()) -> None:
        self.problems = in_order(problems)
        self.remarks = in_order(remarks)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, in the order of the files."""
    return sorted(set(problems), key=lambda problem: (problem.file, problem.line, problem.column))


def first_of(problems: list[Problem], most: int) -> list[Problem]:
    """The first problems of a file, and how many more there are where that is more than so many."""
    left_out = problems[most:]
    if not left_out:
        return problems
    more = Problem(left_out[0].file, left_out[0].line, 1, 1, f"and {len(left_out)} more like it")
    return [*problems[:most], more]


class Source:
    """The text of a script, from which problems take their lines."""

    def __init__(self, text: str, included: Mapping[str, str] | None = None) -> None:
        self._lines = text.split("\n")
        self._included = included or {}

    @classmethod
    def of(cls, script: Script) -> Source:
        """The text of a script and of all that it includes."""
        return cls(script.source, {item.file: item.source for item in script.included})

    def problem(self, span: Span, message: str, advice: str | None = None, related: Span | None = None) -> Problem:
        """A problem at this place."""
        lines = self._included[span.file].split("\n") if span.file in self._included else self._lines
        text = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
        end = span.end_column if span.end_line == span.line else len(text.rstrip()) + 1
        elsewhere = None if related is None else f"{related.line}:{related.column}"
        if related is not None and related.file != span.file:
            elsewhere = f"{related.file}:{elsewhere}"
        length = max(1, end - span.column)
        return Problem(span.file, span.line, span.column, length, message, text, advice, elsewhere)


def line_of(span: Span, seen_from: Span) -> str:
    """Where something is, in words for a reader who is at another place: `line 3`, in another file its name too."""
    line = f"line {span.line}"
    return line if span.file == seen_from.file else f"{line} of `{span.file}`"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: one slip away, or two in a longer word."""
    best: tuple[int, str] | None = None
    for candidate in known:
        allowed = 1 if len(word) < 5 else 2
        if candidate == word or abs(len(candidate) - len(word)) > allowed:
            continue
        distance = _distance(word.lower(), candidate.lower())
        if distance <= allowed and distance < len(candidate) and (best is None or (distance, candidate) < best):
            best = (distance, candidate)
    return None if best is None else best[1]


def _distance(first: str, second: str) -> int:
    """Slips between two words: a letter missing, added, changed, or two neighbours swapped."""
    earlier: list[int] = []
    previous = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            cost = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (letter != other))
            swapped = row > 1 and column > 1 and letter == second[column - 2] and first[row - 2] == other
            current.append(min(cost, earlier[column - 2] + 1) if swapped else cost)
        earlier, previous = previous, current
    return previous[-1]


def joined(items: Iterable[str], last: str = "or") -> str:
    """Some words for a sentence: a, b or c."""
    *others, final = items
    return f"{', '.join(others)} {last} {final}" if others else final


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """The advice to write the nearest known word, if there is one."""
    meant = nearest(word, known)
    return None if meant is None else f"did you mean `{meant}`?"
