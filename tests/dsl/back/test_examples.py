"""Every policy under examples/ holds together, and its own tests come true."""

from pathlib import Path

import pytest

from dsl import tester
from dsl.policy import load

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("**/*.route"))


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_what_it_promises(path):
    results = tester.run(load(path))
    assert results
    assert [str(result.failure) for result in results if not result.passed] == []
