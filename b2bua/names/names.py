"""The one way from a URI's host to where its requests go, for INVITE, REGISTER and OPTIONS (RFC 3263 section 4).

Owns when DNS is asked, that those who ask the same wait for one look-up, and how long anybody waits. Leaves what is
remembered to `known`, the choice among servers to `targets` and `failures`, and the look-up itself to the edge.
"""

from __future__ import annotations

from typing import Final, Protocol

from b2bua.dialog.hops import Hop
from b2bua.effects import Address, Answer, Failed, Found, Resolve
from b2bua.names.failures import Failures
from b2bua.names.known import Cache, Known, Question
from b2bua.names.targets import ordered
from b2bua.transaction.timers import Timer
from b2bua.transaction.turn import Turn

PATIENCE: Final = 1.8
"""In seconds: where something is known that is not true any more, it serves when DNS takes longer (RFC 8767 5)."""

MOST_LOOK_UPS: Final = 256
"""Names looked up at the same time; beyond, the answer is a failure at once."""

_LARGEST: Final = float(1 << 64)


class Asker(Protocol):
    """Whoever wants to send something."""

    def resolved(self, answer: Answer) -> None:
        """Take `Resolved` or `Failed`: once, within `Names.resolve` where nothing has to be waited for."""


class Questions(Protocol):
    """What has been asked of the shell."""

    def ask(self, waiter: Asker) -> int:
        """An id for a question of this waiter's."""

    def forget(self, waiter: Asker) -> None:
        """Drop the answer."""


class LookUp:
    """One name that is being looked up, and those who wait for it: none where it is only refreshed."""

    __slots__ = ("_names", "askers", "deadline", "patience", "question")

    def __init__(self, names: Names, question: Question) -> None:
        self._names = names
        self.question = question
        self.askers: list[Asker] = []
        self.deadline: Timer | None = None
        self.patience: Timer | None = None

    def resolved(self, answer: Answer) -> None:
        """DNS answered, or did not."""
        self._names.looked_up(self, answer)

    def timer_fired(self, name: str) -> None:
        """What is known has to do for now, or no answer will ever come."""
        if name == "patience":
            self._names.serve_stale(self)
        else:
            self._names.give_up(self)


class Names:
    """All names of one core."""

    def __init__(self, turn: Turn, questions: Questions) -> None:
        self._turn = turn
        self._questions = questions
        self._cache = Cache()
        self._failures = Failures(turn)
        self._look_ups: dict[Question, LookUp] = {}

    def resolve(self, hop: Hop, asker: Asker) -> None:
        """Tell the asker where this hop is, at once where that is known."""
        if hop.address is not None:
            asker.resolved(self._failures.arranged((hop.address,)))
        elif not hop.available:
            asker.resolved(Failed(f"no way to {hop.uri}: its transport is not available here"))
        else:
            self._resolve(_question_of(hop), asker)

    def failed(self, address: Address, why: str, retry_after: float | None = None) -> None:
        """What was sent there came to nothing (RFC 3263 4.3): pass it over, for the seconds that it said if it did."""
        self._failures.failed(address, why, retry_after)

    def succeeded(self, address: Address) -> None:
        """What was sent there was answered."""
        self._failures.succeeded(address)

    def status(self) -> dict[str, object]:
        """For the operator: how many names are known and being looked up, and what is passed over, with seconds."""
        passed_over = self._failures.passed_over()
        return {"known": len(self._cache), "looked up now": len(self._look_ups), "passed over": passed_over}

    # Looking up.

    def looked_up(self, look_up: LookUp, answer: Answer) -> None:
        """An answer came, or it is certain that none will."""
        turn, question = self._turn, look_up.question
        del self._look_ups[question]
        turn.timers.cancel(look_up.deadline)
        turn.timers.cancel(look_up.patience)
        if isinstance(answer, Found):
            known = self._cache.learn(question, answer, turn.now)
        else:
            turn.count("lookups_failed")
            reason = answer.reason if isinstance(answer, Failed) else f"{question[0]} could not be looked up"
            known = self._cache.stay(question, reason, turn.now)
        self._tell(look_up, known)

    def serve_stale(self, look_up: LookUp) -> None:
        """DNS takes its time: what was true before serves, and nobody else waits."""
        self._turn.count("lookups_slow")
        self._tell(look_up, self._cache.stay(look_up.question, "", self._turn.now))

    def give_up(self, look_up: LookUp) -> None:
        """The edge does not answer."""
        self._questions.forget(look_up)
        self.looked_up(look_up, Failed(f"{look_up.question[0]} was not looked up in time"))

    def _resolve(self, question: Question, asker: Asker) -> None:
        known, now = self._cache.get(question), self._turn.now
        if known is not None and (now < known.until or (known.unanswered and now < known.last)):
            if now >= known.refresh_at:
                self._ask(question)
            self._answer(asker, question, known)
            return
        stale = known if known is not None and known.targets and now < known.last else None
        look_up = self._ask(question)
        if look_up is not None:
            look_up.askers.append(asker)
            if look_up.patience is None and stale is not None:
                look_up.patience = self._turn.after(PATIENCE, look_up, "patience")
        elif stale is not None:
            self._answer(asker, question, stale)
        else:
            asker.resolved(Failed("too many names are being looked up"))

    def _ask(self, question: Question) -> LookUp | None:
        look_up = self._look_ups.get(question)
        if look_up is not None:
            return look_up
        turn = self._turn
        if len(self._look_ups) >= MOST_LOOK_UPS:
            turn.count("lookups_refused")
            return None
        look_up = self._look_ups[question] = LookUp(self, question)
        look_up.deadline = turn.after(64 * turn.settings.timers.t1, look_up, "deadline")
        turn.count("lookups")
        turn.effects.append(Resolve(self._questions.ask(look_up), *question))
        return look_up

    def _tell(self, look_up: LookUp, known: Known) -> None:
        askers, look_up.askers = look_up.askers, []
        for asker in askers:
            self._answer(asker, look_up.question, known)

    def _answer(self, asker: Asker, question: Question, known: Known) -> None:
        if known.unanswered and known.targets:
            self._turn.count("lookups_stale")
        addresses = ordered(known.targets, self._draw) if known.targets else ()
        if addresses:
            asker.resolved(self._failures.arranged(addresses))
        else:
            asker.resolved(Failed(known.reason or f"{question[0]} has no address that our listeners can reach"))

    def _draw(self) -> float:
        return int(self._turn.draw(), 16) / _LARGEST


def _question_of(hop: Hop) -> Question:
    """Only a transport that the URI names is asked for; that sips wants TLS leaves the choice to NAPTR (4.1)."""
    uri = hop.uri
    secure = uri.scheme == "sips"
    named = hop.transport if not secure or uri.param("transport") else None
    return uri.host, uri.port, named, secure
