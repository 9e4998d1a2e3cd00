"""What an expression can see where it stands: facts, names that rules bound, and what the policy declares.

Owns which facts there are in an event, and so which names are users'.
"""

from __future__ import annotations

from collections.abc import Iterable

from dsl.compile_setup import Setup
from dsl.decision import Facts, Outcome
from dsl.users import User
from dsl.vocabulary import FACTS, Type

_ATTRIBUTES = {"diverted by": "diverted_by", "held for": "held_for"}


def facts_in(events: Iterable[str]) -> dict[str, Type]:
    """The facts that all of these events have, with their types."""
    first, *others = (FACTS[event] for event in events)
    return {name: fact.type for name, fact in first.items() if all(name in facts for facts in others)}


class View:
    """`names` are those that rules and subs bound, `parties` those of them that are users."""

    def __init__(self, setup: Setup, facts: Facts, outcome: Outcome | None, known: dict[str, Type]) -> None:
        self.setup = setup
        self.facts = facts
        self.outcome = outcome
        self.known = known
        self.names: dict[str, object] = {}
        self.parties: frozenset[str] = frozenset()

    def inner(self) -> View:
        """The same for the rules inside: what they bind stays with them."""
        return self.with_names(self.names, self.parties)

    def with_names(self, names: dict[str, object], parties: frozenset[str]) -> View:
        """The same with other names."""
        view = View(self.setup, self.facts, self.outcome, self.known)
        view.names = dict(names)
        view.parties = parties
        return view

    @property
    def users(self) -> dict[str, User]:
        """All users by name."""
        return self.setup.directory.users

    def fact(self, name: str) -> object:
        """The value of a fact that is known here."""
        held_by: object = self.facts
        if self.outcome is not None and name in self.outcome.__struct_fields__:
            held_by = self.outcome
        return getattr(held_by, _ATTRIBUTES.get(name, name))
