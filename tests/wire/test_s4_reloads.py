"""1,000 reloads under 50 calls a second: no call fails or waits, each ends by the version that it began with, and
nothing is left of the others.

Each call meets its policy twice, a second apart: bob does not answer, and carol is rung by `on no-answer`. Both are
told, in headers, by which script and which table.
"""

from __future__ import annotations

import random
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from b2bua.io.requests import Refused, Reload, Request, RollBack, ShowPolicies, ShowStatus
from b2bua.operator.client import ask

from . import music
from .lab import Lab
from .message import Address
from .server import Server
from .sipp import Sipp

RELOADS = 1_000
SOON = 100
"""Reloads after which there is all that there will ever be."""
CALLS = 2_000
RATE = 50
"""Calls a second."""
PACE = 0.035
"""Seconds between reloads, so that they take as long as the calls."""
GROWN_KIB = 24_576
"""What the server may have grown from the hundredth reload to the last. Transactions are kept for 32 s, which makes
half of it, and the messages of calls that just ended lie between them; beyond that nothing grows.
"""
T1 = 0.5
"""Seconds: whoever waits longer for an answer asks again (RFC 3261 17.1.1.2)."""

SCRIPT = """policy "reloads"
domain lab.example
users  staff from "users.yaml"
table  names from "names.csv" key text
sound  chime = "chime.wav"

on register {{
  when not authenticated -> challenge
  otherwise              -> accept max 5 contacts expires 60s to 1h
}}

on call {{
  when not authenticated -> challenge
  when lookup names "table" as row {{
    set header "X-Version" to "{version} {{row.version}}"
    dial bob for 1s
  }}
  otherwise -> reject 500
}}

on no-answer {{
  when lookup names "table" as row {{
    set header "X-Version" to "{version} {{row.version}}"
    dial carol for 20s
  }}
  otherwise -> reject 500
}}

on hold {{ otherwise -> play chime to held loop }}
"""


class Operator:
    """Who changes the files, in turns, and tells the server; some of what is written cannot be used."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.policy = folder / "reloads.route"
        self._folder = folder
        self._state = state
        self._script = self._table = 0
        self.refused = 0
        self.script()
        self.table()
        self.users()
        self.sound()

    def ask(self, request: Request) -> Any:
        return ask(self._state, request)

    def reload(self, number: int) -> None:
        """One of a thousand."""
        match number % 10:
            case 0:
                self._refuse('policy "reloads"\ndomain lab.example\non call { otherwise -> dail bob }\n')
                return
            case 1 | 2:
                self.table()
            case 3:
                self.users(f"Carol {number}")
            case 4 if number % 100 == 4:
                self.sound(number)
            case 6:
                self.script()
                self.ask(Reload(random.Random(number).randint(1, 99)))
                return
            case 7:
                self.ask(RollBack())
                return
            case _:
                self.script()
        self.ask(Reload())

    def script(self) -> None:
        self._script += 1
        self.policy.write_text(SCRIPT.format(version=self._script), encoding="utf-8")

    def table(self) -> None:
        self._table += 1
        (self._folder / "names.csv").write_text(f"name,version\ntable,{self._table}\n", encoding="utf-8")

    def users(self, carol: str = "Carol") -> None:
        users = "".join(
            f"{name}: {{password: lab-{name}, display: {display}}}\n"
            for name, display in (("alice", "Alice"), ("bob", "Bob"), ("carol", carol))
        )
        (self._folder / "users.yaml").write_text(users, encoding="utf-8")

    def sound(self, number: int = 0) -> None:
        music.write_tune(self._folder / "chime.wav", f"chime {number}", 0.5)

    def _refuse(self, text: str) -> None:
        before, good = self.ask(ShowStatus())["policy"], self.policy.read_text(encoding="utf-8")
        self.policy.write_text(text, encoding="utf-8")
        with pytest.raises(Refused, match="dail"):
            self.ask(Reload())
        assert self.ask(ShowStatus())["policy"] == before
        self.policy.write_text(good, encoding="utf-8")
        self.refused += 1


class Pulse:
    """Asks the server for its OPTIONS all the while, and keeps how long each answer took, in seconds."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.delays: list[float] = []

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(5.0)
            host, port = sock.getsockname()
            number = 0
            while not self._over.wait(0.02):
                number += 1
                text = (
                    f"OPTIONS sip:{self._server} SIP/2.0\n"
                    f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK-pulse-{number}\n"
                    f"From: <sip:pulse@{host}>;tag=pulse\nTo: <sip:{self._server}>\nCall-ID: pulse-{number}@{host}\n"
                    f"CSeq: {number} OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n"
                )
                begun = time.monotonic()
                sock.sendto(text.replace("\n", "\r\n").encode(), self._server)
                sock.recv(65_536)
                self.delays.append(time.monotonic() - begun)


def resident(server: Server) -> int:
    """The memory of a server, in KiB."""
    status = Path(f"/proc/{server.program.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1])


def versions(phone: Sipp) -> Iterator[tuple[str, str]]:
    """The Call-ID of each INVITE that came to a phone, and the version that sent it."""
    for message in phone.received("INVITE "):
        yield message.header("Call-ID"), message.header("X-Version")


def repeated(phone: Sipp) -> int:
    """How many requests a phone had to send again."""
    sent = Counter((m.header("Call-ID"), m.header("CSeq")) for m in phone.sent("(INVITE|BYE) "))
    return sum(sent.values()) - len(sent)


def legs(server: Server) -> dict[str, str]:
    """The call of each leg, by the leg's Call-ID."""
    store = sqlite3.connect(f"file:{server.state / 'b2bua.sqlite'}?mode=ro", uri=True)
    found = dict(store.execute("SELECT sip_call_id, call FROM records"))
    store.close()
    return found


def test_s40_a_thousand_reloads_under_fifty_calls_a_second(tmp_path: Path) -> None:
    operator = Operator(tmp_path, tmp_path / "state")
    with (
        Server(operator.policy, tmp_path, traced=False) as server,
        Lab(server, tmp_path) as lab,
        Pulse(server.udp) as pulse,
    ):
        lines = {user: lab.register(user) for user in ("bob", "carol")}
        begun = server.sizes()
        bob = lab.answerer("ring-until-cancelled", lines["bob"], calls=CALLS, timeout=120)
        carol = lab.answerer("answer", lines["carol"], calls=CALLS, timeout=120)
        alice = lab.caller("call", "alice", "anybody", calls=CALLS, rate=RATE, timeout=120, talk=500)
        took, soon, descriptors = [], 0, 0
        first = time.monotonic()
        for number in range(1, RELOADS + 1):
            asked = time.monotonic()
            operator.reload(number)
            took.append(time.monotonic() - asked)
            if number == SOON:
                soon, descriptors = resident(server), server.sizes()["descriptors"]
            time.sleep(max(0.0, first + number * PACE - time.monotonic()))
        seconds = time.monotonic() - first
        grown = resident(server) - soon
        for sipp in (alice, bob, carol):
            sipp.wait()
        delays = sorted(pulse.delays)
        print(f"{RELOADS} reloads in {seconds:.1f} s, the longest in {max(took):.3f} s; {grown} KiB more")
        print(f"an answer took {delays[-1]:.3f} s at most, {delays[len(delays) // 2]:.4f} s mostly")
        began, ended = dict(versions(bob)), dict(versions(carol))
        calls = legs(server)
        by_call = {calls[leg]: version for leg, version in began.items()}
        assert len(by_call) == len(ended) == CALLS
        assert {calls[leg]: version for leg, version in ended.items()} == by_call
        assert len(set(by_call.values())) > 100
        assert operator.refused == RELOADS // 10
        assert [repeated(phone) for phone in (alice, bob, carol)] == [0, 0, 0]
        assert delays[-1] < T1
        assert grown < GROWN_KIB
        left = {name: begun[name] for name in ("calls", "legs", "dialogs", "tasks")}
        server.wait_sizes(left | {"descriptors": descriptors}, lab.patience)
        kept = operator.ask(ShowPolicies())
        assert len(kept) <= 3 and not any(version["calls"] for version in kept)
