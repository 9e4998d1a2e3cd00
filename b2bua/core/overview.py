"""What an operator sees of users, limits and one trunk: plain values, taken at one moment.

Owns bringing together what the policy in force says of each, what is registered, and what is going on. Leaves calls,
registrations and trunks by themselves to `views`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from b2bua.call.call import Call
from b2bua.call.leg import Leg
from b2bua.call.outgoing import OutgoingLeg
from b2bua.core.parts import Parts
from b2bua.core.views import CallView, RegistrationView, TrunkView, call_view, registration_view
from dsl.users import User

MOST_KEYS = 10
"""Of one limit that are shown: those of which most is used."""


class UserView(msgspec.Struct, frozen=True):
    """One account. `phones` are its bindings, `unreachable` those of them that cannot be called; `expires` is in how
    many seconds the last of them ends, None without any. `calls` are those that it is in now.
    """

    name: str
    extension: str | None
    number: str | None
    display: str | None
    phones: int
    unreachable: int
    expires: int | None
    calls: int


class Used(msgspec.Struct, frozen=True):
    """How much of a limit one value of `each` has used, of how many; the value is empty for a limit of all."""

    key: str
    used: int
    most: int


class LimitView(msgspec.Struct, frozen=True):
    """One limit of the policy: so many at once, or in `per` seconds, for each `each` or in all. `keys` are those that
    have used any, `full` those for which one more would be too many, `used` the fullest of them.
    """

    name: str
    count: int
    per: float | None
    each: str | None
    keys: int
    full: int
    used: tuple[Used, ...]


class UserDetail(msgspec.Struct, frozen=True):
    """One account with all that is known of it. `groups` are those that the policy puts it in, `algorithms` those by
    which it can prove who it is, `limits` what it has used of limits for each account.
    """

    user: UserView
    attributes: dict[str, str]
    groups: tuple[str, ...]
    algorithms: tuple[str, ...]
    registrations: tuple[RegistrationView, ...]
    calls: tuple[CallView, ...]
    limits: tuple[tuple[str, Used], ...]


class TrunkDetail(msgspec.Struct, frozen=True):
    """One trunk with what its policy says of it, the addresses that its name has, and the calls through it."""

    trunk: TrunkView
    account: str | None
    number: str
    check: float | None
    peers: tuple[str, ...]
    addresses: tuple[str, ...]
    calls: tuple[CallView, ...]


class Overview:
    """Of one core. Nothing that is asked here changes anything; `wall` is seconds since the epoch."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def calls(self) -> list[CallView]:
        """Every call."""
        return [call_view(call, legs) for call, legs in self._calls(self._parts.calls)]

    def calls_since(self, since: float, ids: frozenset[str]) -> list[CallView]:
        """Those that have begun or were answered since a wall time, and those of `ids`: views of no others are made."""
        found: dict[str, Call] = {}
        for name, call in self._parts.calls.items():
            answered = call.incoming.answered_at
            if call.incoming.started_at >= since or (answered is not None and answered >= since) or name in ids:
                found[name] = call
        return [call_view(call, legs) for call, legs in self._calls(found)]

    def call_with(self, tag: str) -> str | None:
        """The id of the call with a leg whose dialog has this tag of ours."""
        leg = self._parts.stack.legs.get(tag)
        call = None if leg is None else leg.call
        return call.id if isinstance(call, Call) else None

    def dialogs_since(self, since: float) -> list[tuple[str, str]]:
        """Calls that have begun since a wall time and are not over, each with the Call-ID of its caller's dialog."""
        begun = []
        for call in reversed(self._parts.calls.values()):
            if call.incoming.started_at < since:
                break
            begun.append((call.id, call.incoming.dialog.call_id))
        return begun

    def user_names(self) -> list[str]:
        """Every account of the version in force, in the order of its files."""
        return list(self._parts.versions.current.policy.users)

    def users(self, names: Iterable[str], wall: float) -> list[UserView]:
        """These accounts, those that are gone left out."""
        users = self._parts.versions.current.policy.users
        return [self._user(users[name], wall) for name in names if name in users]

    def user(self, name: str, wall: float) -> UserDetail:
        """One account. Raises KeyError when there is none of this name."""
        policy = self._parts.versions.current.policy
        user, credential = policy.users[name], policy.directory.credentials.get(name)
        proofs = () if credential is None else (("MD5", credential.md5), ("SHA-256", credential.sha256))
        return UserDetail(
            user=self._user(user, wall),
            attributes=user.attributes,
            groups=tuple(group for group, members in policy.setup.groups.items() if name in members),
            algorithms=tuple(algorithm for algorithm, digest in proofs if digest is not None),
            registrations=tuple(registration_view(each, wall) for each in self._parts.registrar.of(name, wall)),
            calls=tuple(
                call_view(call, legs) for call, legs in self._calls(self._parts.calls) if _is_in(name, call, legs)
            ),
            limits=tuple(
                (limit.name, Used(name, used, limit.most(name)))
                for limit in policy.limits.values()
                if limit.each is not None and (used := self._parts.meters.used(limit, wall).get(name))
            ),
        )

    def trunk(self, name: str, wall: float) -> TrunkDetail:
        """One trunk. Raises KeyError when there is none of this name."""
        parts = self._parts
        view = next((view for view in parts.trunks.views(parts.meters.all_channels(), wall) if view.name == name), None)
        if view is None:
            raise KeyError(name)
        trunk = next(version.policy.trunks[name] for version in parts.versions.live if name in version.policy.trunks)
        return TrunkDetail(
            trunk=view,
            account=trunk.account,
            number=trunk.number,
            check=trunk.check,
            peers=tuple(map(str, trunk.peers)),
            addresses=parts.trunks.addresses(name),
            calls=tuple(call_view(call, legs) for call, legs in self._calls(parts.calls) if _goes_by(name, call, legs)),
        )

    def limits(self, wall: float) -> list[LimitView]:
        """Every limit of the version in force."""
        views = []
        for limit in self._parts.versions.current.policy.limits.values():
            counted = self._parts.meters.used(limit, wall)
            used = [Used(key, count, limit.most(key)) for key, count in counted.items()]
            used.sort(key=lambda each: (each.used - each.most, each.used), reverse=True)
            full = sum(each.used >= each.most for each in used)
            fullest = tuple(used[:MOST_KEYS])
            views.append(LimitView(limit.name, limit.count, limit.per, limit.each, len(used), full, fullest))
        return views

    def _user(self, user: User, wall: float) -> UserView:
        phones = self._parts.registrar.of(user.name, wall)
        return UserView(
            name=user.name,
            extension=user.extension,
            number=user.number,
            display=user.display,
            phones=len(phones),
            unreachable=sum(not phone.reachable for phone in phones),
            expires=max((int(phone.expires_at - wall) for phone in phones), default=None),
            calls=self._parts.meters.calls_of(user.name),
        )

    def _calls(self, calls: dict[str, Call]) -> list[tuple[Call, list[Leg]]]:
        """These calls, each with those of its legs that are left."""
        if not calls:
            return []
        legs: dict[str, list[Leg]] = {name: [] for name in calls}
        for leg in {id(leg): leg for leg in self._parts.stack.legs.values()}.values():
            owner = leg.call
            if isinstance(owner, Call) and owner.id in calls:
                legs[owner.id].append(leg)
        return [(call, legs[name]) for name, call in calls.items()]


def _is_in(user: str, call: Call, legs: list[Leg]) -> bool:
    return call.caller == user or any(leg.destination.party == user for leg in legs if isinstance(leg, OutgoingLeg))


def _goes_by(trunk: str, call: Call, legs: list[Leg]) -> bool:
    return call.trunk == trunk or any(leg.destination.trunk == trunk for leg in legs if isinstance(leg, OutgoingLeg))
