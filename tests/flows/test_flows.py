"""Every `.flow` file of this folder, in the order of their names: the first that fails shows the cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from .play import Performance
from .script import read_flow

FLOWS = sorted(Path(__file__).parent.glob("*.flow"))


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_flow_goes_as_written(path: Path) -> None:
    performance = Performance(read_flow(path))
    performance.play()
    assert not performance.failures, "\n".join([*performance.failures, performance.ladder()])


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_flow_says_which_rfc_it_shows(path: Path) -> None:
    assert "RFC" in read_flow(path).title
