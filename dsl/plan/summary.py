"""Many calls decided again, put together: how many would go elsewhere, by which rules, whose they are, three of each.

Owns counting and grouping. What is found of one call is `replay`'s; how a summary is shown, the operator's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from dsl.decision import Decision, NumberTarget
from dsl.expectation import told
from dsl.plan.difference import targets
from dsl.plan.recorded import Happened, Recorded, Version, version_of
from dsl.plan.replay import Different, Replay, Unknown
from dsl.policy import Policy

EXAMPLES = 3
"""How many calls stand for each group: the newest."""


class Rule(msgspec.Struct, frozen=True):
    """A rule that decided: its place, with its file, and its line. Both are empty where none did."""

    place: str
    text: str


class Example(msgspec.Struct, frozen=True):
    """A call of a group: its id, when the event was (wall seconds), which, who called and what was dialled; how it was
    decided, and how it would be, as a policy writes it (empty where that is unknown).
    """

    call: str
    time: float
    event: str
    caller: str
    dialed: str
    was: str
    would: str


class Group(msgspec.Struct):
    """Calls for which the same changes: by `before` to `after`; `after` is None where that is unknown."""

    change: str
    before: Rule
    after: Rule | None
    calls: int = 0
    examples: list[Example] = []


class Summary(msgspec.Struct):
    """All of it, the largest groups first. `callers` and `trunks` count calls that would go elsewhere: a trunk counts
    for a call that came from it, that went out by it, and that would.
    """

    calls: int = 0
    same: int = 0
    different: int = 0
    unknown: int = 0
    groups: list[Group] = []
    unknowns: list[Group] = []
    callers: dict[str, int] = {}
    trunks: dict[str, int] = {}


class Planning:
    """Decides one call after the other again; `summary` is what came of them so far."""

    def __init__(self, policy: Policy, versions: Mapping[str, Version]) -> None:
        self._replay = Replay(policy, versions)
        self._versions = versions
        self._new = version_of(policy, 0.0)
        self._lines: dict[str, dict[str, list[str]]] = {}
        self._counts: Counter[str] = Counter()
        self._callers: Counter[str] = Counter()
        self._trunks: Counter[str] = Counter()
        self._different: dict[tuple[str, str, str], Group] = {}
        self._unknown: dict[str, Group] = {}

    def add(self, call: Recorded) -> None:
        """Decide a call again."""
        found = self._replay.of(call)
        if found is None:
            self._counts["same"] += 1
        elif isinstance(found, Different):
            self._counts["different"] += 1
            self._add_different(call, found)
        else:
            self._counts["unknown"] += 1
            self._add_unknown(call, found)

    @property
    def summary(self) -> Summary:
        """What came of all that were added."""
        counts = self._counts
        return Summary(
            calls=counts.total(),
            same=counts["same"],
            different=counts["different"],
            unknown=counts["unknown"],
            groups=_largest_first(self._different.values()),
            unknowns=_largest_first(self._unknown.values()),
            callers=dict(self._callers.most_common()),
            trunks=dict(self._trunks.most_common()),
        )

    def _add_different(self, call: Recorded, found: Different) -> None:
        before = self._rule(found.event.decision, self._versions.get(found.event.decision.policy))
        after = self._rule(found.decision, self._new)
        key = (found.change, before.text, after.text)
        group = self._different.get(key)
        if group is None:
            group = self._different[key] = Group(found.change, before, after, examples=[])
        _note(group, call, found.event, told(found.decision.action))
        self._callers[_caller(call)] += 1
        trunks = {call.known.trunk} | _trunks(found.event.decision) | _trunks(found.decision)
        self._trunks.update(trunk for trunk in trunks if trunk is not None)

    def _add_unknown(self, call: Recorded, found: Unknown) -> None:
        group = self._unknown.get(found.fact)
        if group is None:
            before = self._rule(found.event.decision, self._versions.get(found.event.decision.policy))
            group = self._unknown[found.fact] = Group(found.fact, before, None, examples=[])
        _note(group, call, found.event, "")

    def _rule(self, decision: Decision, version: Version | None) -> Rule:
        """The last rule that fired: the one that decided."""
        if not decision.rules or version is None:
            return Rule("", "")
        place = decision.rules[-1]
        file, _, rest = place.rpartition(":")[0].rpartition(":")
        lines = self._lines.setdefault(version.hash, {}).get(file)
        if lines is None:
            lines = self._lines[version.hash][file] = version.sources.get(file, "").split("\n")
        number = int(rest)
        text = lines[number - 1].strip() if number <= len(lines) else ""
        return Rule(place if file else f"{version.path}:{place}", text)


def _note(group: Group, call: Recorded, event: Happened, would: str) -> None:
    """Count a call in its group, and keep it as an example if it is one of the newest."""
    group.calls += 1
    examples = group.examples
    if len(examples) == EXAMPLES and examples[-1].time >= event.time:
        return
    dialed = call.known.dialed or call.known.user or ""
    example = Example(call.call, event.time, event.event, _caller(call), dialed, told(event.decision.action), would)
    examples.append(example)
    examples.sort(key=lambda each: -each.time)
    del examples[EXAMPLES:]


def _caller(call: Recorded) -> str:
    known = call.known
    return known.caller or known.number or known.claimed or known.source


def _trunks(decision: Decision) -> set[str | None]:
    return {party.trunk for party in targets(decision.action) if isinstance(party, NumberTarget)}


def _largest_first(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: (-group.calls, group.change))
