"""Playing a flow: each line at its time, and nothing besides what the lines say."""

from __future__ import annotations

from collections.abc import Callable

from b2bua import effects
from b2bua.sip.message import Request
from tests.sim.ladder import draw_ladder
from tests.sim.replayed import unlike
from tests.sim.wire import kind

from .check import Checker, wrong_with_hearing, wrong_with_trunk
from .party import Actor, Received
from .script import Flow, FlowError, Line, Message, RecordLine
from .stage import Stage

# The longest that something may go on by itself: a CANCEL's 64*T1 after a BYE's, and the server's own timers.
_QUIET_WITHIN = 400.0
_SAME_TIME = 0.0005


class Performance:
    """One flow being played. `failures` is empty when all went as written."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.stage = Stage(flow)
        self.failures: list[str] = []
        self._checker = Checker(self.stage.cast.actors)

    def play(self) -> None:
        """The whole flow, to the end of all timers; stops at the first line that does not hold."""
        self._register()
        for line in self.flow.lines:
            self._play_line(line)
            if self.failures:
                return
        self._run_out()
        self._check_end()

    def overhear(self, hear: Callable[[bytes, effects.Flow, bool], None]) -> None:
        """From now on `hear` is told each message of the server's: by which flow it goes, and whether it was sent."""
        audit = self.stage.audit
        came_in, goes_out = audit.came_in, audit.goes_out

        def came(data: bytes, flow: effects.Flow, now: float) -> None:
            hear(data, flow, False)
            came_in(data, flow, now)

        def goes(data: bytes, flow: effects.Flow, now: float) -> None:
            hear(data, flow, True)
            goes_out(data, flow, now)

        audit.came_in, audit.goes_out = came, goes  # type: ignore[method-assign]

    def ladder(self) -> str:
        """What was really sent."""
        return draw_ladder([p for p in self.stage.link.passages if p.time >= 0.0])

    def _register(self) -> None:
        """The phones of the cast register before the flow begins."""
        for actor in self.stage.cast.registering:
            line = Line("before the flow", -5.0, -5.0, actor.name, "", True, ())
            for _ in range(2):
                actor.perform(line, Message("REGISTER"))
                self._settle()
                if kind(actor.inbox[-1].message) == "200 REGISTER":
                    break
            else:
                raise FlowError(f"{self.flow.path.name}: {actor.name} cannot register")
            actor.inbox.clear()
        self.stage.clock.run(0.0 - _SAME_TIME)
        for actor in self.stage.cast.actors.values():
            actor.shows_retransmissions = self.flow.shows_retransmissions

    def _settle(self) -> None:
        self.stage.clock.run(self.stage.clock.now)

    def _play_line(self, line: Line) -> None:
        self.stage.clock.run(line.start)
        actor = self.stage.cast.actors.get(line.who)
        for message in line.messages:
            if actor is None and not line.sends:
                self._listen(line, message)
            elif actor is None:
                self.stage.command(line.who, message.kind, line.where)
            elif line.sends:
                actor.perform(line, message)
            else:
                self._expect(actor, line, message)
            self._settle()
        self.stage.listen()

    def _expect(self, actor: Actor, line: Line, message: Message) -> None:
        if line.end > line.start:
            self._wait(actor, line)
        waiting = [received for received in actor.inbox if not received.taken]
        loud = next((received for received in waiting if not received.quiet), None)
        quiet = (received for received in waiting if received.quiet)
        for received in ([loud] if loud else []) + list(quiet):
            if _is_kind(received, message.kind) and _is_time(received, line):
                received.taken = True
                self._check(actor, line, message, received)
                return
        got = _show(loud) if loud else "nothing"
        self._fail(line, f"{actor.name} gets {got}, where {message.kind} is due")

    def _listen(self, line: Line, message: Message) -> None:
        """Who hears whom now: `media < heard [alice = bob, bob = jazz played in PCMU + carol video]`.

        Or how trunks stand: `operator < trunks [pstn = down, pstn calls_ok = 1]`.
        """
        if line.who == "operator" and message.kind == "trunks":
            for item in message.items:
                if wrong := wrong_with_trunk(item, self.stage.core.trunks(self.stage.wall)):
                    self._fail(line, wrong)
            return
        if line.who != "media" or message.kind != "heard":
            raise FlowError(f"{line.where}: {line.who} has nothing to show")
        heard = self.stage.listen()
        for item in message.items:
            name, _, due = item.partition(" = ")
            if name not in self.stage.cast.actors or not due:
                raise FlowError(f"{line.where}: `{item}` asks nothing of what is heard")
            wrong = wrong_with_hearing(due, heard.get(name, []))
            if wrong:
                self._fail(line, f"{name} hears {wrong}, where {due} is due")

    def _wait(self, actor: Actor, line: Line) -> None:
        clock = self.stage.clock
        while not any(not entry.taken and not entry.quiet for entry in actor.inbox):
            due = clock.next_due
            if due is None or due > line.end:
                clock.run(line.end)
                return
            clock.run(due)

    def _check(self, actor: Actor, line: Line, message: Message, received: Received) -> None:
        call_id = received.message.call_id
        due = actor.labels.get(line.call) if line.call else actor.current
        begins = isinstance(received.message, Request) and received.message.to_tag is None
        if begins and (not line.call or due is None):
            actor.follow(line.call, call_id)
        elif call_id in actor.conversations and call_id not in (due, actor.labels.get("register")):
            self._fail(line, f"{_show(received)} is of another call")
        for item in message.items:
            wrong = self._checker.wrong_with(item, received.message, actor, line.where)
            if wrong:
                self._fail(line, f"{message.kind}: {wrong}")

    def _run_out(self) -> None:
        clock = self.stage.clock
        deadline = clock.now + _QUIET_WITHIN
        while self.stage.left and (due := clock.next_due) is not None and due <= deadline:
            clock.run(due)

    def _check_end(self) -> None:
        if self.stage.left:
            self.failures.append(f"at the end the core keeps {self.stage.left}")
        self.failures += self.stage.wrong
        if self.stage.hearing.plans:
            self.failures.append(f"at the end ports still have plans: {self.stage.hearing.plans}")
        for actor in self.stage.cast.actors.values():
            for received in actor.inbox:
                if not received.taken and not received.quiet:
                    self.failures.append(f"{actor.name} gets {_show(received)}, of which no line speaks")
            self.failures += [f"{actor.name} had no ACK for its {what}" for what in actor.unacknowledged.values()]
        errors = [log.event for log in self.stage.logs if log.level == "error"]
        if errors != self.flow.logs:
            self.failures.append(f"the errors logged are {errors}")
        self._check_records()
        self.failures += [f"decided otherwise again: {call}" for call in unlike(self.stage.recordings)]

    def _check_records(self) -> None:
        last = {record.call: record for record in self.stage.records}
        ended = sorted(call for record in last.values() for call in record.over)
        if not set(last) <= set(ended):
            self.failures.append(f"the last records of the calls {sorted(last)} end {ended} only")
        written = sorted(self.stage.records, key=lambda record: (record.start, record.call, record.leg))
        shown = [f"record {each.direction} {each.cause} by {each.hung_up_by or 'nobody'}" for each in written]
        due = [(each.way, each.cause, each.hung_up_by) for each in self.flow.records]
        if [(each.direction, each.cause, each.hung_up_by) for each in written] != due:
            self.failures.append(f"the records are {shown}")
            return
        for line, record in zip(self.flow.records, written, strict=True):
            self.failures += [
                wrong
                for item in line.items
                if (wrong := self._checker.wrong_with_record(item, record, _where(self.flow, line)))
            ]

    def _fail(self, line: Line, text: str) -> None:
        self.failures.append(f"{line.where}: at {self.stage.clock.now:.3f} {text}")


def _where(flow: Flow, line: RecordLine) -> str:
    return f"{flow.path.name}: record {line.way} {line.cause}"


def _is_kind(received: Received, due: str) -> bool:
    message = received.message
    if due == "reINVITE":
        return isinstance(message, Request) and message.method == "INVITE" and message.to_tag is not None
    if due == "INVITE" and message.to_tag is not None:
        return False
    return kind(message) == due


def _is_time(received: Received, line: Line) -> bool:
    return line.start - _SAME_TIME <= received.time <= line.end + _SAME_TIME


def _show(received: Received) -> str:
    return f"{kind(received.message)} at {received.time:.3f}"
