"""Numbers that a policy declares together: `numbers vips = "+4930123", 200 to 299`, `numbers bad from "bad.txt"`.

Owns whether a number is among them, ranges of digits as patterns, and the file's shape: one number, pattern or range a
line. A number is one of the set as it was written or in the form under which tables are looked up, so `030 123` is in a
set that has `+4930123`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from dsl.diagnostics import Problem, first_of
from dsl.encoding import file_text
from dsl.numbers import NumberPlan, without_separators
from dsl.patterns import Pattern, PatternError, PatternSet, parse_pattern

_MOST_PROBLEMS = 20
_NUMBER = re.compile(r"\+?[0-9*#]+").fullmatch
_RANGE_END = re.compile(r"\+?[0-9]+").fullmatch


class RangeError(ValueError):
    """What is wrong with a range of digits, and what to write instead."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


def is_number(text: str) -> bool:
    """Whether this can be dialled as a number: digits, `+`, `*`, `#`, with separators or without."""
    return _NUMBER(without_separators(text)) is not None


def check_range(low: str, high: str) -> None:
    """See that two texts bound a range of digits: of the same length, the lower first. Raises RangeError."""
    for end in (low, high):
        if not _RANGE_END(end):
            raise RangeError(f"`{end}` is no number that a range can begin or end with", "write digits")
    if len(low) != len(high) or low.startswith("+") != high.startswith("+"):
        raise RangeError(f"`{low}` and `{high}` are of different length", "write a range for each length")
    if low > high:
        raise RangeError("this range goes backwards", f"write `{high} to {low}`")
    if low == high:
        raise RangeError("this range is a single number", f"write `{low}` alone")


def digits_between(low: str, high: str) -> tuple[Pattern, ...]:
    """The patterns that together match every text of digits from `low` to `high`, which `check_range` accepts."""
    plus = "+" if low.startswith("+") else ""
    return tuple(parse_pattern(plus + form) for form in _forms(low.removeprefix("+"), high.removeprefix("+")))


def _forms(low: str, high: str) -> list[str]:
    rest = len(low) - 1
    if low.strip("0") == "" and high.strip("9") == "":
        return [f"X({len(low)})"]
    if rest == 0:
        return [f"[{low}-{high}]"]
    if low[0] == high[0]:
        return [low[0] + form for form in _forms(low[1:], high[1:])]
    first, last = int(low[0]), int(high[0])
    before: list[str] = []
    after: list[str] = []
    if low[1:].strip("0"):
        before = [low[0] + form for form in _forms(low[1:], "9" * rest)]
        first += 1
    if high[1:].strip("9"):
        after = [high[0] + form for form in _forms("0" * rest, high[1:])]
        last -= 1
    whole = [f"[{first}-{last}]X({rest})"] if first <= last else []
    return before + whole + after


class NumberSet:
    """Numbers, and forms of numbers. `keys` are the numbers as they are looked up."""

    def __init__(self, plan: NumberPlan, numbers: Iterable[str], patterns: Iterable[Pattern]) -> None:
        self.keys = frozenset(plan.key(number) for number in numbers)
        self.patterns = tuple(patterns)
        self._key = plan.key
        self._match = PatternSet(self.patterns).match if self.patterns else None

    def has(self, text: str) -> bool:
        """Whether this number is one of them."""
        key = self._key(text)
        if key in self.keys:
            return True
        match = self._match
        return match is not None and (match(text) != () or (key != text and match(key) != ()))


def load_numbers(path: Path, plan: NumberPlan, problems: list[Problem]) -> NumberSet:
    """Read a file of numbers; what follows a `#` at the beginning of a line or after a blank is for its readers.

    What is wrong is added to `problems` with its line, at most twenty of a file. Raises OSError.
    """
    text = file_text(path, problems)
    if text is None:
        return NumberSet(plan, (), ())
    reader = _Reader(path)
    for number, line in enumerate(text.splitlines(), 1):
        reader.line(number, line)
    problems += first_of(reader.problems, _MOST_PROBLEMS)
    return NumberSet(plan, reader.numbers, reader.patterns)


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.numbers: list[str] = []
        self.patterns: list[Pattern] = []
        self.problems: list[Problem] = []

    def line(self, number: int, line: str) -> None:
        written = line.strip() if "#" not in line else line.partition(" #")[0].strip()
        if not written or line.startswith("#"):
            return
        if _NUMBER(written):
            self.numbers.append(written)
            return
        column = line.index(written) + 1
        try:
            self._other(written)
        except RangeError as error:
            self._wrong(number, column, line, written, error.message, error.advice)
        except PatternError as error:
            at = column + 1 + error.offset
            self._wrong(number, at, line, " ", error.message, error.advice)

    def _other(self, written: str) -> None:
        """A pattern in backticks, a range, or a number with separators. Raises RangeError and PatternError."""
        low, to, high = (without_separators(part.strip()) for part in written.partition(" to "))
        if written.startswith("`") and written.endswith("`") and len(written) > 1:
            self.patterns.append(parse_pattern(written[1:-1]))
        elif to:
            check_range(low, high)
            self.patterns += digits_between(low, high)
        elif is_number(written):
            self.numbers.append(written)
        else:
            raise RangeError(f"`{written}` is no number", "write `+4930123`, `200 to 299` or a pattern in backticks")

    def _wrong(self, line: int, column: int, text: str, part: str, message: str, advice: str | None) -> None:
        self.problems.append(Problem(str(self.path), line, column, len(part), message, text, advice))
