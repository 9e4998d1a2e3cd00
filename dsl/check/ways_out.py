"""The ways out of a dial: which trunks a name behind `via` stands for, and the cells of a table that name some.

Owns finding them, for all who ask what a call may cost or reach, and the words for cells that name none.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.report import Report
from dsl.compile_groups import trunks_of
from dsl.compile_setup import Setup
from dsl.diagnostics import suggestion
from dsl.resolve import Kind, Names
from dsl.spoken import spoken
from dsl.table_cells import problems_of_cells


class WaysOut:
    """The ways out of one script."""

    def __init__(self, names: Names, setup: Setup) -> None:
        self._names = names
        self._setup = setup
        self._cells: dict[tuple[str, str], frozenset[str]] = {}

    def named(self, via: tree.Name | tree.Attribute) -> tuple[str, ...]:
        """The trunks and groups of trunks that may be meant: the name itself, or all that the column has."""
        if isinstance(via, tree.Name):
            return (via.text,)
        known = (*self._setup.trunks, *self._setup.trunk_groups)
        return tuple(sorted(self._in_column(via).intersection(known)))

    def trunks(self, via: tree.Name | tree.Attribute) -> tuple[str, ...]:
        """The trunks through which a call may go."""
        return tuple(dict.fromkeys(trunk for name in self.named(via) for trunk in trunks_of(name, self._setup)))

    def most(self, via: tree.Attribute) -> int:
        """How many steps may come of a column at most."""
        return max((len(trunks_of(name, self._setup)) for name in self.named(via)), default=1)

    def _in_column(self, via: tree.Attribute) -> frozenset[str]:
        table, column = self._names.of(via.base).table or "", via.attribute.text
        cells = self._cells.get((table, column))
        if cells is None:
            known = self._setup.tables.get(table)
            cells = self._cells[table, column] = frozenset() if known is None else known.cells(column)
        return cells

    def check(self, script: tree.Script, report: Report) -> None:
        """Tell of columns that cannot name a way out, and of cells that name none."""
        looked_at: set[tuple[str, str]] = set()
        for node in tree.walk(script):
            if not isinstance(node, tree.Party) or not isinstance(node.trunk, tree.Attribute):
                continue
            meaning, column = self._names.of(node.trunk.base), node.trunk.attribute.text
            if meaning.kind is Kind.UNKNOWN:
                continue
            if meaning.kind is not Kind.ROW:
                message = f"`{spoken(node.trunk)}` is no column of a table, and names no trunk"
                report.wrong(node.trunk, message, "write a trunk, or a column of a row that `lookup ... as` found")
            elif meaning.table is not None and (meaning.table, column) not in looked_at:
                looked_at.add((meaning.table, column))
                self._look_at(node.trunk, meaning.table, report)

    def _look_at(self, via: tree.Attribute, table: str, report: Report) -> None:
        known = (*self._setup.trunks, *self._setup.trunk_groups)
        wrong = self._in_column(via).difference(known)
        path = self._setup.tables[table].path if wrong else None
        if path is not None:
            told = {cell: self._told(cell, via, known) for cell in wrong}
            report.problems += problems_of_cells(path, via.attribute.text, told)

    def _told(self, cell: str, via: tree.Attribute, known: tuple[str, ...]) -> tuple[str, str | None]:
        message = f"there is no trunk or group of trunks `{cell}`, through which `via {spoken(via)}` calls"
        return message, suggestion(cell, known) or "declare it, or name one that is declared"
