"""Calls of the flows, as a server would have kept them: as cases, and in a store.

`python -m tests.operator.flow_cases` writes the ladders of `ladders/` anew, to be read before they are committed.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from functools import cache
from pathlib import Path

from b2bua.effects import Flow, Record
from b2bua.io.database import Database
from b2bua.io.history import History
from b2bua.io.state import DATABASE
from b2bua.operator.ladder.case import Case, CaseLeg
from b2bua.operator.ladder.reading import read_message
from b2bua.operator.ladder.text import told_lines
from b2bua.settings import History as Bounds
from b2bua.tape import Kept, pack
from dsl.plan.recorded import Happened, Version, read_recorded, version_of
from tests.flows.play import Performance
from tests.flows.script import read_flow

FLOWS = Path(__file__).parents[1] / "flows"
LADDERS = Path(__file__).parent / "ladders"


class Recorded(Performance):
    """A performance whose messages are kept, as a server's shell would."""

    def __init__(self, path: Path) -> None:
        super().__init__(read_flow(path))
        self.kept: list[Kept] = []
        self.overhear(self._keep)

    def _keep(self, data: bytes, flow: Flow, sent: bool) -> None:
        ends = (flow.local, flow.local_port, flow.remote, flow.remote_port)
        self.kept.append(Kept(self.stage.wall, sent, flow.transport, *ends, data))

    def calls(self) -> list[str]:
        """The ids of the calls, in the order in which they began."""
        return [record.call for record in sorted(self.stage.records, key=lambda each: each.start) if record.leg == 0]

    def records(self, call: str) -> list[Record]:
        return sorted((each for each in self.stage.records if each.call == call), key=lambda each: each.leg)

    def messages(self, call: str) -> list[Kept]:
        call_ids = {record.sip_call_id for record in self.records(call)}
        return [each for each in self.kept if read_message(each).call_id in call_ids]


@cache
def played(name: str) -> Recorded:
    """A flow, played to its end."""
    performance = Recorded(next(path for path in FLOWS.rglob(f"{name}.flow")))
    performance.play()
    assert not performance.failures
    return performance


def cases(name: str) -> list[Case]:
    """Each call of a flow."""
    return [_case(played(name), call) for call in played(name).calls()]


def ladder(name: str, width: int) -> str:
    """The ladders of a flow's calls, as they are printed in UTC."""
    return "\n\n".join("\n".join(line.text for line in told_lines(case, width)) for case in cases(name)) + "\n"


def store(name: str, folder: Path, *, with_messages: bool = True) -> list[str]:
    """A state directory with what a server would have kept of a flow; the ids of its calls."""
    performance = played(name)
    with closing(Database(folder / DATABASE)) as database:
        database.put_records(performance.stage.records)
        history = History(database, Bounds())
        history.fresh.extend(
            (recording, False) for recording in performance.stage.recordings if recording.events[0].event != "register"
        )
        history.write(performance.stage.wall)
        for call in performance.calls() if with_messages else ():
            messages = performance.messages(call)
            _put_tape(folder, call, messages)
    return performance.calls()


def _put_tape(folder: Path, call: str, messages: list[Kept]) -> None:
    packed = pack(messages)
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute(
            "INSERT INTO tapes (call, start, octets, upto, left_out, messages) VALUES (?, ?, ?, ?, 0, ?)",
            (call, messages[0].wall, len(packed), len(packed), packed),
        )


def _case(performance: Recorded, call: str) -> Case:
    records = performance.records(call)
    first = records[0]
    events: list[Happened] = []
    versions: dict[str, Version] = {}
    for recording in performance.stage.recordings:
        if recording.call == call and recording.events[0].event != "register":
            whole = recording.whole()
            events += recording.events if whole is None else read_recorded(whole).events
            versions[recording.version] = version_of(recording.policy, recording.since)
    return Case(
        call=call,
        caller=first.caller,
        callee=first.callee,
        source=first.source,
        start=min(record.start for record in records),
        now=performance.stage.wall,
        policy=first.policy,
        rules=max((record.rules for record in records), key=len),
        legs=tuple(map(_leg, records)),
        events=tuple(events),
        versions=versions,
        messages=tuple(performance.messages(call)),
        tags=first.tags,
    )


def _leg(record: Record) -> CaseLeg:
    return CaseLeg(
        number=record.leg,
        direction=record.direction,
        sip_call_id=record.sip_call_id,
        target=record.target,
        start=record.start,
        answer=record.answer,
        end=record.end,
        cause=record.cause,
        reason=record.reason,
        hung_up_by=record.hung_up_by,
        transferred_by=record.transferred_by,
        joined=record.joined,
    )


def _write_all() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    for path in LADDERS.glob("*.txt"):
        name, _, width = path.stem.partition("@")
        path.write_text(ladder(name, int(width or 80)), encoding="utf-8")


if __name__ == "__main__":
    _write_all()
