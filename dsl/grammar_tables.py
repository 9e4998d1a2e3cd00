"""The grammar's parse tables: made from `grammar.lark` by Lark, kept as a file beside it, and read from there.

Owns the file and its making, which takes the better part of a second: `write` is called when the project is built or
installed, and whoever finds them missing there, or made from another grammar, makes them in memory. What follows them
through a script is `reading`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

GRAMMAR = Path(__file__).with_name("grammar.lark")
TABLES = Path(__file__).with_name("grammar.json")


def fingerprint() -> str:
    """What the tables are made from: the grammar, and what is said here of their making."""
    return hashlib.sha256(GRAMMAR.read_bytes() + Path(__file__).read_bytes()).hexdigest()


def kept() -> bytes | None:
    """The tables beside the grammar; None where there are none, or those of another grammar."""
    try:
        tables = TABLES.read_bytes()
    except FileNotFoundError:
        return None
    return tables if tables.startswith(f'{{"fingerprint":"{fingerprint()}"'.encode()) else None


def write() -> None:
    """Write the tables beside the grammar where they are not there already. Raises OSError."""
    if kept() is None:
        unfinished = TABLES.with_name(f"{TABLES.name}.{os.getpid()}")
        unfinished.write_bytes(made())
        unfinished.replace(TABLES)


def made() -> bytes:
    """The tables of the grammar as it is now, as JSON in the form of `language.Tables`."""
    import json

    from lark import Lark

    language = Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        propagate_positions=True,
        maybe_placeholders=True,
    )
    return json.dumps(_tables(language), separators=(",", ":")).encode()


def _tables(language: Lark) -> dict[str, Any]:
    from lark.lexer import PatternStr

    parse_table: Any = language.parser.parser._parse_table
    (start,), (end,) = parse_table.start_states.values(), parse_table.end_states.values()
    numbers = {rule: number for number, rule in enumerate(language.rules)}
    states = _numbered(parse_table.states, start)
    rows = [
        {name: _action(action, states, numbers) for name, action in sorted(parse_table.states[state].items())}
        for state in states
    ]
    # The order in which Lark's own lexer tries what may stand in one place.
    ordered = sorted(language.terminals, key=_order)
    return {
        "fingerprint": fingerprint(),
        "words": {item.name: item.pattern.value for item in ordered if isinstance(item.pattern, PatternStr)},
        "forms": {item.name: item.pattern.to_regexp() for item in ordered if not isinstance(item.pattern, PatternStr)},
        "ignored": list(language.ignore_tokens),
        "rules": [_rule(rule) for rule in language.rules],
        "rows": rows,
        "end": states[end],
    }


def _order(terminal: Any) -> tuple[int, int, int, str]:
    pattern = terminal.pattern
    return -terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name


def _numbered(table: dict[int, dict[str, Any]], start: int) -> dict[int, int]:
    """The states in the order in which they are come to, the first one 0: Lark numbers them anew each time."""
    found = [start]
    numbers = {start: 0}
    for state in found:
        for _, (kind, argument) in sorted(table[state].items()):
            if kind.name == "Shift" and argument not in numbers:
                numbers[argument] = len(found)
                found.append(argument)
    return numbers


def _action(action: Any, states: dict[int, int], numbers: dict[Any, int]) -> int:
    """A state to go on in, or, less than 0, a rule that is complete."""
    kind, argument = action
    return -1 - numbers[argument] if kind.name == "Reduce" else states[argument]


def _rule(rule: Any) -> list[Any]:
    """A rule of the grammar as `language.Rule` has it."""
    absent = rule.options.empty_indices
    leading = [len(run) for run in "".join(str(int(empty)) for empty in absent).split("0")] if absent else []
    taken: list[tuple[int, bool, int]] = []
    nones = 0
    for number, symbol in enumerate(rule.expansion):
        nones += leading[number] if leading else 0
        if rule.options.keep_all_tokens or not (symbol.is_term and symbol.filter_out):
            taken.append((number, not symbol.is_term and symbol.name.startswith("_"), nones))
            nones = 0
    nones += leading[-1] if leading else 0
    name = rule.alias or rule.origin.name
    single = bool(rule.options.expand1 and not rule.alias)
    symbols = [symbol.name for symbol in rule.expansion]
    return [rule.origin.name, symbols, "" if name.startswith("_") else name, single, taken, nones]
