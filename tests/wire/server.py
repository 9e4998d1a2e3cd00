"""The server as its users start it: `b2bua run POLICY --listen ... --state DIR`, asked through its command
line.

Owns the process, its addresses, its readiness and its end; what it shows and what it recorded are read the
way an operator reads them.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from b2bua.tape import Kept, unpack

from .message import Address
from .ports import Ports, block
from .program import Program, WireError

B2BUA = str(Path(sys.executable).with_name("b2bua"))
"""The command as the installation put it beside this Python."""

_MEDIA_PORTS = 200
"""RTP ports of a server: those by default would meet another server's."""

READY = r"\bready\b"


class Server:
    """One running server: `udp` and `tcp` are its addresses, `media` its RTP ports, `trace` its messages, if it is
    `traced`. `settings` are further lines of its settings file; with `secure` it listens by TLS too, at `tls`;
    with `log_json` its log is lines of JSON.
    """

    def __init__(
        self,
        policy: Path,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        traced: bool = True,
        settings: str = "",
        secure: bool = False,
        log_json: bool = False,
    ) -> None:
        self.policy = policy
        self.state = folder / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        self.udp = self.tcp = Address(host, block(2, host) if port is None else port)
        self.tls = Address(host, self.udp.port + 1)
        self._secure = secure
        first = block(_MEDIA_PORTS, host)
        self.media = Ports(host, first, first + _MEDIA_PORTS - 1)
        self.trace = folder / "trace.jsonl"
        file = folder / "settings.yaml"
        media = f"media: {{first_port: {self.media.first}, last_port: {self.media.last}}}\n"
        # Everybody is at one address here: nobody is shut out, where that is not what is tested.
        free = "" if "security:" in settings else 'security: {trusted: [127.0.0.0/8, "::1"]}\n'
        file.write_text(media + free + settings, encoding="utf-8")
        self._options = ("--settings", str(file), *(("--trace", str(self.trace)) if traced else ()))
        if log_json:
            self._options += ("--log-json",)
        self.log = folder / "server.log"
        self.program = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.program.stop()

    def ask(self, *words: str) -> str:
        """Return what a command prints that is about this server; WireError where it fails."""
        command = [B2BUA, *words, "--state", str(self.state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise WireError(f"b2bua {' '.join(words)} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def show(self, *what: str) -> object:
        """Return what `b2bua show WHAT --json` prints."""
        shown: object = json.loads(self.ask("show", *what, "--json"))
        return shown

    def sizes(self) -> dict[str, int]:
        """Return how many calls, legs, dialogs, transactions, timers, tasks and descriptors there are."""
        status = self.show("status")
        assert isinstance(status, dict)
        return {name: int(number) for name, number in status["sizes"].items()}

    def wait_sizes(self, wanted: dict[str, int], timeout: float) -> None:
        """Return when the sizes named in `wanted` are no greater; WireError with those that are."""
        deadline = time.monotonic() + timeout
        while True:
            now = self.sizes()
            over = {name: (now.get(name), most) for name, most in wanted.items() if now.get(name, most + 1) > most}
            if not over:
                return
            if time.monotonic() > deadline:
                raise WireError(f"after {timeout:g} s still too much, as (now, allowed): {over}")
            time.sleep(0.1)

    def records(self, call_id: str, legs: int, timeout: float = 5.0) -> list[dict[str, object]]:
        """Return the call records of the call that had this Call-ID on any leg, in the order of its legs.

        Waits until there are `legs` of them, for they are written behind the call; WireError when there
        are not.
        """
        of_the_call = "SELECT call FROM records WHERE sip_call_id = ?"
        query = f"SELECT * FROM records WHERE call IN ({of_the_call}) ORDER BY call, leg"
        deadline = time.monotonic() + timeout
        while True:
            with sqlite3.connect(f"file:{self.state / 'b2bua.sqlite'}?mode=ro", uri=True) as store:
                store.row_factory = sqlite3.Row
                rows = [dict(row) for row in store.execute(query, (call_id,))]
            store.close()
            if len(rows) == legs:
                return rows
            if len(rows) > legs or time.monotonic() > deadline:
                raise WireError(f"{len(rows)} records for {call_id}, not {legs}: {rows}")
            time.sleep(0.02)

    def tape(self, call_id: str, timeout: float = 5.0) -> list[Kept]:
        """Return the stored messages of the call that had this Call-ID on any leg, once they are there."""
        query = "SELECT messages FROM tapes WHERE call IN (SELECT call FROM records WHERE sip_call_id = ?)"
        deadline = time.monotonic() + timeout
        while True:
            with sqlite3.connect(f"file:{self.state / 'b2bua.sqlite'}?mode=ro", uri=True) as store:
                rows = store.execute(query, (call_id,)).fetchall()
            store.close()
            if rows:
                return unpack(rows[0][0])
            if time.monotonic() > deadline:
                raise WireError(f"no messages are stored for {call_id}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a power cut would: kill -9."""
        self.program.stop(sent=signal.SIGKILL)

    def restart(self) -> None:
        """Start it again on the same addresses and the same state."""
        self.program.stop()
        self.program = self._start()

    def _start(self) -> Program:
        listen = [f"--listen=udp:{self.udp}", f"--listen=tcp:{self.tcp}"]
        if self._secure:
            listen.append(f"--listen=tls:{self.tls}")
        command = [B2BUA, "run", str(self.policy), *listen, "--state", str(self.state), *self._options]
        program = Program(command, self.log)
        try:
            program.wait_line(READY, 20.0)
        except WireError:
            program.stop()
            raise
        return program
