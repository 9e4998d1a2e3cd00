"""What building and installing the project does first: the grammar's parse tables are made, and go where `dsl` goes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GrammarTables(BuildHookInterface):
    """See dsl/grammar_tables.py."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the tables beside the grammar."""
        spec = importlib.util.spec_from_file_location("grammar_tables", Path(self.root, "dsl", "grammar_tables.py"))
        assert spec is not None and spec.loader is not None
        grammar_tables = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(grammar_tables)
        grammar_tables.write()
        build_data["artifacts"].append("/dsl/grammar.json")
