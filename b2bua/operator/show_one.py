"""One user, or one trunk, with all that a server knows of it, for eyes.

Owns the form. The values are those of `b2bua.core`'s views, as JSON brought them; `now` is in wall seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from b2bua.operator.columns import cut, printable
from b2bua.operator.show import call_table, clock, counted, last_failure, registered, registration_table


def user(shown: Mapping[str, Any], now: float, width: int | None = None) -> str:
    """What the account is, its phones, its calls, and what it has used of limits."""
    of = shown["user"]
    facts = [
        ("user", of["name"]),
        ("name", of["display"]),
        ("extension", of["extension"]),
        ("number", of["number"]),
        *shown["attributes"].items(),
        ("groups", ", ".join(shown["groups"])),
        ("proves itself by", ", ".join(shown["algorithms"])),
        *((f"limit {name}", f"{used['used']:,} of {used['most']:,} used") for name, used in shown["limits"]),
    ]
    parts = [_facts(facts, width)]
    if shown["registrations"]:
        parts.append(registration_table(shown["registrations"], width))
    parts += _calls(shown["calls"], now, width)
    phones = counted(of["phones"], "phone") if of["phones"] else "not registered"
    return "\n\n".join(parts) + f"\n{phones}, {counted(len(shown['calls']), 'call')}"


def trunk(shown: Mapping[str, Any], now: float, width: int | None = None) -> str:
    """Where the trunk is, how it is, and the calls that go through it."""
    of = shown["trunk"]
    limit = "" if of["limit"] is None else f" of {of['limit']:,}"
    check = "never" if shown["check"] is None else f"every {shown['check']:g} s"
    answer = "" if of["latency"] is None else f", answered in {1000 * of['latency']:.0f} ms"
    facts = [
        ("trunk", of["name"]),
        ("uri", of["uri"]),
        ("addresses", ", ".join(shown["addresses"])),
        ("peers", ", ".join(shown["peers"])),
        ("state", f"{of['state']} for {clock(now - of['since'])}"),
        ("why", of["why"]),
        ("account", shown["account"]),
        ("registration", _registration(of, now)),
        ("checked", check + (f", {of['check_why']}" if of["check_why"] else answer)),
        ("numbers", shown["number"]),
        ("channels", f"{of['channels']:,}{limit} in use"),
        ("calls so far", f"{of['calls_ok']:,} dealt with, {of['calls_failed']:,} failed"),
        ("last failure", "" if of["last_failure_at"] is None else last_failure(of, now)),
    ]
    parts = [_facts(facts, width), *_calls(shown["calls"], now, width)]
    return "\n\n".join(parts) + f"\n{counted(len(shown['calls']), 'call')} by this trunk"


def _registration(of: Mapping[str, Any], now: float) -> str:
    if of["registration"] == "registered":
        return f"registered for another {registered(of, now)}"
    return "" if of["registration"] == "off" else f"{of['registration']} {of['registration_why']}".rstrip()


def _calls(rows: list[Mapping[str, Any]], now: float, width: int | None) -> list[str]:
    return [call_table(rows, now, width)] if rows else []


def _facts(facts: Iterable[tuple[str, str | None]], width: int | None) -> str:
    """What is known, one below the other; what is empty is left out."""
    known = [(name, printable(text)) for name, text in facts if text]
    most = max(len(name) for name, _ in known)
    lines = [f"{name.ljust(most)}  {text}" for name, text in known]
    return "\n".join(lines if width is None else [cut(line, width) for line in lines])
