"""What a server shows, for eyes: tables of calls, registrations, users, trunks and the like, and its status.

Owns the form: no line is wider than the `width` that is asked for, and `now` is in wall seconds. The values are those
of `b2bua.core`'s views, as JSON brought them. Leaves one user, and one trunk, to `show_one`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from b2bua.operator.columns import aligned, cut, printable


def calls(rows: Sequence[Mapping[str, Any]], now: float, width: int | None = None) -> str:
    """One line a call, the oldest first."""
    if not rows:
        return "no calls"
    talking = sum(row["answered"] is not None for row in rows)
    return f"{call_table(rows, now, width)}\n{counted(len(rows), 'call', f'{talking:,} talking')}"


def call_table(rows: Sequence[Mapping[str, Any]], now: float, width: int | None) -> str:
    """The same without the line that sums up."""
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
    head = ("CALL", "CALLER", "CALLEE", "LEGS", "SINCE", "TALKING", "RULES")
    return table(head, lines, ("CALL", "SINCE", "TALKING"), width)


def registrations(rows: Sequence[Mapping[str, Any]], now: float, width: int | None = None) -> str:
    """One line a binding, by user."""
    if not rows:
        return "no registrations"
    lost = some(sum(not row["reachable"] for row in rows), "unreachable")
    users = f"of {counted(len({row['user'] for row in rows}), 'user')}"
    return f"{registration_table(rows, width)}\n{counted(len(rows), 'phone')} {users}" + (f", {lost}" if lost else "")


def registration_table(rows: Sequence[Mapping[str, Any]], width: int | None) -> str:
    """The same without the line that sums up."""
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
    return table(("USER", "CONTACT", "REACHED BY", "EXPIRES", "PHONE"), lines, ("USER", "EXPIRES"), width)


def users(rows: Sequence[Mapping[str, Any]], now: float, width: int | None = None) -> str:
    """One line an account, in the order of its file."""
    if not rows:
        return "no users"
    lines = [
        (
            row["name"],
            row["extension"] or "-",
            row["display"] or "-",
            str(row["phones"]) + (f" ({row['unreachable']} unreachable)" if row["unreachable"] else ""),
            "-" if row["expires"] is None else clock(row["expires"]),
            str(row["calls"]),
        )
        for row in rows
    ]
    here, busy = sum(row["phones"] > 0 for row in rows), sum(row["calls"] > 0 for row in rows)
    summed = counted(len(rows), "user", f"{here:,} registered", some(busy, "in a call"))
    head = ("USER", "DIAL", "NAME", "PHONES", "EXPIRES", "CALLS")
    return f"{table(head, lines, ('USER', 'DIAL', 'EXPIRES', 'CALLS'), width)}\n{summed}"


def limits(rows: Sequence[Mapping[str, Any]], now: float, width: int | None = None) -> str:
    """One line for each limit, or for each of those that have used most of it."""
    if not rows:
        return "the policy has no limits"
    lines = [
        (
            row["name"],
            "at once" if row["per"] is None else f"in {clock(row['per'])}",
            "" if row["each"] is None else used["key"] or "-",
            f"{used['used']:,}/{used['most']:,}",
            "full" if used["used"] >= used["most"] else "",
        )
        for row in rows
        for used in row["used"] or [{"key": "", "used": 0, "most": row["count"]}]
    ]
    hidden = sum(row["keys"] - len(row["used"]) for row in rows)
    full = sum(row["full"] > 0 for row in rows)
    summed = counted(len(rows), "limit", f"{full:,} full", some(hidden, "values with less not shown"))
    return f"{table(('LIMIT', 'COUNTS', 'FOR', 'USED', ''), lines, ('COUNTS', 'USED', ''), width)}\n{summed}"


def transports(rows: Sequence[Mapping[str, Any]], now: float, width: int | None = None) -> str:
    """One line a listen address."""
    lines = [
        (
            row["listen"],
            f"{row['received']:,}",
            f"{row['sent']:,}",
            f"{row['dropped']:,}" if datagrams else "-",
            "-" if datagrams else f"{row['connections']:,}",
            "-" if datagrams else f"{row['taken']:,}",
            "-" if datagrams else f"{row['opened']:,}",
            "-" if row["certificate"] is None else f"{row['certificate']} days",
        )
        for row in rows
        for datagrams in [row["listen"].startswith("udp:")]
    ]
    open_now = sum(row["connections"] for row in rows)
    head = ("LISTENS ON", "RECEIVED", "SENT", "DROPPED", "CONNECTIONS", "TAKEN", "OPENED", "CERTIFICATE")
    return f"{table(head, lines, head, width)}\n{len(rows)} listen addresses, {counted(open_now, 'connection')}"


def trunks(rows: Sequence[Mapping[str, Any]], now: float, width: int | None = None) -> str:
    """One line a trunk, in the policy's order."""
    if not rows:
        return "no trunks"
    lines = [
        (
            row["name"],
            row["uri"],
            row["state"],
            clock(now - row["since"]),
            registered(row, now),
            str(row["channels"]) + ("" if row["limit"] is None else f"/{row['limit']}"),
            f"{row['calls_ok']}/{row['calls_failed']}",
            "-" if row["latency"] is None else f"{1000 * row['latency']:.0f} ms",
            last_failure(row, now),
            row["why"] or row["registration_why"],
        )
        for row in rows
    ]
    head = ("TRUNK", "URI", "STATE", "FOR", "REGISTERED", "CHANNELS", "OK/FAILED", "CHECK", "LAST FAILURE", "WHY")
    up = sum(row["state"] == "up" for row in rows)
    summed = counted(
        len(rows), "trunk", f"{up:,} up", some(sum(row["channels"] for row in rows), "of their channels in use")
    )
    return f"{table(head, lines, ('TRUNK', 'STATE', 'FOR', 'CHANNELS'), width)}\n{summed}"


def policies(rows: Sequence[Mapping[str, Any]], now: float, width: int | None = None) -> str:
    """One line a version, what new calls follow first."""
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
    summed = f"{counted(len(rows), 'version')}, {counted(sum(row['calls'] for row in rows), 'call')}"
    head = ("VERSION", "POLICY", "STATE", "FOR", "CALLS", "WHY")
    return f"{table(head, lines, ('VERSION', 'STATE', 'FOR', 'CALLS'), width)}\n{summed}"


def registered(row: Mapping[str, Any], now: float) -> str:
    """How long a registration still lasts, or what has become of it."""
    if row["registration"] == "registered" and row["registered_until"] is not None:
        return clock(row["registered_until"] - now)
    return "-" if row["registration"] == "off" else str(row["registration"])


def last_failure(row: Mapping[str, Any], now: float) -> str:
    """What failed last at a trunk, and when."""
    if row["last_failure_at"] is None:
        return "-"
    return f"{row['last_failure']}, {clock(now - row['last_failure_at'])} ago"


def status(shown: Mapping[str, Any], now: float, width: int | None = None) -> str:
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
    text = "\n".join(lines)
    return text if width is None else "\n".join(cut(line, width) for line in text.split("\n"))


def _names(shown: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How many there are, then which targets are passed over, and how long still."""
    counts = [(name, str(number)) for name, number in shown.items() if name != "passed over"]
    return counts + [(f"passed over: {at}", clock(seconds)) for at, seconds in shown["passed over"].items()]


def clock(seconds: float) -> str:
    """A duration as `m:ss` or `h:mm:ss`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], whole: Collection[str] = (), width: int | None = None
) -> str:
    """Columns under their heads. What is not printable, in a name that a peer gave, is escaped.

    With a `width`, no line is wider; the columns of these heads are then left `whole` as long as others can be cut.
    """
    lines = [tuple(head), *(tuple(map(printable, row)) for row in rows)]
    return aligned(lines, [column for column, name in enumerate(head) if name in whole], width)


def counted(number: int, what: str, *more: str) -> str:
    """A line that sums up: `3 calls, 2 talking`. `what` is one of them; what is `more` and not empty follows."""
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return ", ".join((f"{number:,} {what if number == 1 else plural}", *filter(None, more)))


def some(number: int, what: str) -> str:
    """`2 talking`, and nothing for none."""
    return f"{number:,} {what}" if number else ""
