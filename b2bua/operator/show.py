"""What a server shows, for eyes: tables of calls, registrations and trunks, and its status.

Owns the form. The values are those of `b2bua.core`'s views, as JSON brought them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def calls(rows: Sequence[Mapping[str, Any]], now: float) -> str:
    """One line a call, the oldest first. `now` in wall seconds."""
    if not rows:
        return "no calls"
    lines = [
        (
            row["id"],
            row["caller"],
            row["callee"],
            ", ".join(f"{leg['party']} {leg['state']}" for leg in row["legs"]),
            clock(now - row["started"]),
            "-" if row["answered"] is None else clock(now - row["answered"]),
            " ".join(row["rules"]),
        )
        for row in sorted(rows, key=lambda row: row["started"])
    ]
    return table(("CALL", "CALLER", "CALLEE", "LEGS", "SINCE", "TALKING", "RULES"), lines)


def registrations(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a binding, by user."""
    if not rows:
        return "no registrations"
    lines = [
        (
            row["user"],
            row["contact"],
            f"{row['transport']}:{row['source']}" + ("" if row["reachable"] else " (unreachable)"),
            clock(row["expires"]),
            row["agent"],
        )
        for row in sorted(rows, key=lambda row: (row["user"], row["contact"]))
    ]
    return table(("USER", "CONTACT", "REACHED BY", "EXPIRES", "PHONE"), lines)


def trunks(rows: Sequence[Mapping[str, Any]], now: float) -> str:
    """One line a trunk, in the policy's order. `now` in wall seconds."""
    if not rows:
        return "no trunks"
    lines = [
        (
            row["name"],
            row["uri"],
            row["state"],
            clock(now - row["since"]),
            _registered(row, now),
            str(row["channels"]) + ("" if row["limit"] is None else f"/{row['limit']}"),
            f"{row['calls_ok']}/{row['calls_failed']}",
            "-" if row["latency"] is None else f"{1000 * row['latency']:.0f} ms",
            _last_failure(row, now),
            row["why"] or row["registration_why"],
        )
        for row in rows
    ]
    head = ("TRUNK", "URI", "STATE", "FOR", "REGISTERED", "CHANNELS", "OK/FAILED", "CHECK", "LAST FAILURE", "WHY")
    return table(head, lines)


def policies(rows: Sequence[Mapping[str, Any]], now: float) -> str:
    """One line a version, what new calls follow first. `now` in wall seconds."""
    lines = [
        (
            row["hash"] or "-",
            row["name"],
            f"on trial, {row['percent']} %" if row["state"] == "on trial" else row["state"],
            clock(now - row["since"]),
            str(row["calls"]),
            row["why"],
        )
        for row in rows
    ]
    return table(("VERSION", "POLICY", "STATE", "FOR", "CALLS", "WHY"), lines)


def _registered(row: Mapping[str, Any], now: float) -> str:
    """How long a registration still lasts, or what has become of it."""
    if row["registration"] == "registered" and row["registered_until"] is not None:
        return clock(row["registered_until"] - now)
    return "-" if row["registration"] == "off" else str(row["registration"])


def _last_failure(row: Mapping[str, Any], now: float) -> str:
    if row["last_failure_at"] is None:
        return "-"
    return f"{row['last_failure']}, {clock(now - row['last_failure_at'])} ago"


def status(shown: Mapping[str, Any], now: float) -> str:
    """A few lines, then sizes and counters."""
    policy = shown["policy"]
    lines = [
        f"b2bua {shown['version']}, process {shown['pid']}, running for {clock(now - shown['started'])}"
        + (", draining" if shown["draining"] else ""),
        f"policy {policy['name']}, version {policy['hash']}, from {policy['path']}",
        f"listens on {', '.join(shown['listen'])}",
        *(
            f"certificate {row['file']} for {', '.join(row['names']) or 'no name'}: {row['days']} days left"
            for row in shown["certificates"]
        ),
        "",
        table(("NOW", ""), [(name, str(number)) for name, number in shown["sizes"].items()]),
        "",
        table(("MEDIA", ""), [(name, str(number)) for name, number in shown["media"].items()]),
        "",
        table(("NAMES", ""), _names(shown["names"])),
        "",
        table(("SINCE THE START", ""), [(name, str(number)) for name, number in sorted(shown["counters"].items())]),
    ]
    return "\n".join(lines)


def _names(shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How many there are, then which targets are passed over, and how long still."""
    counts = [(name, str(number)) for name, number in shown.items() if name != "passed over"]
    return counts + [(f"passed over: {at}", clock(seconds)) for at, seconds in shown["passed over"].items()]


def clock(seconds: float) -> str:
    """A duration as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns under their heads. What is not printable, in a name that a peer gave, is escaped."""
    lines = [tuple(head), *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def printable(text: str) -> str:
    """The same, with what is not printable escaped: a peer's name must not write to the terminal."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text
    )
