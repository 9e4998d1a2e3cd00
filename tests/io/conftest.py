"""Async tests run in trio; every test may have an edge around a core that does what the test says."""

from __future__ import annotations

import pytest
from pytest_trio.enable_trio_mode import pytest_collection_modifyitems, pytest_fixture_setup

from .edge import Edge

__all__ = ["pytest_collection_modifyitems", "pytest_fixture_setup"]


@pytest.fixture
def edge() -> Edge:
    return Edge()
