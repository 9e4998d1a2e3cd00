"""What is known of one call, from wherever it came: records, views of a running server, decisions, messages.

Owns the shape, and the places of rules in it. Leaves finding all this to whoever reads a store or asks a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

import msgspec

from b2bua.tape import Kept
from dsl.decision import Decision
from dsl.plan.recorded import Happened, Version


class CaseLeg(msgspec.Struct, frozen=True):
    """One leg, over or not. Times are wall seconds; `end` is None while it lives. `cause` is its final status, 0 while
    there is none. `party` is who is there, empty where nobody knows. The rest is as in `b2bua.effects.Record`.
    """

    number: int
    direction: str
    sip_call_id: str
    party: str = ""
    target: str = ""
    start: float = 0.0
    answer: float | None = None
    end: float | None = None
    cause: int = 0
    reason: str = ""
    hung_up_by: str = ""
    transferred_by: str = ""
    joined: str = ""

    @property
    def trunk(self) -> str:
        """The trunk by which it went out; empty where there is none."""
        return self.target.rpartition(" via ")[2] if " via " in self.target else ""


class Case(msgspec.Struct, frozen=True):
    """A call at the wall time `now`. `live` says that it goes on. `unkept` says why there are no messages, where there
    are none, and `left_out` how many there were beside those that there are. `rules` are as in the records: they stand
    for `events` where those are not known (yet).
    """

    call: str
    caller: str
    callee: str
    source: str
    start: float
    now: float
    policy: str
    rules: tuple[str, ...]
    legs: tuple[CaseLeg, ...]
    events: tuple[Happened, ...] = ()
    versions: Mapping[str, Version] = {}
    messages: tuple[Kept, ...] = ()
    tags: dict[str, str] = {}
    live: bool = False
    left_out: int = 0
    unkept: str = ""

    @property
    def caller_name(self) -> str:
        """Who called, or from where."""
        return self.caller or self.source or "somebody"

    @property
    def joined(self) -> str:
        """The other call, where a transfer has connected a party of this one with one of that."""
        return next((leg.joined for leg in self.legs if leg.joined), "")

    def places(self, decision: Decision) -> tuple[Place, ...]:
        """Where the rules of a decision stand."""
        version = self.versions.get(decision.policy)
        return tuple(_place(rule, version) for rule in decision.rules)

    def recorded_places(self) -> tuple[Place, ...]:
        """The same for all rules of the records; `@` and a version follow one that another version has."""
        found = []
        for rule in self.rules:
            position, _, other = rule.partition("@")
            found.append(_place(position, self.versions.get(other or self.policy)))
        return tuple(found)

    def fired(self) -> tuple[Place, ...]:
        """The places of all rules that decided, each line once: of the decisions, or of the records without those."""
        decided = [place for event in self.events for place in self.places(event.decision)]
        return tuple({(place.file, place.line): place for place in decided or self.recorded_places()}.values())


class Place(msgspec.Struct, frozen=True):
    """Where a rule stands: `file` is empty where the version that had it is not known. `text` is its line."""

    file: str
    line: str
    column: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else f"rule {self.line}:{self.column}"


def told_places(places: tuple[Place, ...]) -> str:
    """Several in the order in which they fired: `office.route:45,67`."""
    told: list[str] = []
    for before, place in zip((None, *places), places, strict=False):
        if before is not None and before.file == place.file and place.file:
            if before.line != place.line:
                told[-1] += f",{place.line}"
        else:
            told.append(str(place))
    return " ".join(told)


def _place(rule: str, version: Version | None) -> Place:
    """A rule is `line:column`, with the file before it where that was included."""
    before, _, column = rule.rpartition(":")
    file, _, line = before.rpartition(":")
    if version is None:
        return Place(PurePath(file).name, line, column, "")
    lines = version.sources.get(file, "").split("\n")
    number = int(line) if line.isdigit() else 0
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return Place(PurePath(file or version.path).name, line, column, text)
