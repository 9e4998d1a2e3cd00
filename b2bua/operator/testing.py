"""`b2bua test`: the tests of a policy run from the command line.

Owns which of them are meant, and what is printed, for eyes and as JSON (`docs/test.md` describes it). Running them is
`dsl.tester`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from b2bua.operator.policy_file import for_editors
from b2bua.operator.script_argument import NotUnderstoodError
from dsl.coverage import Coverage, coverage
from dsl.diagnostics import joined, nearest
from dsl.policy import Policy
from dsl.tester import Result, run, tests_of
from dsl.tree import Test

_MOST_PLACES = 10


class Tested(msgspec.Struct, frozen=True):
    """How a policy's tests went: `text` for eyes, `json` for others."""

    passed: bool
    text: str
    json: bytes


def run_tests(policy: Policy, listed: bool = False, only: Sequence[str] = ()) -> Tested:
    """Run the tests of a policy, or those alone whose titles are, or hold, one of `only`.

    With `listed` each rule is told that no test fired. Raises NotUnderstoodError where no title is meant.
    """
    tests = tests_of(policy)
    chosen = _chosen(tests, only) if only else tests
    results = run(policy, chosen)
    covered = coverage(policy, results)
    failed = sum(not result.passed for result in results)
    lines = [*_results(results), _summary(len(results), failed, len(tests))]
    if listed:
        lines += _missed(covered)
    elif results and covered.missed and not only:
        lines.append(_hint(covered))
    return Tested(not failed, "\n".join(lines), _json(policy, results, covered))


def _chosen(tests: Sequence[Test], only: Sequence[str]) -> list[Test]:
    meant: set[str] = set()
    for wanted in only:
        titles = [test.title.value for test in tests]
        found = [wanted] if wanted in titles else [title for title in titles if wanted.lower() in title.lower()]
        if not found:
            similar = nearest(wanted, titles)
            there = f"did you mean `{similar}`?" if similar else "`b2bua test` without `--only` lists all titles"
            raise NotUnderstoodError(f"no test has `{wanted}` in its title: {there}")
        meant.update(found)
    return [test for test in tests if test.title.value in meant]


def _results(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        yield f"{'ok' if result.passed else 'FAILED':7} {result.title}"
        if result.failure is not None:
            for line in (*str(result.failure).splitlines(), *result.trace):
                yield f"        {line}"


def _summary(count: int, failed: int, there_are: int) -> str:
    if there_are == 0:
        return 'the policy has no tests: write such as `test "TITLE" { call from alice to bob  expect dial bob }`'
    chosen = "" if count == there_are else f", of {there_are} that there are"
    return f"{count - failed} of {count} tests passed{chosen}"


def _missed(covered: Coverage) -> Iterator[str]:
    yield f"{covered.fired} of {len(covered.rules)} rules fired in a test, {covered.percent} %"
    width = max((len(rule.place) for rule in covered.missed), default=0)
    for rule in covered.missed:
        yield f"  {rule.place:{width}}  {rule.rule}"


def _hint(covered: Coverage) -> str:
    places = [rule.place for rule in covered.missed]
    more = len(places) - _MOST_PLACES
    shown = joined([*places[:_MOST_PLACES], f"{more} more"] if more > 0 else places, "and")
    return f"no test reaches the rules at {shown}"


def _json(policy: Policy, results: Sequence[Result], covered: Coverage) -> bytes:
    failed = sum(not result.passed for result in results)
    shown = {
        "file": str(policy.path),
        "policy": policy.name,
        "version": policy.hash,
        "passed": len(results) - failed,
        "failed": failed,
        "tests": [_result(result) for result in results],
        "coverage": {
            "rules": len(covered.rules),
            "fired": covered.fired,
            "percent": covered.percent,
            "missed": covered.missed,
        },
    }
    return msgspec.json.format(msgspec.json.encode(shown))


def _result(result: Result) -> dict[str, object]:
    failure = result.failure
    shown: dict[str, object] = {"title": result.title, "place": result.place, "passed": result.passed}
    if failure is not None:
        shown["failure"] = {
            **for_editors(failure),
            "expected": failure.text.strip(),
            "came": result.came,
            "rule": result.rule,
            "trace": result.trace,
        }
    return shown
