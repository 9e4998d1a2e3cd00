"""The flows of the office, played with real phones: the ladder of each, what was heard, the rules that decided it.

Owns what `scripts/demo` shows: two baresips, a SIPp gateway where the trunk leads, and the office as it is
shipped, all on loopback, on ports that are free.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from . import hearing, music
from .baresip import Baresip
from .codecs import PCMU
from .lab import Lab
from .program import WireError
from .server import Server
from .talk import SOON, Talk
from .tap import Tap
from .trace import Traced, read_trace

OFFICE = Path(__file__).parents[2] / "examples" / "office" / "office.route"


class Demo:
    """One run: what was shown so far is `_shown` octets of the server's trace."""

    def __init__(self, lab: Lab, tap: Tap, alice: Baresip, bob: Baresip) -> None:
        self.lab = lab
        self.tap = tap
        self._heard: list[str] = []
        self._shown = 0
        self.alice = alice
        self.bob = bob

    def play(self, title: str, flow: Callable[[Demo], None], legs: int) -> None:
        """Play one flow, which leaves a call of so many `legs`, and print its ladder; without a call, who is there."""
        flow(self)
        server = self.lab.server
        print(f"\n{title}\n{'-' * len(title)}")
        for call_id in self._calls()[:1]:
            server.records(call_id, legs)
            print(server.ask("show", "call", call_id))
        if not legs:
            print(server.ask("show", "registrations"))
        print("".join(f"heard: {line}\n" for line in self._heard), end="")
        self._heard.clear()
        self._shown = server.trace.stat().st_size

    def hears(self, what: str, likeness: float) -> None:
        """Say what somebody hears, and how like it is."""
        if likeness < music.SAME:
            raise WireError(f"{what}? it is only {likeness:.2f} like it")
        self._heard.append(f"{what}, likeness {likeness:.2f}")

    def says(self, what: str) -> None:
        """Say more of what was heard."""
        self._heard.append(what)

    def talk(self) -> Talk:
        """Let alice call bob, and bob answer."""
        begun = time.time()
        self.alice.dial("bob")
        self.bob.wait("CALL_INCOMING")
        self.bob.command("accept")
        return Talk.established(self.tap, self.alice, self.bob, since=begun)

    def _calls(self) -> list[str]:
        """The Call-IDs of the callers' INVITEs in what was not shown yet, in order."""
        trace = read_trace(self.lab.server.trace, start=self._shown)
        return list(dict.fromkeys(t.message.header("Call-ID") for t in trace if _begins_call(t)))


def _begins_call(traced: Traced) -> bool:
    return traced.incoming and traced.message.start.startswith("INVITE ")


def basic_call(demo: Demo) -> None:
    """Alice calls bob, they talk, alice hangs up."""
    talk = demo.talk()
    for phone in (talk.caller, talk.callee):
        demo.hears(f"{phone.user} hears {talk.other(phone).user}", talk.hears_other(phone, since=talk.since))
    talk.hang_up()


def echo(demo: Demo) -> None:
    """Alice calls a number at which she hears herself."""
    demo.alice.dial("*43")
    demo.alice.wait("CALL_ESTABLISHED")
    demo.alice.wait_heard(1.5)
    demo.hears("alice hears herself", demo.alice.likeness(demo.alice))
    demo.alice.hang_up()
    demo.alice.wait("CALL_CLOSED")


def held(demo: Demo) -> None:
    """Alice calls bob and holds the call: he hears music until she is back."""
    talk = demo.talk()
    demo.hears("bob hears alice", talk.hears_other(demo.bob, since=talk.since))
    asked = talk.hold(demo.alice)
    jazz = music.read(OFFICE.parent / "sounds" / "jazz.wav")
    played = talk.hears_music(demo.bob, jazz, since=asked)
    demo.hears("bob hears the jazz while he waits", hearing.likeness(played, PCMU, jazz))
    back = talk.resume(demo.alice)
    demo.hears("bob hears alice again", talk.hears_other(demo.bob, since=back + SOON))
    demo.hears("alice hears bob again", talk.hears_other(demo.alice, since=back + SOON))
    last = hearing.when_last_packet(talk.music_of(demo.bob, since=asked))
    gap = hearing.longest_gap(played)
    demo.says(
        f"the jazz began {1000 * (played[0].time - asked):.0f} ms after the hold, had no gap over {1000 * gap:.0f} ms, "
        f"and ended {1000 * max(0.0, last - back):.0f} ms after the resume"
    )
    talk.hears_no_music(demo.alice)
    demo.says("alice hears none of it")
    talk.hang_up()


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
        with Server(OFFICE, folder) as server, Lab(server, folder) as lab, Tap() as tap:
            demo = Demo(lab, tap, lab.phone("alice"), lab.phone("bob"))
            for title, flow, legs in FLOWS:
                demo.play(title, flow, legs)
    except WireError as problem:
        print(f"the demo stopped: {problem}", file=sys.stderr)
        return 1
    except PermissionError as problem:
        print(f"the demo listens to what goes over loopback, which takes CAP_NET_RAW: {problem}", file=sys.stderr)
        return 1
    return 0


FLOWS: tuple[tuple[str, Callable[[Demo], None], int], ...] = (
    ("alice and bob register", lambda demo: None, 0),
    ("a basic call: alice calls bob, and hangs up", basic_call, 2),
    ("redirected: alice calls the support line", redirected, 1),
    ("answered by the server: alice calls the echo", echo, 1),
    ("busy: bob declines", busy, 2),
    ("hold, music, and back: alice holds bob", held, 2),
    ("forwarded: alice calls frank, who is reached through the trunk", forwarded, 2),
)


if __name__ == "__main__":
    sys.exit(main())
