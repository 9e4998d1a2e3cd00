"""The rules of a walk for eyes: a line each, and one line for many that fail alike.

Owns the form. Why a rule did not match is `conditions`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsl.walk.trace import Part, Tried

_FEWEST_FOLDED = 3
_MOST_LINES = 30
_MOST_PARTS = 6
_WIDEST_RULE = 60


def told_rules(tried: Sequence[Tried], parts: bool = False) -> list[str]:
    """The lines. Of a walk that tried very many rules, those in the middle are only counted.

    With `parts` each part that was looked at of a condition with several has a line of its own.
    """
    lines = list(_lines(tried, parts))
    left_out = len(lines) - _MOST_LINES
    if left_out > 0:
        half = _MOST_LINES // 2
        lines[half : half + left_out] = [f"... {left_out} lines more, of rules between these"]
    return lines


def _lines(tried: Sequence[Tried], parts: bool) -> Iterator[str]:
    width = max((len(item.place) for item in tried), default=0)
    start = 0
    while start < len(tried):
        end = start + 1
        while end < len(tried) and _alike(tried[start], tried[end]):
            end += 1
        if end - start <= _FEWEST_FOLDED:
            for item in tried[start:end]:
                with_parts = parts and len(item.parts) > 1
                yield _line(item, width, with_parts)
                yield from (
                    f"{'':{width}}  {_indent(item)}  {line}" for line in _parts(item.parts if with_parts else ())
                )
        else:
            yield _line(tried[start], width, False)
            first, last = tried[start + 1].place, tried[end - 1].place
            yield f"{'':{width}}  {_indent(tried[start])}... nor do the {end - start - 1} rules from {first} to {last}"
        start = end


def _alike(one: Tried, other: Tried) -> bool:
    """Whether two rules that did not match failed for the same value."""
    same = (one.matched, one.depth) == (other.matched, other.depth) == (False, one.depth)
    return same and _subject(one) == _subject(other)


def _subject(item: Tried) -> str:
    return item.why.partition(", ")[0].partition(" is not in ")[0]


def _line(item: Tried, width: int, with_parts: bool) -> str:
    verdict = f": {'yes' if item.matched else 'no'}" if item.why else ""
    why = f", {item.why}" if item.why and not with_parts else ""
    return f"{item.place:>{width}}  {_indent(item)}{_cut(item.rule)}{verdict}{why}"


def _parts(parts: Sequence[Part]) -> list[str]:
    lines = [f"{_cut(part.condition)}: {'yes' if part.holds else 'no'}, {part.why}" for part in parts]
    left_out = len(lines) - _MOST_PARTS
    if left_out > 0:
        half = _MOST_PARTS // 2
        lines[half : half + left_out] = [f"... {left_out} parts more, between these"]
    return lines


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST_RULE else f"{text[:_WIDEST_RULE]}..."


def _indent(item: Tried) -> str:
    return "  " * item.depth
