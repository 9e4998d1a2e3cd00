"""The style, by example: each file holds a script, a line of dashes, and the script as it is to be."""

from pathlib import Path

import pytest

from dsl.fmt import formatted

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.txt"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_script_in_the_one_style(path: Path) -> None:
    before, _, after = path.read_text(encoding="utf-8").partition("----\n")
    assert formatted(before, path.name) == after
    assert formatted(after, path.name) == after
