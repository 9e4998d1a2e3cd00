"""Ladders: who sent what to whom and when, as text, for the calls that one asks about."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .link import Passage
from .wire import describe


def draw_ladder(passages: Iterable[Passage], call_ids: Collection[str] = ()) -> str:
    """One line per packet; with `call_ids` only theirs. A fate stands at the end of what did not simply arrive."""
    wanted = [call_id.encode() for call_id in call_ids]
    lines = []
    for passage in passages:
        if wanted and not any(call_id in passage.data for call_id in wanted):
            continue
        fate = f"  ({passage.fate})" if passage.fate else ""
        way = f"{passage.source:>8} -> {passage.target:<8}"
        lines.append(f"{passage.time:9.3f}  {way}  {describe(passage.data)}{fate}")
    return "\n".join(lines)
