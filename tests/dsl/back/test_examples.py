"""Every policy under examples/ holds together, leaves `check` without doubts, and tries each of its rules."""

from pathlib import Path

import pytest

from dsl import tester
from dsl.coverage import coverage
from dsl.policy import load

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("**/*.route"))
POLICIES = [path for path in EXAMPLES if path.read_text().count("\npolicy ")]


def test_there_are_examples():
    assert POLICIES


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_an_example_keeps_what_it_promises(path):
    policy = load(path)
    results = tester.run(policy)
    assert [str(result.failure) for result in results if not result.passed] == []
    assert coverage(policy, results).missed == ()
    assert [str(warning) for warning in policy.warnings] == []
