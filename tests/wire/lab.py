"""A bench with one server and everything that talks to it, put away again in reverse order.

Owns how users, gateways and phones of a test are set up: who registers where, and that nobody stays
registered. Used by the tests' fixtures and by `scripts/demo`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, Self

import yaml

from .baresip import Baresip
from .codecs import PCMU, Codec
from .message import Address
from .peer import Peer
from .ports import block
from .program import WireError
from .server import Server
from .sipp import OCCUPIED, Sipp

GATEWAY = Address("127.0.0.2", 5080)
"""Where the policies here, and the office, have their trunk."""


class Line:
    """A user's registered place: what answers there is started on its address."""

    def __init__(self, user: str, address: Address) -> None:
        self.user = user
        self.address = address


class Lab:
    """The bench: `server`, a folder for what is kept, and what a test puts on it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self._passwords = _passwords(server.policy.with_name("users.yaml"))
        self._stack = ExitStack()
        self.patience = 5.0
        """Seconds within which no call may be left after the test; for those that wait for a timer, more."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def password(self, user: str) -> str:
        """Return a user's password, as the users file says it."""
        return self._passwords[user]

    def call_id(self) -> str:
        """Return a Call-ID that nobody had."""
        return f"{secrets.token_hex(8)}@wire"

    def register(
        self, user: str, *, address: Address | None = None, contact: str | None = None, expires: int = 600
    ) -> Line:
        """Register a user at a free port, or at `address`; the binding is removed when the bench is put away.

        `contact` is the URI to register, if not the one where it is. The port is free again after this returns.
        """
        host = self.server.udp.host
        at = address or Address(host, block(OCCUPIED, host))
        uri = contact or f"sip:{user}@[local_ip]:[local_port]"
        self._register(user, at, f"Contact: <{uri}>;expires={expires}")
        self._stack.callback(self._register, user, at, f"Contact: <{uri}>;expires=0")
        return Line(user, at)

    def answerer(
        self,
        scenario: str,
        line: Line,
        *,
        calls: int = 1,
        timeout: float = 30.0,
        trace: bool = True,
        **values: object,
    ) -> Sipp:
        """Put a SIPp phone on a registered line."""
        return self._stack.enter_context(
            Sipp(
                scenario,
                self.folder,
                host=line.address.host,
                port=line.address.port,
                calls=calls,
                timeout=timeout,
                trace=trace,
                values={"user": line.user} | values,
            )
        )

    def caller(
        self,
        scenario: str,
        user: str,
        dial: str,
        *,
        call_id: str | None = None,
        transport: str = "u1",
        calls: int = 1,
        rate: int = 100,
        timeout: float = 30.0,
        trace: bool = True,
        **values: object,
    ) -> Sipp:
        """Let a user call: with digest, from a free port, by SIPp."""
        return self._stack.enter_context(
            Sipp(
                scenario,
                self.folder,
                target=self.server.udp,
                host=self.server.udp.host,
                transport=transport,
                user=user,
                password=self.password(user),
                dial=dial,
                call_id=call_id,
                calls=calls,
                rate=rate,
                timeout=timeout,
                trace=trace,
                values=values,
            )
        )

    def gateway(
        self,
        scenario: str,
        *,
        at: Address = GATEWAY,
        transport: str = "u1",
        options: Sequence[str] = (),
        **values: object,
    ) -> Sipp:
        """Put a SIPp gateway where the trunk leads; `options` are SIPp's own."""
        return self._stack.enter_context(
            Sipp(scenario, self.folder, host=at.host, port=at.port, transport=transport, values=values, options=options)
        )

    def gateway_calling(
        self, scenario: str, dial: str, *, at: Address = GATEWAY, call_id: str | None = None, **values: object
    ) -> Sipp:
        """Let the gateway call us: its address is its proof."""
        return self._stack.enter_context(
            Sipp(
                scenario,
                self.folder,
                target=self.server.udp,
                host=at.host,
                port=at.port,
                dial=dial,
                call_id=call_id,
                values={"user": "gateway"} | values,
            )
        )

    def peer(self, *, at: Address | None = None) -> Peer:
        """Put a peer on the bench that does what the test says."""
        return self._stack.enter_context(Peer(at.host, at.port) if at else Peer())

    def phone(
        self,
        user: str,
        *,
        transport: Literal["udp", "tcp"] = "udp",
        answers: bool = False,
        codecs: Sequence[Codec] = (PCMU,),
        seconds: float = 20.0,
        writes_to: str = "",
    ) -> Baresip:
        """Put a baresip on the bench, registered; its tune, and any call of it, ends after so many `seconds`."""
        phone = self._stack.enter_context(
            Baresip(
                user,
                self.password(user),
                self.server.udp,
                self.folder,
                transport=transport,
                answers=answers,
                codecs=codecs,
                seconds=seconds,
                writes_to=writes_to,
            )
        )
        phone.wait_registered()
        return phone

    def _register(self, user: str, at: Address, contact: str) -> None:
        with Sipp(
            "register",
            self.folder,
            target=self.server.udp,
            host=at.host,
            port=at.port,
            user=user,
            password=self.password(user),
            timeout=10.0,
            values={"contact": contact, "status": 200},
        ) as sipp:
            sipp.wait()


def _passwords(users: Path) -> dict[str, str]:
    """Read the users file for the passwords that it has in the clear."""
    read = yaml.safe_load(users.read_text(encoding="utf-8"))
    if not isinstance(read, dict):
        raise WireError(f"{users} maps no names to users")
    named = read.get("users", read)
    return {
        name: str(user["password"]) for name, user in named.items() if isinstance(user, dict) and "password" in user
    }
