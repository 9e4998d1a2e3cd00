"""Says which build is tested, and holds it true: what lies here, or with --compiled what scripts/compile installed."""

from __future__ import annotations

import importlib
import signal
from pathlib import Path

import pytest

from dsl import grammar_tables

from .build import ROOT, compiled_modules, module_name


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--compiled", action="store_true", help="test the compiled build: see scripts/test")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop at once where the modules that would be tested are not those that were asked for; let Ctrl-C be heard."""
    # A shell has what it runs in the background ignore it, and all that this starts in turn.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    compiled = session.config.getoption("compiled")
    for path in compiled_modules():
        file = Path(importlib.import_module(module_name(path)).__file__ or "")
        right = file.suffix == ".so" if compiled else file == path
        if not right:
            pytest.exit(f"{file} would be tested in the place of {path.relative_to(ROOT)}", returncode=3)
    if not compiled:
        # As scripts/install does, for whoever is changing the grammar.
        grammar_tables.write()


@pytest.fixture(autouse=True)
def _interpreted(request: pytest.FixtureRequest) -> None:
    """Pass over what looks into the interpreter's own working, where there is nothing to see."""
    if request.node.get_closest_marker("interpreted") and request.config.getoption("compiled"):
        pytest.skip("shows only in the interpreter")
