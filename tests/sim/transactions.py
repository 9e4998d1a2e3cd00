"""A user agent's transactions (RFC 3261 section 17 with RFC 6026), written a second time to check the first.

They share nothing with `b2bua.transaction`: plain states and alarms. An INVITE's 2xx belongs to the user agent
core by the RFC (13.3.1.4); its retransmission stands here beside that of failures, since both wait for an ACK.
"""

from __future__ import annotations

from collections.abc import Callable

from b2bua.sip.message import Response

from .clock import Alarm, Clock

T1 = 0.5
T2 = 4.0
T4 = 5.0
GIVE_UP = 64 * T1


class ClientTransaction:
    """One request of ours until its final response: timers A, B and D, or E, F and K.

    `heard` is told of every response that is new to the user: each provisional, each 2xx to an INVITE, one failure.
    `write_ack` makes the ACK to a failure.
    """

    def __init__(
        self,
        clock: Clock,
        send: Callable[[bytes], None],
        data: bytes,
        *,
        invite: bool,
        reliable: bool,
        heard: Callable[[Response], None],
        timed_out: Callable[[], None],
        write_ack: Callable[[Response], bytes] | None = None,
    ) -> None:
        self.state = "calling"
        self._clock = clock
        self._send = send
        self._data = data
        self._invite = invite
        self._reliable = reliable
        self._heard = heard
        self._timed_out = timed_out
        self._write_ack = write_ack
        self._ack = b""
        self._repeat: Alarm | None = None
        self._interval = T1
        self._deadline = clock.after(GIVE_UP, self._give_up)
        send(data)
        if not reliable:
            self._repeat = clock.after(T1, self._send_again)

    @property
    def over(self) -> bool:
        """Whether the final response has come, or none will."""
        return self.state not in ("calling", "proceeding")

    def receive(self, response: Response) -> None:
        """A response whose branch and method are ours."""
        if response.status < 200:
            self._provisional(response)
        elif self._invite and response.status < 300:
            self._success(response)
        elif self.over:
            if self._ack and response.status >= 300:
                self._send(self._ack)
        else:
            self._stop("completed")
            if self._invite and self._write_ack is not None:
                self._ack = self._write_ack(response)
                self._send(self._ack)
            self._heard(response)

    def abandon(self) -> None:
        """Its answer no longer matters (RFC 3261 9.1: 64*T1 after a CANCEL)."""
        self._stop("over")

    def _provisional(self, response: Response) -> None:
        if self.over:
            return
        self.state = "proceeding"
        if self._invite:
            self._clock.cancel(self._repeat)
            self._clock.cancel(self._deadline)
        self._heard(response)

    def _success(self, response: Response) -> None:
        if self.state == "completed":
            return
        self._stop("accepted")
        self._heard(response)

    def _send_again(self) -> None:
        self._send(self._data)
        if self._invite:
            self._interval *= 2
        else:
            self._interval = T2 if self.state == "proceeding" else min(self._interval * 2, T2)
        self._repeat = self._clock.after(self._interval, self._send_again)

    def _give_up(self) -> None:
        self._stop("over")
        self._timed_out()

    def _stop(self, state: str) -> None:
        self.state = state
        self._clock.cancel(self._repeat)
        self._clock.cancel(self._deadline)


class ServerTransaction:
    """One request of the peer's: repeats the last response to its repetitions; finals of an INVITE until the ACK.

    `unacknowledged` is told when 64*T1 passed without an ACK (timer H, or RFC 3261 13.3.1.4 for a 2xx).
    """

    def __init__(
        self,
        clock: Clock,
        send: Callable[[bytes], None],
        *,
        invite: bool,
        reliable: bool,
        unacknowledged: Callable[[], None],
    ) -> None:
        self.status = 0
        self.acknowledged = False
        self._clock = clock
        self._send = send
        self._invite = invite
        self._reliable = reliable
        self._unacknowledged = unacknowledged
        self._last = b""
        self._interval = T1
        self._repeat: Alarm | None = None
        self._deadline: Alarm | None = None

    @property
    def answered(self) -> bool:
        """Whether a final response was sent."""
        return self.status >= 200

    @property
    def open(self) -> bool:
        """Whether an INVITE still waits for its final response, or that, when it is a 2xx, for its ACK."""
        return not self.answered or (self.status < 300 and not self.acknowledged)

    def respond(self, status: int, data: bytes) -> None:
        """Send a response; nothing follows a final one."""
        if self.answered:
            return
        self.status = status
        self._last = data
        self._send(data)
        if status >= 200 and self._invite:
            self._deadline = self._clock.after(GIVE_UP, self._give_up)
            if not self._reliable or status < 300:
                self._repeat = self._clock.after(T1, self._send_again)

    def repeated(self) -> None:
        """The request came once more. A 2xx to an INVITE has its own pace (RFC 6026 7.1)."""
        if self._last and not (self._invite and 200 <= self.status < 300) and not self.acknowledged:
            self._send(self._last)

    def ack(self) -> bool:
        """The ACK has come; whether it is the first."""
        first = not self.acknowledged
        self.acknowledged = True
        self._clock.cancel(self._repeat)
        self._clock.cancel(self._deadline)
        return first

    def _send_again(self) -> None:
        self._send(self._last)
        self._interval = min(self._interval * 2, T2)
        self._repeat = self._clock.after(self._interval, self._send_again)

    def _give_up(self) -> None:
        self._clock.cancel(self._repeat)
        self._unacknowledged()
