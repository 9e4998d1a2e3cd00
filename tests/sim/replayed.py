"""What was recorded of the decisions of a run, put together as the store does it, and decided again."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from b2bua.effects import Recording as Handed
from b2bua.routing.recording import Recording
from dsl.plan.recorded import Recorded, Version, read_recorded, read_version
from dsl.plan.replay import Replay


def documents(recordings: Iterable[Handed]) -> dict[str, Recorded]:
    """The record of each call."""
    found: dict[str, str] = {}
    for recording in recordings:
        whole = recording.whole()
        if whole is not None:
            found[recording.call] = whole.decode()
        else:
            document = found[recording.call]
            assert document.endswith("]}")
            found[recording.call] = document[:-2] + "".join(f",{event}" for event in recording.further()) + "]}"
    return {call: read_recorded(document) for call, document in found.items()}


def versions(recordings: Iterable[Handed]) -> dict[str, Version]:
    """The versions that decided them."""
    return {recording.version: read_version(recording.version_document()) for recording in recordings}


def _by_version(call: Recorded) -> list[tuple[str, Recorded]]:
    """What each version decided of a call: one, and another after it only where that was replaced too long ago."""
    deciders = dict.fromkeys(event.decision.policy for event in call.events)
    return [
        (
            version,
            msgspec.structs.replace(
                call, events=tuple(event for event in call.events if event.decision.policy == version)
            ),
        )
        for version in deciders
    ]


def unlike(recordings: list[Handed]) -> list[str]:
    """Each call that the very policies that decided it would not decide alike again, or cannot."""
    known = versions(recordings)
    policies = {recording.version: recording.policy for recording in recordings if isinstance(recording, Recording)}
    replays = {version: Replay(policy, known) for version, policy in policies.items()}
    calls = documents(recordings)
    found = [(call, replays[version].of(part)) for call in calls.values() for version, part in _by_version(call)]
    return [f"{call.call}: {msgspec.to_builtins(other)}" for call, other in found if other is not None]
