"""What a wheel of the project carries besides its modules."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from dsl import grammar_tables

from .build import ROOT


def test_a_wheel_carries_the_grammar_its_tables_and_the_reference(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("dsl/grammar.lark") == grammar_tables.GRAMMAR.read_bytes()
        assert archive.read("dsl/grammar.json") == grammar_tables.kept()
        assert archive.read("dsl/editor/language.md") == (ROOT / "docs" / "language.md").read_bytes()
