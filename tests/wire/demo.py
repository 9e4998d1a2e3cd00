"""The flows of the office, played with real phones, each with its ladder and the rules that decided it.

Owns what `scripts/demo` shows: two baresips, a SIPp gateway where the trunk leads, and the office as it is
shipped, all on loopback, on ports that are free.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .baresip import Baresip
from .lab import GATEWAY, Lab
from .ladder import Traced, draw, read_trace
from .program import WireError
from .server import Server

OFFICE = Path(__file__).parents[2] / "examples" / "office" / "office.route"


class Demo:
    """One run: what was shown so far is `_shown` octets of the server's trace."""

    def __init__(self, lab: Lab, alice: Baresip, bob: Baresip) -> None:
        self.lab = lab
        self._shown = 0
        self.alice = alice
        self.bob = bob
        self._names = {str(alice.address): "alice", str(bob.address): "bob", str(GATEWAY): "gateway"}

    def play(self, title: str, flow: Callable[[Demo], None], legs: int) -> None:
        """Play one flow and print its ladder, its records and the rules that decided it."""
        flow(self)
        trace_file = self.lab.server.trace
        records = [self.lab.server.records(call_id, legs) for call_id in self._calls()[:1]] if legs else []
        trace = read_trace(trace_file, start=self._shown)
        self._shown = trace_file.stat().st_size
        print(f"\n{title}\n{'-' * len(title)}")
        print("\n".join(draw(trace, self._names)))
        for rows in records:
            self._print_records(rows)

    def _calls(self) -> list[str]:
        """The Call-IDs of the callers' INVITEs in what was not shown yet, in order."""
        trace = read_trace(self.lab.server.trace, start=self._shown)
        return list(dict.fromkeys(t.message.header("Call-ID") for t in trace if _begins_call(t)))

    def _print_records(self, rows: list[dict[str, object]]) -> None:
        for row in rows:
            answered = "answered" if row["answer"] is not None else "not answered"
            way = f"{row['direction']:3} {row['caller']} to {row['callee']}"
            print(f"  leg {row['leg']} {way}: {row['cause']}, {answered}")
        script = self.lab.server.policy.read_text(encoding="utf-8").splitlines()
        for line, column in re.findall(r"(\d+):(\d+)", str(rows[0]["rules"])):
            print(f"  decided by {self.lab.server.policy.name}:{line}:{column}: {script[int(line) - 1].strip()}")


def _begins_call(traced: Traced) -> bool:
    return traced.incoming and traced.message.start.startswith("INVITE ")


def basic_call(demo: Demo) -> None:
    """Alice calls bob, they talk for a second and a half, alice hangs up."""
    demo.alice.dial("bob")
    demo.bob.wait("CALL_INCOMING")
    demo.bob.command("accept")
    demo.alice.wait("CALL_ESTABLISHED")
    demo.bob.wait_heard(1.5)
    demo.alice.hang_up()
    demo.bob.wait("CALL_CLOSED")


def redirected(demo: Demo) -> None:
    """Alice calls the support line, which is elsewhere."""
    before = len(demo.alice.program.lines())
    demo.alice.dial("support")
    demo.alice.program.wait_line(r"^SIP/2\.0 302 ", 10.0, after=before)
    demo.alice.wait("CALL_CLOSED")


def busy(demo: Demo) -> None:
    """Alice calls bob, who is busy."""
    demo.alice.dial("bob")
    demo.bob.wait("CALL_INCOMING")
    demo.bob.hang_up()
    demo.alice.wait("CALL_CLOSED")


def forwarded(demo: Demo) -> None:
    """Alice calls frank, whose calls go to his mobile through the trunk."""
    with demo.lab.gateway("answer-hang-up", talk=500) as gateway:
        demo.alice.dial("frank")
        demo.alice.wait("CALL_ESTABLISHED")
        demo.alice.wait("CALL_CLOSED")
        gateway.wait()


def main() -> int:
    """Play everything; 1 with a message when something did not happen."""
    folder = Path(tempfile.mkdtemp(prefix="b2bua-demo-"))
    print(f"the office on loopback; logs in {folder}")
    try:
        with Server(OFFICE, folder) as server, Lab(server, folder) as lab:
            demo = Demo(lab, lab.phone("alice"), lab.phone("bob"))
            for title, flow, legs in FLOWS:
                demo.play(title, flow, legs)
    except WireError as problem:
        print(f"the demo stopped: {problem}", file=sys.stderr)
        return 1
    return 0


FLOWS: tuple[tuple[str, Callable[[Demo], None], int], ...] = (
    ("alice and bob register", lambda demo: None, 0),
    ("a basic call: alice calls bob, and hangs up", basic_call, 2),
    ("redirected: alice calls the support line", redirected, 1),
    ("busy: bob declines", busy, 2),
    ("forwarded: alice calls frank, who is reached through the trunk", forwarded, 2),
)


if __name__ == "__main__":
    sys.exit(main())
