"""The grammar, loaded once, and what follows from it: the fixed words, and how each construct can begin.

Owns the parser's settings. What a parse tree becomes is in `build`, what a mistake is called in `syntax`.
"""

from __future__ import annotations

import functools
from pathlib import Path

from lark import Lark
from lark.lexer import PatternStr

GRAMMAR = Path(__file__).with_name("grammar.lark")


@functools.cache
def language() -> Lark:
    """The parser. A test builds it with `strict=True`, so there is neither conflict nor collision."""
    return Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        propagate_positions=True,
        maybe_placeholders=True,
    )


@functools.cache
def words() -> dict[str, str]:
    """Every fixed word and sign, by the name of its terminal."""
    return {
        terminal.name: terminal.pattern.value
        for terminal in language().terminals
        if isinstance(terminal.pattern, PatternStr)
    }


@functools.cache
def beginnings(rule: str) -> frozenset[str]:
    """The terminals with which a rule of the grammar can begin."""
    found: set[str] = set()
    waiting = [rule]
    seen: set[str] = set()
    while waiting:
        origin = waiting.pop()
        seen.add(origin)
        for expansion in (item.expansion for item in language().rules if item.origin.name == origin):
            if not expansion:
                continue
            first = expansion[0]
            if first.is_term:
                found.add(first.name)
            elif first.name not in seen:
                waiting.append(first.name)
    return frozenset(found)


@functools.cache
def first_words(*rules: str) -> frozenset[str]:
    """The fixed words with which these rules can begin."""
    return frozenset(words()[name] for rule in rules for name in beginnings(rule) if name in words())
