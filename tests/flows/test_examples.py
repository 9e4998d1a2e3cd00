"""What the policies under examples/ do on the core: each is played by its own people, in its own hours."""

from __future__ import annotations

from pathlib import Path

import pytest

from .play import Performance
from .script import read_flow

FLOWS = sorted(Path(__file__).with_name("examples").glob("*.flow"))
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_the_example_goes_as_written(path: Path) -> None:
    performance = Performance(read_flow(path))
    performance.play()
    assert not performance.failures, "\n".join([*performance.failures, performance.ladder()])


def test_each_example_is_played() -> None:
    played = {read_flow(path).example for path in FLOWS}
    assert {path for path in EXAMPLES.glob("**/*.route") if "\npolicy " in path.read_text()} <= played
