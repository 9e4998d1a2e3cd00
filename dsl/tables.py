"""Tables that a policy looks numbers, prefixes and texts up in: CSV or YAML, straight into a dictionary.

Owns the files' shapes and the look-up. A CSV table's first line names its columns and its first column is
the key; a YAML table maps each key to its columns. Keys and what is looked up take the same form through
the policy's number plan, so `030 1234567` finds `+49301234567`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from dsl.diagnostics import Problem, first_of
from dsl.encoding import file_text
from dsl.numbers import NumberPlan, without_separators
from dsl.yaml_rows import Rows, read_rows

Kind: TypeAlias = Literal["number", "prefix", "text"]

_MOST_PROBLEMS = 20
_ROUNDED = "E+"
_IS_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+").fullmatch


class Table:
    """Rows by key. `columns` are the names of a row's texts, the key's among them; an empty cell is absent. `path` is
    the file, where there is one.
    """

    def __init__(self, kind: Kind, columns: tuple[str, ...], rows: dict[str, tuple[str, ...]]) -> None:
        self.path: Path | None = None
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

    def cells(self, column: str) -> frozenset[str]:
        """What stands in a column, each once; nothing where there is no such column."""
        if column not in self.columns:
            return frozenset()
        at = self.columns.index(column)
        return frozenset([cell for row in self.rows.values() for cell in row[at : at + 1] if cell])

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
    table.path = path
    problems += first_of(found, _MOST_PROBLEMS)
    return table


def _problem(path: Path, line: int, message: str, advice: str | None = None) -> Problem:
    return Problem(str(path), line, 1, 1, message, advice=advice)


def _from_csv(path: Path, kind: Kind, form: Callable[[str], str], problems: list[Problem]) -> Table:
    text = file_text(path, problems)
    if text is None:
        return Table(kind, (), {})
    found: list[Problem] = []
    table = _read_csv(path, text, kind, form, found)
    if found:
        lines = text.splitlines()
        for problem in found:
            shown = lines[problem.line - 1] if problem.line <= len(lines) else ""
            problems.append(msgspec.structs.replace(problem, text=shown, length=max(1, len(shown))))
    return table


def _read_csv(path: Path, text: str, kind: Kind, form: Callable[[str], str], problems: list[Problem]) -> Table:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: dict[str, tuple[str, ...]] = {}
    repeated: list[tuple[int, str]] = []
    columns: tuple[str, ...] = ()
    begun = 1
    try:
        columns = _columns(path, next(reader, []), kind, problems)
        if not columns:
            return Table(kind, (), {})
        begun = reader.line_num + 1
        width = len(columns)
        for cells in reader:
            begun = reader.line_num + 1
            if len(cells) != width or not cells[0]:
                if cells:
                    problems.append(_misshapen(path, reader.line_num, cells, width))
                continue
            row = tuple(cells)
            key = form(cells[0])
            if rows.setdefault(key, row) is not row:
                repeated.append((reader.line_num, cells[0]))
    except csv.Error as fault:
        problems.append(_fault(path, begun, str(fault)))
    if _ROUNDED in text and kind != "text":
        _name_rounded(path, text, problems)
    if repeated:
        _name_repeated(path, text, form, repeated, problems)
    return Table(kind, columns, rows)


def _fault(path: Path, line: int, fault: str) -> Problem:
    """What the `csv` module found, in a row that begins on this line."""
    if "end of data" in fault:
        return _problem(path, line, "a quote in this row is not closed", 'end the value with `"`, or leave both out')
    if "expected after" in fault:
        return _problem(path, line, "a quote ends before its value does", 'write `""` for a quote inside a value')
    return _problem(path, line, "this row cannot be read", "write its values anew, with commas between them")


def _columns(path: Path, cells: list[str], kind: Kind, problems: list[Problem]) -> tuple[str, ...]:
    """The names of the columns; none where the first line does not give them."""
    columns = tuple(cell.strip() for cell in cells)
    if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
        problems.append(_problem(path, 1, "columns are separated by commas", "save it as CSV with commas"))
    elif not columns or not all(columns) or (kind != "text" and without_separators(columns[0]).strip("+").isdigit()):
        advice = "begin it with a line such as `number,user`"
        problems.append(_problem(path, 1, "the first line names the columns, the key's first", advice))
    elif len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        problems.append(_problem(path, 1, f"two columns are called `{twice}`", "give each a name of its own"))
    else:
        return columns
    return ()


def _name_rounded(path: Path, text: str, problems: list[Problem]) -> None:
    """Numbers that a spreadsheet has rounded: nobody dials them."""
    reader = csv.reader(io.StringIO(text, newline=""))
    for cells in reader:
        if cells and _IS_ROUNDED(cells[0]):
            advice = "a spreadsheet has rounded it: let its column be text, and write the number anew"
            problems.append(_problem(path, reader.line_num, f"`{cells[0]}` is no number", advice))


def _misshapen(path: Path, line: int, cells: list[str], width: int) -> Problem:
    if len(cells) != width:
        columns = "1 column stands" if len(cells) == 1 else f"{len(cells)} columns stand"
        advice = "write a value with a comma in it in quotes" if len(cells) > width else "write a comma for each"
        return _problem(path, line, f"{columns} here, and {width} in the first line", advice)
    return _problem(path, line, "the key is empty", "write it, or leave the row out")


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
        message = f"the key `{key}` stands in line {first[form(key)]} already"
        problems.append(_problem(path, line, message, "leave one of the two rows out"))


def _from_yaml(path: Path, kind: Kind, form: Callable[[str], str], problems: list[Problem]) -> Table:
    return read_rows(path, problems, lambda document: _read_yaml(document, kind, form))


def _read_yaml(document: Rows, kind: Kind, form: Callable[[str], str]) -> Table:
    """A row ends with its last column that no row before had: what is left out is absent."""
    rows: dict[str, tuple[str, ...]] = {}
    columns = {"key": 0}
    for written, node, value in document.rows("a table"):
        key = form(written)
        if key in rows:
            document.wrong(node, f"the key `{written}` stands here already, as `{rows[key][0]}`")
            continue
        cells = [""] * len(columns)
        cells[0] = written
        for column, column_node, cell in document.entries(value, f"the row `{written}`"):
            if column == "key":
                document.wrong(column_node, "`key` is the name of the key itself")
                continue
            place = columns.setdefault(column, len(columns))
            if place == len(cells):
                cells.append("")
            cells[place] = document.text(cell, f"`{column}`") or ""
        rows[key] = tuple(cells)
    return Table(kind, tuple(columns), rows)
