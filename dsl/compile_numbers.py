"""What a script writes out as numbers and ranges: their values, and `numbers NAME = ...` as a set.

Owns literals as numbers to dial (`200` and `"200"` are the same digits) or as amounts (seconds, statuses, how many).
Which of the two a literal is, its place decides.
"""

from __future__ import annotations

from typing import TypeAlias

from dsl import tree
from dsl.diagnostics import Problem, Source
from dsl.number_sets import NumberSet, RangeError, check_range, digits_between, is_number
from dsl.numbers import NumberPlan
from dsl.patterns import Pattern, PatternError, parse_pattern

Written: TypeAlias = tree.Text | tree.Integer | tree.Duration


def amount(literal: Written) -> float | None:
    """A whole number, or a time in seconds; None for a text."""
    match literal:
        case tree.Integer(value=value):
            return value
        case tree.Duration(seconds=seconds):
            return seconds
        case _:
            return None


def written(literal: Written) -> str:
    """The literal's own characters."""
    return literal.value if isinstance(literal, tree.Text) else literal.text


def declared_numbers(declared: tree.Numbers, plan: NumberPlan, source: Source, problems: list[Problem]) -> NumberSet:
    """The set of what is written out in a declaration; what is wrong with it is added to `problems`."""
    numbers: list[str] = []
    patterns: list[Pattern] = []
    for item in declared.items:
        try:
            match item:
                case tree.Pattern(text=text):
                    patterns.append(parse_pattern(text))
                case tree.Range(low=low, high=high):
                    check_range(written(low), written(high))
                    patterns += digits_between(written(low), written(high))
                case tree.Text() | tree.Integer() if is_number(written(item)):
                    numbers.append(written(item))
                case _:
                    message = f"`{written(item)}` is no number"
                    problems.append(source.problem(item.span, message, 'one is written `"+4930123"`'))
        except RangeError as error:
            problems.append(source.problem(item.span, error.message, error.advice))
        except PatternError as error:
            place = item.span.on_line(item.span.column + 1 + error.offset, 1)
            problems.append(source.problem(place, error.message, error.advice))
    return NumberSet(plan, numbers, patterns)
