"""Whether trunks can be found, answer, and take our registration: by what a running server knows, else by asking them.

Owns what is said of each. Leaves asking to `io.probing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import trio

from b2bua.effects import Resolve, Transport
from b2bua.io.dns_queries import Dns, NoAnswerError, NoSuchNameError
from b2bua.io.failure import ServerError
from b2bua.io.hosts import Hosts
from b2bua.io.location import Locator
from b2bua.operator.doctor.findings import Finding, failure, ok, refused, warning
from b2bua.routing.gateways import Gateway, gateways_of
from b2bua.settings import Settings
from dsl.policy import Policy

_CARRIER = "ask its operator whether it is there and lets you in; firewalls on the way have to let SIP through"
_SHOWN = 4


def names(settings: Settings, policy: Policy) -> list[Finding]:
    """Whether each trunk's name leads somewhere (RFC 3263)."""
    reach = frozenset((listener.transport, ":" in listener.host) for listener in settings.listen)
    gateways = [each for each in gateways_of(policy).values() if each.hop.address is None]
    return trio.run(_named, settings, reach, gateways) if gateways else []


async def _named(
    settings: Settings, reach: frozenset[tuple[Transport, bool]], gateways: Sequence[Gateway]
) -> list[Finding]:
    locator = Locator(reach, Dns(servers=settings.name_servers), Hosts())
    found: dict[str, Finding] = {}

    async def look(gateway: Gateway) -> None:
        found[gateway.trunk.name] = await _one_named(locator, gateway)

    async with trio.open_nursery() as nursery:
        for gateway in gateways:
            nursery.start_soon(look, gateway)
    return [found[gateway.trunk.name] for gateway in gateways]


async def _one_named(locator: Locator, gateway: Gateway) -> Finding:
    uri, name = gateway.hop.uri, gateway.trunk.name
    if not gateway.hop.available:
        return failure("names", f"trunk {name}: {gateway.trunk.uri} asks for a transport that is not spoken here", "")
    question = Resolve(0, uri.host, uri.port, gateway.hop.transport, uri.scheme == "sips")
    advice = f"mend `uri` of trunk {name}, or its name in DNS; `name_servers` in the settings says whom to ask"
    try:
        answer = locator.local(question) or await locator.find(question)
    except (NoSuchNameError, NoAnswerError) as error:
        return failure("names", f"trunk {name}: {error}", advice)
    servers = [f"{each.transport.lower()}:{each.host}" for target in answer.targets for each in target.addresses]
    if not servers:
        return failure("names", f"trunk {name}: {answer.reason or f'{uri.host} has no server'}", advice)
    more = f" and {len(servers) - _SHOWN} more" if len(servers) > _SHOWN else ""
    return ok("names", f"trunk {name}: {uri.host} is {', '.join(servers[:_SHOWN])}{more}")


def served(rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """By what the running server knows of each."""
    return [_told(row) for row in rows]


def tried(settings: Settings, policy: Policy) -> list[Finding]:
    """By a real OPTIONS to each, and a real REGISTER where we register."""
    from b2bua.io.probing import probe

    if not policy.trunks:
        return []
    try:
        return served([msgspec.to_builtins(view) for view in probe(settings, policy)])
    except ServerError as error:
        return [refused("trunks", error, "mend what is said of addresses and certificates first")]


def _told(row: Mapping[str, Any]) -> Finding:
    what, name = "trunks", row["name"]
    if row["state"] == "disabled":
        return warning(what, f"{name} is disabled by the operator", f"`b2bua trunk {name} enable` has it take calls")
    if row["state"] == "down" or row["check_why"]:
        return failure(what, f"{name} at {row['uri']}: {row['check_why'] or row['why']}", _CARRIER)
    if row["registration"] in ("refused", "waiting"):
        advice = "see its name and password: `account`, `register` and secrets.yaml"
        return failure(what, f"{name} does not register us: {row['registration_why']}", advice)
    if row["registration"] == "registering":
        return failure(what, f"{name} at {row['uri']}: no answer to REGISTER", _CARRIER)
    registered = ", we are registered there" if row["registration"] == "registered" else ""
    if row["latency"] is not None:
        return ok(what, f"{name} answers in {1000 * row['latency']:.0f} ms{registered}")
    if row["state"] == "probing":
        return warning(what, f"{name}: {row['why']}", _CARRIER)
    return ok(what, f"{name} takes calls; it has no `check`, so it is not asked whether it is there{registered}")
