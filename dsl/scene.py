"""What sentences of a test bring about, one after the other: what is given, and what happens.

Owns their order and the clock: calls go on by themselves until the moment that a sentence is about. Where nothing is
given it is a Wednesday at noon. What an expectation means is `expecting`'s, the facts of a request `arriving`'s, a
call's further events `happening`'s.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import assert_never

from dsl import tree
from dsl.arriving import Arriving, dialled
from dsl.consulting import two_calls
from dsl.decision import Event
from dsl.expectation import Expectation
from dsl.happening import Happening
from dsl.occasions import UnmetError
from dsl.policy import Policy
from dsl.rehearsal import Manner, World
from dsl.vocabulary import SILENT, WEEKDAYS

NOON = "2026-07-01 12:00"
"""When a test happens that does not say when: a Wednesday, in the policy's zone."""

_MOVED = 302
_LONGEST_YEARS = 8
"""How far away the next 29th of February can be."""


class Scene:
    """`happenings` are the calls and registrations so far; the one that goes on is `now`'s."""

    def __init__(self, policy: Policy, world: World, at: float | None = None) -> None:
        self.policy = policy
        self.world = world
        self.world.time = self._moment(NOON) if at is None else at
        self.happenings: list[Happening] = []
        self._current: Happening | None = None
        self._labels: dict[str, Happening] = {}
        self._arriving = Arriving(policy)

    @property
    def time(self) -> float:
        """What time it is: wall seconds."""
        return self.world.time

    @property
    def now(self) -> Happening:
        """What goes on. Tests that ask for it before anything has happened are refused."""
        assert self._current is not None
        return self._current

    def further(self) -> bool:
        """Let the call that goes on come to the next thing that happens in it; False when nothing does."""
        due = self.now.due
        if due is None:
            return False
        self._until(due, self.now)
        return True

    def finish(self) -> None:
        """Let everything that goes on come to its end."""
        while waiting := [due for item in self.happenings if (due := item.due) is not None]:
            self._until(min(waiting))

    def take(self, step: tree.Happening | tree.Given) -> None:
        """Bring about what a sentence says. Raises UnmetError where that cannot be."""
        match step:
            case tree.GivenTime() | tree.GivenMoment() | tree.WaitStep():
                self._clock(step)
            case tree.GivenBegins(group=group, member=member):
                self.world.begins(group.text, member.text)
            case tree.GivenAnswer() | tree.GivenRedirect() | tree.GivenRings() | tree.GivenState() | tree.GivenOver():
                self._given(step)
            case tree.CallStep() | tree.MessageStep() | tree.RegisterStep():
                for _ in range(_times(step.circumstances)):
                    self._begin(step)
            case tree.HangUp():
                self._until(self.time)
                self._hang_up(step)
            case tree.BackStep(label=label):
                self._current = self._labels[label.text]
            case _:
                self._within(step)

    # What happens

    def _begin(self, step: tree.CallStep | tree.MessageStep | tree.RegisterStep) -> None:
        self._until(self.time)
        if isinstance(step, tree.RegisterStep):
            happening = Happening(self.world, "register", self._arriving.of_register(step, self.world, self.time))
        else:
            event: Event = "call" if isinstance(step, tree.CallStep) else "message"
            happening = Happening(self.world, event, self._arriving.of_call(step, self.world, self.time))
        self.happenings.append(happening)
        self._current = happening
        for circumstance in step.circumstances:
            if isinstance(circumstance, tree.WithLabel):
                self._labels[circumstance.label.text] = happening

    def _hang_up(self, step: tree.HangUp) -> None:
        meant = self.now if step.label is None else self._labels[step.label.text]
        for happening in self.happenings if step.every else [meant]:
            if not happening.over:
                happening.hang_up()
            elif not step.every:
                raise UnmetError(step, "this call is over already")

    def _within(self, step: tree.HoldStep | tree.ResumeStep | tree.TransferStep) -> None:
        """Something is done in a call, which comes to somebody first."""
        current = self.now
        while self.further():
            pass
        match step:
            case tree.HoldStep():
                current.hold(step)
            case tree.ResumeStep(after=after):
                self._until(self.time + (0.0 if after is None else after.seconds or 0.0))
                current.resume(step)
            case tree.TransferStep(dialed=dialed, attended=False):
                current.transfer(step, dialled(dialed))
            case tree.TransferStep(dialed=dialed):
                self._until(self.time)
                here, there = two_calls(self.policy, self.happenings, current, step, dialled(dialed))
                self._current = here
                here.connect(step, there)
            case _:
                assert_never(step)

    # The clock

    def _until(self, moment: float, of: Happening | None = None) -> None:
        """Let everything happen that is due by then, in its order; of one call no more than the next thing."""
        while True:
            due = [(when, number) for number, item in enumerate(self.happenings) if (when := item.due) is not None]
            when, number = min(due, default=(moment, -1))
            if number < 0 or when > moment:
                break
            self.world.time = when
            self.happenings[number].go_on()
            if self.happenings[number] is of:
                return
        self.world.time = moment

    def _clock(self, step: tree.GivenTime | tree.GivenMoment | tree.WaitStep) -> None:
        match step:
            case tree.GivenTime(time=text):
                moment = self._moment(text.value)
            case tree.GivenMoment():
                moment = self._next(step)
            case tree.WaitStep(duration=duration):
                moment = self.time + (duration.seconds or 0.0)
            case _:
                assert_never(step)
        if moment < self.time:
            self.world.time = moment
        self._until(moment)

    def _moment(self, text: str) -> float:
        return datetime.fromisoformat(text).replace(tzinfo=self.policy.setup.zone).timestamp()

    def _next(self, step: tree.GivenMoment) -> float:
        """The next such moment, or the only one."""
        zone = self.policy.setup.zone
        today = datetime.fromtimestamp(self.time, zone).date()
        clock = time(*divmod(step.time.minutes or 0, 60))
        day = step.day
        if isinstance(day, tree.Date) and day.year is not None:
            return datetime(day.year, day.month, day.day, clock.hour, clock.minute, tzinfo=zone).timestamp()
        days = (today + timedelta(ahead) for ahead in range(_LONGEST_YEARS * 366))
        moments = (datetime.combine(date, clock, zone).timestamp() for date in days if _is_on(date, day))
        return next(moment for moment in moments if moment >= self.time)

    # What is given

    def _given(
        self, step: tree.GivenAnswer | tree.GivenRedirect | tree.GivenRings | tree.GivenState | tree.GivenOver
    ) -> None:
        world = self.world
        match step:
            case tree.GivenAnswer(party=party, code=code, after=after):
                world.takes_calls(self._party(party), Manner(code.value, None if after is None else after.seconds))
            case tree.GivenRedirect(party=party, target=target):
                world.takes_calls(self._party(party), Manner(_MOVED, redirected=self._contact(target)))
            case tree.GivenRings(party=party):
                world.takes_calls(self._party(party), Manner(None))
            case tree.GivenState(subject=subject, state=tree.Name(text=text), negated=negated) if text == SILENT:
                world.takes_calls(self._party(subject), Manner() if negated else Manner(None, silent=True))
            case tree.GivenState(subject=subject, state=state, negated=negated):
                world.state(self._party(subject), state.text, holds=not negated)
            case tree.GivenOver(limit=limit):
                world.used_up(limit.text)
            case _:
                assert_never(step)

    def _party(self, expression: tree.Expression) -> str:
        """The user, trunk, number or URI that a `given` is about."""
        if isinstance(expression, tree.Reference):
            return expression.name.text
        return Expectation(self.policy, None).text(expression) or ""

    def _contact(self, target: tree.Text | tree.Name) -> str:
        return target.value if isinstance(target, tree.Text) else f"sip:{target.text}@{self.policy.domains[0]}"


def _times(circumstances: tuple[tree.Circumstance, ...]) -> int:
    return next((item.count.value for item in circumstances if isinstance(item, tree.WithTimes)), 1)


def _is_on(date: date, day: tree.Name | tree.Date | None) -> bool:
    match day:
        case tree.Name(text=text):
            return WEEKDAYS[date.weekday()] == text
        case tree.Date():
            return (day.month, day.day) == (date.month, date.day)
        case _:
            return True
