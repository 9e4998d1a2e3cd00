"""SIPp 3.6 with our own scenarios: callers, phones that answer, gateways.

Owns rendering a scenario, running it and reading back what went over the wire. A scenario is SIPp's XML
with two additions, both resolved before SIPp sees it: `<include part="NAME"/>` is replaced by the file
`scenarios/parts/NAME.xml`, and `{{name}}` by a value of the test. What was rendered stays beside the logs.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from .message import Address, Message
from .ports import block, wait_bound
from .program import Program, WireError

SCENARIOS = Path(__file__).with_name("scenarios")

OCCUPIED = 6
"""Ports in a row that one SIPp takes: its own, and from the third on two for each of two media streams."""

_INCLUDE = re.compile(r'^[ \t]*<include part="([\w-]+)"/>[ \t]*\n', re.MULTILINE)
_VALUE = re.compile(r"\{\{(\w+)\}\}")
_EMPTY = re.compile(r"^[ \t]*\x00[ \t]*\n", re.MULTILINE)
DEFAULTS: Mapping[str, object] = {
    "contact": "",
    "direction": "sendrecv",
    "forwards": 70,
    "headers": "",
    "patience": 0,
    "reason": "Refused",
    "ring": 0,
    "talk": 0,
}
"""What a scenario finds when the test says nothing: times in milliseconds, header lines whole."""

_LOGGED = re.compile(r"^-{20,} (\d{4}-\S+).*\n(?:UDP|TCP) message (sent|received)[^\n]*:\n\n", re.MULTILINE)


def render(scenario: str, values: Mapping[str, object]) -> str:
    """Return the scenario as SIPp is to read it. Raises WireError for a value that the test does not give."""
    given = {**DEFAULTS, **values}
    text = (SCENARIOS / f"{scenario}.xml").read_text(encoding="utf-8")
    while _INCLUDE.search(text):
        text = _INCLUDE.sub(lambda m: (SCENARIOS / "parts" / f"{m[1]}.xml").read_text(encoding="utf-8"), text)

    def value(found: re.Match[str]) -> str:
        if found[1] not in given:
            raise WireError(f"scenario {scenario} wants a value for {found[1]!r}")
        return str(given[found[1]]) or "\0"

    # A line that is one empty value goes away whole: an empty line would end the headers.
    return _EMPTY.sub("", _VALUE.sub(value, text)).replace("\0", "")


class Sipp:
    """One SIPp process. Without `target` it waits for calls; `port` None takes a free one.

    `transport` is SIPp's own word: u1 for UDP, t1 for TCP over one connection. `rate` is in calls per second.
    `timeout` is in seconds, and what is not finished by then is a failure. Messages are logged unless
    `trace` is off, for loads.
    """

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *,
        target: Address | None = None,
        host: str = "127.0.0.1",
        port: int | None = None,
        transport: str = "u1",
        user: str = "",
        password: str = "",
        dial: str = "",
        call_id: str | None = None,
        values: Mapping[str, object] | None = None,
        calls: int = 1,
        rate: int = 100,
        timeout: float = 30.0,
        trace: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        self.address = Address(host, block(OCCUPIED, host) if port is None else port)
        self.scenario = scenario
        self.folder = _fresh(folder, f"sipp-{scenario}-{dial or user or self.address.port}")
        self._timeout = timeout
        given = {"user": user, "password": password, "media": self.address.port + 2} | dict(values or {})
        file = self.folder / "scenario.xml"
        file.write_text(render(scenario, given), encoding="utf-8")
        command = ["sipp", "-sf", str(file), "-nostdin", "-bind_local", "-t", transport, "-max_socket", "50"]
        command += ["-i", host, "-p", str(self.address.port), "-mi", host, "-mp", str(self.address.port + 2)]
        command += ["-m", str(calls), "-r", str(rate), "-l", str(calls)]
        command += ["-timeout", f"{timeout:g}", "-timeout_error"]
        command += ["-trace_err", "-error_file", str(self.folder / "errors.log")]
        if trace:
            command += ["-trace_msg", "-message_file", str(self.folder / "messages.log")]
        if user:
            command += ["-au", user, "-ap", password]
            # SIPp's own idea of the digest's uri is not the Request-URI.
            command += ["-auth_uri", f"{dial}@{target}" if dial else f"{target}"]
        if dial:
            command += ["-s", dial]
        if call_id:
            command += ["-cid_str", call_id]
        command += options
        if target is not None:
            command.append(str(target))
        self.program = Program(command, self.folder / "screen.log")
        if target is None:
            wait_bound(self.program, host, self.address.port, "tcp" if transport.startswith("t") else "udp")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.program.stop()

    def wait(self) -> None:
        """Return when every call went as the scenario says; WireError with SIPp's reasons otherwise."""
        code = self.program.wait(self._timeout + 10.0)
        if code:
            raise WireError(f"SIPp {self.scenario} ended with {code} ({self.folder})\n{self._reasons()}")

    def messages(self) -> list[Message]:
        """All messages so far, in order."""
        with contextlib.suppress(FileNotFoundError):
            return read_messages((self.folder / "messages.log").read_text(encoding="utf-8", errors="replace"))
        return []

    def received(self, start: str) -> list[Message]:
        """The messages received whose start line matches the regular expression `start` at its beginning."""
        return [m for m in self.messages() if m.direction == "received" and re.match(start, m.start)]

    def sent(self, start: str) -> list[Message]:
        """The messages sent whose start line matches the regular expression `start` at its beginning."""
        return [m for m in self.messages() if m.direction == "sent" and re.match(start, m.start)]

    def wait_received(self, start: str, *, timeout: float = 10.0) -> Message:
        """Return the first message received whose start line matches, waiting for SIPp to log it."""
        return self._await(lambda: self.received(start), f"received {start!r}", timeout)

    def wait_sent(self, start: str, *, timeout: float = 10.0) -> Message:
        """Return the first message sent whose start line matches, waiting for SIPp to log it."""
        return self._await(lambda: self.sent(start), f"sent {start!r}", timeout)

    def _await(self, look: Callable[[], list[Message]], what: str, timeout: float) -> Message:
        deadline = time.monotonic() + timeout
        while True:
            if found := look():
                return found[0]
            if time.monotonic() > deadline:
                raise WireError(f"SIPp {self.scenario} never {what} ({self.folder})\n{self._reasons()}")
            time.sleep(0.01)

    def _reasons(self) -> str:
        parts = []
        with contextlib.suppress(FileNotFoundError):
            parts.append((self.folder / "errors.log").read_text(encoding="utf-8", errors="replace")[:4000])
        parts += [f"  {m.direction}: {m.start}" for m in self.messages()[-30:]]
        return "\n".join(parts) or self.program.tail()


def read_messages(log: str) -> list[Message]:
    """Read SIPp's message log, line ends made plain."""
    text = log.replace("\r\n", "\n")
    marks = list(_LOGGED.finditer(text))
    if not marks:
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        Message("sent" if mark[2] == "sent" else "received", text[mark.end() : end].rstrip("\n") + "\n")
        for mark, end in zip(marks, ends, strict=True)
    ]


def _fresh(parent: Path, name: str) -> Path:
    for number in range(1000):
        folder = parent / (name if number == 0 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise WireError(f"a thousand folders named {name} in {parent}")
