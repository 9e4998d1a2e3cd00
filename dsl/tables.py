"""Tables that a policy looks numbers, prefixes and texts up in: CSV or YAML, straight into a dictionary.

Owns the files' shapes and the look-up. A CSV table's first line names its columns and its first column is
the key; a YAML table maps each key to its columns. Keys and what is looked up take the same form through
the policy's number plan, so `030 1234567` finds `+49301234567`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from dsl.diagnostics import Problem
from dsl.marked_yaml import Document
from dsl.numbers import NumberPlan

Kind: TypeAlias = Literal["number", "prefix", "text"]

_MOST_PROBLEMS = 20


class Table:
    """Rows by key. `columns` are the names of a row's texts, the key's among them; an empty cell is
    absent.
    """

    def __init__(self, kind: Kind, columns: tuple[str, ...], rows: dict[str, tuple[str, ...]]) -> None:
        self.kind = kind
        self.columns = columns
        self.rows = rows
        self._lengths = sorted({len(key) for key in rows}, reverse=True) if kind == "prefix" else []

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, text: str, plan: NumberPlan) -> dict[str, str] | None:
        """The row of a key: the same number, the longest prefix of it, or the same text; None when there
        is none.
        """
        if self.kind == "text":
            row = self.rows.get(text)
        elif self.kind == "number":
            row = self.rows.get(plan.key(text))
        else:
            row = self._longest(plan.key(text))
        if row is None:
            return None
        return {column: value for column, value in zip(self.columns, row, strict=False) if value}

    def _longest(self, key: str) -> tuple[str, ...] | None:
        rows, limit = self.rows, len(key)
        for length in self._lengths:
            if length <= limit:
                row = rows.get(key[:length])
                if row is not None:
                    return row
        return None


def load_table(path: Path, kind: Kind, plan: NumberPlan, problems: list[Problem]) -> Table:
    """Read a table by the ending of its name: `.csv`, or `.yaml` and `.yml`. Raises OSError.

    What is wrong is added to `problems` with its line, at most twenty of a file.
    """
    forms: dict[Kind, Callable[[str], str]] = {"number": plan.key, "prefix": plan.prefix_key, "text": str}
    found: list[Problem] = []
    if path.suffix in (".yaml", ".yml"):
        table = _from_yaml(path, kind, forms[kind], found)
    else:
        table = _from_csv(path, kind, forms[kind], found)
    problems += found[:_MOST_PROBLEMS]
    if len(found) > _MOST_PROBLEMS:
        problems.append(_problem(path, found[_MOST_PROBLEMS].line, f"and {len(found) - _MOST_PROBLEMS} more like it"))
    return table


def _problem(path: Path, line: int, message: str, advice: str | None = None) -> Problem:
    return Problem(str(path), line, 1, 1, message, advice=advice)


def _from_csv(path: Path, kind: Kind, form: Callable[[str], str], problems: list[Problem]) -> Table:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(_problem(path, 1, f"byte {error.start} is not UTF-8", "save the file as UTF-8"))
        return Table(kind, (), {})
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: dict[str, tuple[str, ...]] = {}
    repeated: list[tuple[int, str]] = []
    columns: tuple[str, ...] = ()
    try:
        columns = _columns(path, next(reader, []), problems)
        width = len(columns)
        for cells in reader:
            if len(cells) != width or not cells[0]:
                if cells:
                    problems.append(_misshapen(path, reader.line_num, cells, width))
                continue
            row = tuple(cells)
            key = form(cells[0])
            if rows.setdefault(key, row) is not row:
                repeated.append((reader.line_num, cells[0]))
    except csv.Error as fault:
        problems.append(_problem(path, reader.line_num, f"this is no CSV: {fault}"))
    if repeated:
        _name_repeated(path, text, form, repeated, problems)
    return Table(kind, columns, rows)


def _columns(path: Path, cells: list[str], problems: list[Problem]) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells)
    if not columns or not all(columns):
        problems.append(_problem(path, 1, "the first line names the columns, the key's first", "`number,user`"))
    elif len(set(columns)) < len(columns):
        problems.append(_problem(path, 1, "two columns have the same name"))
    elif len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        problems.append(_problem(path, 1, "columns are separated by commas"))
    return columns


def _misshapen(path: Path, line: int, cells: list[str], width: int) -> Problem:
    if len(cells) != width:
        return _problem(path, line, f"{len(cells)} columns stand here, and {width} in the first line")
    return _problem(path, line, "the key is empty")


def _name_repeated(
    path: Path,
    text: str,
    form: Callable[[str], str],
    repeated: list[tuple[int, str]],
    problems: list[Problem],
) -> None:
    reader = csv.reader(io.StringIO(text, newline=""))
    wanted = {form(key) for _, key in repeated}
    first: dict[str, int] = {}
    for cells in reader:
        if cells and reader.line_num > 1 and (key := form(cells[0])) in wanted:
            first.setdefault(key, reader.line_num)
    for line, key in repeated:
        problems.append(_problem(path, line, f"the key `{key}` stands in line {first[form(key)]} already"))


def _from_yaml(path: Path, kind: Kind, form: Callable[[str], str], problems: list[Problem]) -> Table:
    document = Document.read(path, problems)
    read: dict[str, dict[str, str]] = {}
    columns: dict[str, None] = {"key": None}
    for written, node, value in document.entries(document.root, "a table"):
        key = form(written)
        if key in read:
            document.wrong(node, f"the key `{written}` stands here already, as `{read[key]['key']}`")
            continue
        row = read[key] = {"key": written}
        for column, column_node, cell in document.entries(value, f"the row `{written}`"):
            if column == "key":
                document.wrong(column_node, "`key` is the name of the key itself")
                continue
            columns[column] = None
            row[column] = document.text(cell, f"`{column}`") or ""
    names = tuple(columns)
    return Table(kind, names, {key: tuple(row.get(name, "") for name in names) for key, row in read.items()})
