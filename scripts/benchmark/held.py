"""Calls that are held for the sake of their media: some listen to music of the server, some talk through its relay.

Owns the two SIPps that hold them, on the core of the others, and the phones that their media go to and come from. What
the phones are sent is counted by the kernel and goes no further, so that they weigh on nothing that is measured; those
of relayed calls talk, 50 packets a second each way.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from b2bua.media.schedule import Schedule
from benchmark.failure import BenchError
from benchmark.load import OFFICE, SCENARIOS, Ports, sipp
from benchmark.media_load import Phone
from benchmark.process import Process

TALKING = "127.0.0.4"
"""Where the called side of the relayed calls is."""
MUSIC = "*45"
RELAYED = "+4977{port:05}"
RATE = 50
"""Calls a second at which they are set up."""

_START = 0.3
_SETTLE_SECONDS = 1.0
_PATIENCE = 15.0
_POLL = 0.05
_LONGEST_REST = 0.02


@dataclass(frozen=True)
class Count:
    """What had been sent and had arrived at a time (monotonic seconds)."""

    at: float
    music: int
    said: int
    relayed: int
    missed: int


@dataclass(frozen=True)
class Media:
    """What became of the media between two counts: the part of the music and of the talk that arrived, from 0 to 1.

    `spoken` is the part of the talk that the phones came to send. Each is None where there was nothing to arrive.
    """

    music: float | None
    relayed: float | None
    spoken: float | None


class Held:
    """The calls, set up through the server; leaving the context ends them. They end by themselves after `seconds`."""

    def __init__(self, listeners: int, calls: int, ports: Ports, core: int, folder: Path, seconds: float) -> None:
        self._listening = [_deaf() for _ in range(listeners)]
        self._calling = [_deaf() for _ in range(calls)]
        self._called = [_deaf() for _ in range(calls)]
        self._ports, self._core, self._folder = ports, core, folder
        self._lifetime = seconds + self.whole / RATE + _PATIENCE
        self._said = self._missed = 0
        self._hung_up = threading.Event()
        self._stack = contextlib.ExitStack()

    @property
    def whole(self) -> int:
        """How many calls there are."""
        return len(self._listening) + len(self._calling)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as begun:
            for phone in (*self._listening, *self._calling, *self._called):
                begun.callback(phone.sock.close)
            if self.whole:
                self._set_up(begun)
            self._stack = begun.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _set_up(self, begun: contextlib.ExitStack) -> None:
        self._folder.mkdir()
        lines = [f"{MUSIC};{phone.at[1]}" for phone in self._listening]
        pairs = zip(self._calling, self._called, strict=True)
        lines += [f"{RELAYED.format(port=called.at[1])};{calling.at[1]}" for calling, called in pairs]
        users = self._folder / "calls.csv"
        users.write_text("\n".join(["SEQUENTIAL", *lines, ""]))
        called = begun.enter_context(
            self._sipp("called", TALKING, self._ports.called, ["-sf", str(SCENARIOS / "answer.xml")])
        )
        time.sleep(_START)
        many = ["-r", str(RATE), "-m", str(self.whole), "-l", str(self.whole), "-d", str(int(1e3 * self._lifetime))]
        calls = ["-sf", str(SCENARIOS / "hold.xml"), "-inf", str(users), *many, f"{OFFICE}:{self._ports.server}"]
        caller = begun.enter_context(self._sipp("caller", OFFICE, self._ports.held, calls))
        talkers = self._answered(caller, called)
        thread = threading.Thread(target=self._talk, args=(talkers,), name="talk")
        thread.start()
        begun.callback(thread.join)
        begun.callback(self._hung_up.set)
        time.sleep(_SETTLE_SECONDS)

    def _sipp(self, role: str, address: str, port: int, more: list[str]) -> Process:
        # SIPp's control port is on all addresses: that of the called side is the timed one's already.
        doors = self._ports.side_doors(self._ports.held + 2 * (role == "called"))
        logs = ["-trace_logs", "-log_file", str(self._log(role)), "-timeout", str(int(2 * self._lifetime))]
        return sipp(self._folder / role, address, port, self._core, [*doors, *logs, *more])

    def _log(self, role: str) -> Path:
        return self._folder / f"{role}.ports"

    def _answered(self, caller: Process, called: Process) -> dict[Phone, int]:
        """Wait until all calls are: the server's port for each phone that is to talk."""
        deadline = time.monotonic() + self.whole / RATE + _PATIENCE
        while True:
            calling, talked = self._logged("caller"), self._logged("called")
            if len(calling) == self.whole and len(talked) == len(self._called):
                break
            for side in (caller, called):
                if side.exit_code() is not None:
                    raise BenchError(f"the SIPp that holds calls ended with {side.exit_code()}: {side.last_words()}")
            if time.monotonic() > deadline:
                raise BenchError(f"only {len(calling)} of {self.whole} calls with media were answered")
            time.sleep(_POLL)
        talkers = {phone: calling[phone.at[1]] for phone in self._calling}
        return talkers | {phone: talked[phone.at[1]] for phone in self._called}

    def _logged(self, role: str) -> dict[int, int]:
        """The server's port by the phone's, as one side has learned so far."""
        path = self._log(role)
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return {int(own): int(theirs) for own, theirs in (line.split() for line in lines)}

    def _talk(self, talkers: dict[Phone, int]) -> None:
        now = time.monotonic()
        schedule: Schedule[Phone] = Schedule(now)
        for phone in talkers:
            schedule.add(phone, now)
        while not self._hung_up.is_set():
            for _, missed, phones in schedule.turns(time.monotonic()):
                for phone in phones:
                    phone.say((OFFICE, talkers[phone]))
                self._said += len(phones)
                self._missed += missed * len(phones)
            due = schedule.due
            time.sleep(_LONGEST_REST if due is None else max(0.0, due - time.monotonic()))

    def count(self) -> Count:
        """What has come of it so far."""
        music = sum(phone.dropped for phone in self._listening)
        relayed = sum(phone.dropped for phone in (*self._calling, *self._called))
        return Count(time.monotonic(), music, self._said, relayed, self._missed)

    def between(self, first: Count, last: Count) -> Media:
        """What became of the media from one count to another."""
        due = len(self._listening) * (last.at - first.at) / 0.02
        said, missed = last.said - first.said, last.missed - first.missed
        return Media(
            (last.music - first.music) / due if due else None,
            (last.relayed - first.relayed) / said if said else None,
            said / (said + missed) if said else None,
        )


def _deaf() -> Phone:
    phone = Phone()
    phone.deafen()
    return phone
