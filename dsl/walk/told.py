"""The rules of a walk for eyes: a line each, and one line for many that fail alike.

Owns the form. Why a rule did not match is `conditions`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsl.walk.trace import Tried

_FEWEST_FOLDED = 3
_MOST_LINES = 30
_WIDEST_RULE = 60


def told_rules(tried: Sequence[Tried]) -> list[str]:
    """The lines. Of a walk that tried very many rules, those in the middle are only counted."""
    lines = list(_lines(tried))
    left_out = len(lines) - _MOST_LINES
    if left_out > 0:
        half = _MOST_LINES // 2
        lines[half : half + left_out] = [f"... {left_out} lines more, of rules between these"]
    return lines


def _lines(tried: Sequence[Tried]) -> Iterator[str]:
    width = max((len(item.place) for item in tried), default=0)
    start = 0
    while start < len(tried):
        end = start + 1
        while end < len(tried) and _alike(tried[start], tried[end]):
            end += 1
        if end - start <= _FEWEST_FOLDED:
            yield from (_line(item, width) for item in tried[start:end])
        else:
            yield _line(tried[start], width)
            first, last = tried[start + 1].place, tried[end - 1].place
            yield f"{'':{width}}  {_indent(tried[start])}... nor do the {end - start - 1} rules from {first} to {last}"
        start = end


def _alike(one: Tried, other: Tried) -> bool:
    """Whether two rules that did not match failed for the same value."""
    same = (one.matched, one.depth) == (other.matched, other.depth) == (False, one.depth)
    return same and _subject(one) == _subject(other)


def _subject(item: Tried) -> str:
    return item.why.partition(", ")[0].partition(" is not in ")[0]


def _line(item: Tried, width: int) -> str:
    rule = item.rule if len(item.rule) <= _WIDEST_RULE else f"{item.rule[:_WIDEST_RULE]}..."
    verdict = "" if not item.why else f": {'yes' if item.matched else 'no'}, {item.why}"
    return f"{item.place:>{width}}  {_indent(item)}{rule}{verdict}"


def _indent(item: Tried) -> str:
    return "  " * item.depth
