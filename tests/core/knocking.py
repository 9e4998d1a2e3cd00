"""A core with a door, and whoever knocks at it: what the tests of guessing and of floods share."""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path

from b2bua.core import Core
from b2bua.effects import Effect, Flow, Log, Send, StoreBindings, Stored
from b2bua.settings import Listener, Security, Settings
from b2bua.sip import digest
from b2bua.sip.headers import Challenge
from b2bua.sip.message import Response
from b2bua.sip.parser import parse
from b2bua.sip.uri import host_port
from dsl.policy import load

POLICY = """
policy "door"
domain example.com
users staff from "users.yaml"
trunk gateway { uri "sip:198.51.100.200" allow `+X(6-12)` }
on register { when not authenticated -> challenge otherwise -> accept }
on call {
  when from trunk gateway -> reject 404
  when not authenticated  -> challenge
  otherwise               -> reject 486
}
on message { when not authenticated -> challenge otherwise -> reject 404 }
"""
HOME = "198.51.100.7"
WALL = 1e9
LISTEN = (Listener("UDP", "192.0.2.100", 5060), Listener("TCP", "192.0.2.100", 5060))


class Door:
    """A core whose store always works, with so many users, `u0` and so on, each with the password `secret`."""

    def __init__(self, folder: Path, security: Security | None = None, users: int = 3, **settings: object) -> None:
        text = "".join(f"u{number}: {{password: secret}}\n" for number in range(users))
        (folder / "users.yaml").write_text(text, encoding="utf-8")
        script = folder / "door.route"
        script.write_text(POLICY, encoding="utf-8")
        self.settings = Settings(listen=LISTEN, security=security or Security(), **settings)  # type: ignore[arg-type]
        self.policy = load(script)
        self.rows: dict[str, bytes | None] = {}
        self.now = 0.0
        self.logs: list[dict[str, object]] = []
        self._numbers = count(1)
        self.restart()

    def restart(self) -> None:
        """Another core with what this one has stored."""
        draw = random.Random(next(self._numbers))
        rows = [(aor, row) for aor, row in self.rows.items() if row is not None]
        self.core = Core(
            self.settings,
            self.policy,
            lambda: f"{draw.getrandbits(64):016x}",
            bytes(32),
            rows,
            self.now,
            WALL + self.now,
        )

    def request(
        self,
        source: str = HOME,
        method: str = "REGISTER",
        user: str = "u0",
        authorization: str = "",
        contact: str = "",
        port: int = 5071,
        headers: str = "",
        via: str = "",
    ) -> tuple[bytes, Flow]:
        """A request of somebody's, and how it comes."""
        number = next(self._numbers)
        at = host_port(source, port)
        uri = "sip:example.com" if method == "REGISTER" else f"sip:{user}@example.com"
        written = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {(via or at).format(number)};branch=z9hG4bK{number:08};rport\r\n"
            f"From: <sip:{user}@example.com>;tag={number:08}\r\nTo: <sip:{user}@example.com>\r\n"
            f"Call-ID: {number:08}@knocking\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <{contact or f'sip:{user}@{at}'}>\r\n{headers}"
        )
        if authorization:
            written += f"Authorization: {authorization}\r\n"
        return f"{written}Content-Length: 0\r\n\r\n".encode(), Flow("UDP", "192.0.2.100", 5060, source, port)

    def take(self, data: bytes, flow: Flow) -> list[Effect]:
        """Hand it in, and store what is to be stored."""
        effects = self.core.datagram(data, flow, self.now, WALL + self.now)
        for effect in list(effects):
            if isinstance(effect, StoreBindings):
                self.rows[effect.aor] = effect.document
                effects += self.core.answered(effect.id, Stored(), self.now, WALL + self.now)
        self.logs += [e.fields for e in effects if isinstance(e, Log) and e.event == "security"]
        return effects

    def answer(self, data: bytes, flow: Flow) -> Response | None:
        """The final response to a request; None where there is none."""
        sent = [parse(effect.data) for effect in self.take(data, flow) if isinstance(effect, Send)]
        final = [each for each in sent if isinstance(each, Response) and each.status >= 200]
        return final[0] if final else None

    def challenge(self, source: str = HOME, method: str = "REGISTER", user: str = "u0") -> Challenge:
        """What somebody is asked."""
        response = self.answer(*self.request(source, method, user))
        assert response is not None, f"{source} is not listened to"
        assert response.status == 401
        return Challenge.parse(response.headers["WWW-Authenticate"][0])

    def attempt(
        self,
        user: str = "u0",
        password: str = "guess",
        source: str = HOME,
        method: str = "REGISTER",
        challenge: Challenge | None = None,
        contact: str = "",
        headers: str = "",
        via: str = "",
    ) -> int:
        """The status that a try with this password gets; 0 where nothing comes back."""
        response = self.tried(user, password, source, method, challenge, contact, headers, via)
        return 0 if response is None else response.status

    def tried(
        self,
        user: str = "u0",
        password: str = "guess",
        source: str = HOME,
        method: str = "REGISTER",
        challenge: Challenge | None = None,
        contact: str = "",
        headers: str = "",
        via: str = "",
    ) -> Response | None:
        """The same as a whole."""
        if challenge is None:
            first = self.answer(*self.request(source, method, user, via=via))
            if first is None:
                return None
            challenge = Challenge.parse(first.headers["WWW-Authenticate"][0])
        uri = "sip:example.com" if method == "REGISTER" else f"sip:{user}@example.com"
        given = str(digest.answer(challenge, method, uri, user, password, "0a4f113b", 1))
        return self.answer(*self.request(source, method, user, given, contact, headers=headers, via=via))

    def said(self, what: str) -> list[dict[str, object]]:
        """The lines of the log about this."""
        return [fields for fields in self.logs if fields["what"] == what]
