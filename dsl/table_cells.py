"""Where in a table's file cells stand that name nothing.

Owns finding their lines, by reading the file once more: a table that is looked up has no use for lines, and only a
mistake asks for them. What a cell should have named is for whoever found it wrong.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from dsl.diagnostics import Problem, first_of
from dsl.encoding import file_text

_MOST_PROBLEMS = 20


def problems_of_cells(path: Path, column: str, wrong: Mapping[str, tuple[str, str | None]]) -> list[Problem]:
    """A problem for each row whose cell in this column is one of those that are wrong, which have a message and an
    advice.
    """
    if path.suffix in (".yaml", ".yml"):
        return first_of(_in_yaml(path, column, wrong), _MOST_PROBLEMS)
    return first_of(list(_in_csv(path, column, wrong)), _MOST_PROBLEMS)


def _in_csv(path: Path, column: str, wrong: Mapping[str, tuple[str, str | None]]) -> Iterator[Problem]:
    text = file_text(path, []) or ""
    lines = text.splitlines()
    reader = csv.reader(io.StringIO(text, newline=""))
    at = [name.strip() for name in next(reader)].index(column)
    for cells in reader:
        for cell in cells[at : at + 1]:
            if cell in wrong:
                message, advice = wrong[cell]
                shown = lines[reader.line_num - 1]
                yield Problem(str(path), reader.line_num, 1, len(shown), message, text=shown, advice=advice)


def _in_yaml(path: Path, column: str, wrong: Mapping[str, tuple[str, str | None]]) -> list[Problem]:
    # All of YAML is loaded for mistakes alone.
    from dsl.marked_yaml import Document

    problems: list[Problem] = []
    document = Document.read(path, problems)
    cells = [
        (node, document.text(node, name) or "")
        for _, _, row in document.entries(document.root, "a table")
        for name, _, node in document.entries(row, "a row")
        if name == column
    ]
    problems.clear()
    for node, cell in cells:
        if cell in wrong:
            document.wrong(node, *wrong[cell])
    return problems
