"""Cases made from the flows: what a server would have kept of each call, the messages among it."""

from __future__ import annotations

from pathlib import Path

from b2bua.effects import Flow
from b2bua.operator.ladder.case import Case, CaseLeg
from b2bua.operator.ladder.reading import read_message
from b2bua.tape import Kept
from dsl.plan.recorded import Happened, Version, read_recorded, version_of
from tests.flows.play import Performance
from tests.flows.script import read_flow
from tests.flows.stage import Stage

FLOWS = Path(__file__).parents[1] / "flows"


def cases(name: str) -> list[Case]:
    """Each call of a flow, in the order in which they began."""
    performance = _Recorded(FLOWS / f"{name}.flow")
    performance.play()
    assert not performance.failures
    stage = performance.stage
    calls = sorted({record.call: record.start for record in stage.records}.items(), key=lambda each: each[1])
    return [_case(stage, call, performance.kept) for call, _ in calls]


class _Recorded(Performance):
    """A performance whose messages are kept, as a server's shell would."""

    def __init__(self, path: Path) -> None:
        super().__init__(read_flow(path))
        self.kept: list[Kept] = []
        audit = self.stage.audit
        came_in, goes_out = audit.came_in, audit.goes_out

        def came(data: bytes, flow: Flow, now: float) -> None:
            self._keep(data, flow, False)
            came_in(data, flow, now)

        def goes(data: bytes, flow: Flow, now: float) -> None:
            self._keep(data, flow, True)
            goes_out(data, flow, now)

        audit.came_in, audit.goes_out = came, goes  # type: ignore[method-assign]

    def _keep(self, data: bytes, flow: Flow, sent: bool) -> None:
        ends = (flow.local, flow.local_port, flow.remote, flow.remote_port)
        self.kept.append(Kept(self.stage.wall, sent, flow.transport, *ends, data))


def _case(stage: Stage, call: str, kept: list[Kept]) -> Case:
    records = sorted((record for record in stage.records if record.call == call), key=lambda record: record.leg)
    first = records[0]
    call_ids = {record.sip_call_id for record in records}
    events: list[Happened] = []
    versions: dict[str, Version] = {}
    for recording in stage.recordings:
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
        now=stage.wall,
        policy=first.policy,
        rules=max((record.rules for record in records), key=len),
        legs=tuple(
            CaseLeg(
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
            for record in records
        ),
        events=tuple(events),
        versions=versions,
        messages=tuple(each for each in kept if read_message(each).call_id in call_ids),
        tags=first.tags,
    )
