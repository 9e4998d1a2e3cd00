"""Which rules of a policy its tests came to, and which they did not.

Owns what counts as a rule: whatever a decision names as having fired. Running tests is `tester`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from dsl import tree
from dsl.check.rules import decision_word
from dsl.policy import Policy
from dsl.spoken import spoken
from dsl.tester import Result

_RULES = tree.When | tree.AlsoWhen | tree.Otherwise
_EDITS = tree.Tag | tree.Log | tree.SetHeader | tree.StripHeader | tree.Media


class Rule(msgspec.Struct, frozen=True):
    """A rule of the script: its place, and itself as it would be written, without what it decides."""

    place: str
    rule: str


class Coverage(msgspec.Struct, frozen=True):
    """All rules of a policy, and those of them that fired in no test, in the order of the file."""

    rules: tuple[Rule, ...]
    missed: tuple[Rule, ...]

    @property
    def fired(self) -> int:
        """How many rules fired in a test."""
        return len(self.rules) - len(self.missed)

    @property
    def percent(self) -> int:
        """The share of them, of a hundred, rounded down. Every policy has rules."""
        return 100 * self.fired // len(self.rules)


def coverage(policy: Policy, results: Iterable[Result]) -> Coverage:
    """What these tests came to."""
    fired = {place for result in results for place in result.rules}
    rules = tuple(rule for declaration in policy.script.declarations for rule in _rules(declaration))
    return Coverage(rules, tuple(rule for rule in rules if rule.place not in fired))


def _rules(declaration: tree.Declaration) -> Iterator[Rule]:
    if isinstance(declaration, tree.On | tree.Sub):
        found = [*_bare(declaration.body), *_written(declaration.body)]
        for span, rule in sorted(found, key=lambda item: (item[0].line, item[0].column)):
            yield Rule(span.place, rule)


def _bare(body: tree.Block) -> Iterator[tuple[tree.Span, str]]:
    """Decisions that stand in an event or a sub without a condition."""
    for statement in body.statements:
        if not isinstance(statement, _RULES | _EDITS):
            yield statement.span, decision_word(statement)


def _written(body: tree.Block) -> Iterator[tuple[tree.Span, str]]:
    for node in tree.walk(body):
        match node:
            case tree.When(condition=condition, head=head):
                yield head, f"when {spoken(condition)}"
            case tree.AlsoWhen(condition=condition, head=head):
                yield head, f"also when {spoken(condition)}"
            case tree.Otherwise(head=head):
                yield head, "otherwise"
            case tree.Outcome(written=kinds):
                yield node.span, kinds
            case _:
                pass
