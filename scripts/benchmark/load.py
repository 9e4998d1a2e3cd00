"""SIPp as caller and called, and what the two counted.

Owns the command lines of SIPp 3.6 and the reading of its statistics file (`-trace_stat`), one row a second, and of
the times of its messages (`-trace_shortmsg`): its response times (`-trace_rtt`) are read off a clock of 4 ms.
Both SIPps share one core. Leaves the judgement of what was counted to `measure`.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmark.failure import BenchError
from benchmark.machine import need
from benchmark.process import Cpu, Process

SCENARIOS = Path(__file__).parent / "scenarios"
OFFICE = "127.0.0.1"
FAR = "127.0.0.2"
NUMBER = "+4930123456"
RINGING = 0.05
TALK = 0.05

MESSAGES = "sipp-messages"
"""The file of a timed caller's messages: date, time, seconds since the epoch, S(ent) or R(eceived), Call-ID, CSeq and
first line, between tabs.
"""

_POLL = 0.01
_PATIENCE = 8.0
"""Seconds that a caller waits for an answer before its call counts as failed."""
_START = 0.3
_LAST_WORDS = 2.3
"""Seconds: the second that a called SIPp keeps a call after its BYE, and the second between two rows."""
_ADDRESS_TAKEN = 254
_BUFFER = 4_000_000
"""Octets of SIPp's socket buffers, so that what is lost is lost by the server."""
_COMPLAINTS = 200_000
_MESSAGES = 100_000_000
"""Octets that a file of complaints, or one of messages too, may have."""
# SIPp's next entry, which begins with a date, may stand on the same line.
_UNEXPECTED = re.compile(r"Aborting call on .*?(?=\d{4}-\d\d-\d\d\t|\n|\Z)")
_REASONS = {
    "FailedTimeoutOnRecv(C)": "unanswered",
    "FailedMaxUDPRetrans(C)": "unanswered to the last retransmission",
    "FailedUnexpectedMessage(C)": "answered with what was not expected",
    "FailedCannotSendMessage(C)": "not sent",
}


@dataclass(frozen=True)
class Ports:
    """All ports of a run, counted from one: 100 of them."""

    base: int = 29500

    @property
    def server(self) -> int:
        """Where the server listens, on OFFICE."""
        return self.base

    @property
    def caller(self) -> int:
        """Where the calling SIPp is, on OFFICE."""
        return self.base + 2

    @property
    def called(self) -> int:
        """Where the called SIPp is, on FAR."""
        return self.base + 4

    @property
    def held(self) -> int:
        """Where the SIPps are that hold calls for their media."""
        return self.base + 6

    @property
    def media(self) -> tuple[int, int]:
        """The server's own for media, the first and the last, on OFFICE."""
        return self.base + 20, self.base + 99

    def side_doors(self, port: int) -> list[str]:
        """SIPp's control and media ports, beside each of its SIP ports."""
        return ["-cp", str(port + 5), "-mp", str(port + 10)]


@dataclass(frozen=True)
class Plan:
    """A load: what is begun how often, for how long (seconds), and how long each call lasts once answered.

    `users` is SIPp's file of users for a registration, None for a call. Where calls are `timed`, the called side
    answers at once, SIPp comes first on its core, and the caller's messages are written down with their times.
    """

    rate: int
    count: int
    talk: float = TALK
    users: Path | None = None
    number: str = NUMBER
    timed: bool = False

    @property
    def ringing(self) -> float:
        """How long each call rings, in seconds."""
        return 0.0 if self.timed else RINGING

    @property
    def seconds(self) -> float:
        """How long it takes to begin them all."""
        return self.count / self.rate


@dataclass(frozen=True)
class Row:
    """What one SIPp had counted after that many seconds."""

    elapsed: float
    created: int
    current: int
    successful: int
    failed: int
    retransmissions: int
    reasons: str


class _Statistics:
    """SIPp's statistics file, read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._names: list[str] = []

    def rows(self) -> list[Row]:
        """The rows that were written since this was last asked."""
        if not self._path.exists():
            return []
        with self._path.open() as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole)
        lines = [line.split(";") for line in whole.splitlines()]
        if lines and not self._names:
            self._names = lines.pop(0)
        return [self._row(dict(zip(self._names, line, strict=False))) for line in lines]

    @staticmethod
    def _row(field: dict[str, str]) -> Row:
        # A time is written three ways, between tabs: date, time of day, seconds since the epoch.
        start, now = (float(field[name].split("\t")[-1]) for name in ("StartTime", "CurrentTime"))
        created, current, successful, failed, again = (
            int(field[name])
            for name in (
                "TotalCallCreated",
                "CurrentCall",
                "SuccessfulCall(C)",
                "FailedCall(C)",
                "Retransmissions(C)",
            )
        )
        found = [f"{field[name]} {reason}" for name, reason in _REASONS.items() if field[name] != "0"]
        return Row(now - start, created, current, successful, failed, again, ", ".join(found))


def sipp(stem: Path, address: str, port: int, core: int, more: list[str], timed: bool = False) -> Process:
    """Start a SIPp on a core; what it counts and complains of goes to the files `stem` .csv, .err and .log.

    One that is `timed` comes first on its core, and may write many messages down.
    """
    argv = [need("sipp"), "-i", address, "-p", str(port), "-nostdin"]
    statistics = ["-trace_stat", "-fd", "1", "-stf", f"{stem}.csv"]
    errors = ["-trace_err", "-error_file", f"{stem}.err", "-max_log_size", str(_MESSAGES if timed else _COMPLAINTS)]
    argv += [*statistics, *errors, "-buff_size", str(_BUFFER), *more]
    return Process(argv, core=core, log=stem.with_suffix(".log"), cwd=stem.parent, first=timed)


class Load:
    """One load on one server, in a folder of its own; leaving the context ends both SIPps."""

    def __init__(self, plan: Plan, target: str, ports: Ports, core: int, folder: Path) -> None:
        self.plan = plan
        self._stack = contextlib.ExitStack()
        self._folder, self._core, self._ports = folder, core, ports
        self._called: Process | None = None
        for old in folder.glob("sipp-*"):
            old.unlink()
        # Calls end by themselves; should they not, SIPp does.
        self._lifetime = plan.seconds + plan.talk + 2 * _PATIENCE + 10
        with contextlib.ExitStack() as started:
            if plan.users is None:
                self._called = started.enter_context(self._sipp("called", FAR, ports.called, self._uas()))
                time.sleep(_START)
                self._check(self._called, "called")
            self._caller = started.enter_context(self._sipp("caller", OFFICE, ports.caller, [*self._uac(), target]))
            self._stack = started.pop_all()
        self._counted = {role: _Statistics(folder / f"sipp-{role}.csv") for role in ("caller", "called")}
        self._last: dict[str, Row] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _sipp(self, role: str, address: str, port: int, more: list[str]) -> Process:
        stem = self._folder / f"sipp-{role}"
        return sipp(stem, address, port, self._core, [*self._ports.side_doors(port), *more], self.plan.timed)

    @staticmethod
    def _check(sipp: Process, role: str) -> None:
        code = sipp.exit_code()
        if code is not None:
            why = "its address is taken" if code == _ADDRESS_TAKEN else sipp.last_words()
            raise BenchError(f"the {role} SIPp ended with {code}: {why}")

    def _uas(self) -> list[str]:
        lifetime = str(int(self._lifetime + _PATIENCE))
        # SIPp 3.6 takes a repeated INVITE or ACK for an unexpected one once it has sent twice after it: such are
        # passed over, and a call that no BYE reached shows in the end.
        lenient = ["-default_behaviors", "all,-abortunexp"]
        scenario = "answer.xml" if self.plan.timed else "uas.xml"
        what = ["-sf", str(SCENARIOS / scenario), "-d", str(int(self.plan.ringing * 1000))]
        return [*what, *lenient, "-timeout", lifetime]

    def _uac(self) -> list[str]:
        plan = self.plan
        if plan.users is None:
            what = ["-sf", str(SCENARIOS / "uac.xml"), "-d", str(int(plan.talk * 1000)), "-s", plan.number]
        else:
            what = ["-sf", str(SCENARIOS / "register.xml"), "-inf", str(plan.users)]
        if plan.timed:
            what += ["-trace_shortmsg", "-shortmessage_file", str(self._folder / MESSAGES)]
        # Two seconds' worth of calls may be open: past that SIPp begins no more, and the rate was not held.
        at_once = int(plan.rate * (plan.talk + 2.0)) + 100
        many = ["-r", str(plan.rate), "-m", str(plan.count), "-l", str(at_once)]
        ends = [
            "-recv_timeout",
            str(int(_PATIENCE * 1000)),
            "-timeout",
            str(int(self._lifetime)),
            "-timeout_error",
        ]
        return [*what, *many, *ends]

    def cpu(self) -> Cpu:
        """What both SIPps have used so far."""
        return sum((sipp.cpu() for sipp in (self._caller, self._called) if sipp is not None), Cpu())

    def rows(self) -> Iterator[Row]:
        """The caller's rows, each as it is written, until it has ended."""
        deadline = time.monotonic() + self._lifetime + _PATIENCE
        ended = False
        while not ended:
            ended = self._caller.exit_code() is not None
            for row in self._counted["caller"].rows():
                self._last["caller"] = row
                yield row
            if time.monotonic() > deadline:
                raise BenchError("the calling SIPp did not end")
            if not ended:
                time.sleep(_POLL)
        if "caller" not in self._last:
            self._check(self._caller, "calling")

    def wait_for_called(self) -> None:
        """Let the called side end its calls, and write once more what it has counted."""
        if self._called is not None:
            time.sleep(_LAST_WORDS)
            self._check(self._called, "called")

    def last(self, role: str) -> Row:
        """What that side had counted when it last wrote; nothing yet is a row of zeros."""
        for row in self._counted[role].rows():
            self._last[role] = row
        return self._last.get(role, Row(0.0, 0, 0, 0, 0, 0, ""))

    def complaint(self) -> str:
        """The first message that a SIPp did not expect, on one line; empty when there was none."""
        for role in ("caller", "called"):
            path = self._folder / f"sipp-{role}.err"
            if path.exists():
                unexpected = _UNEXPECTED.search(path.read_text(errors="replace"))
                if unexpected:
                    return f"{role}: {unexpected[0][:160]}"
        return ""
