"""The server's side of the desk, the process that serves HTTP: starts it, starts it again, and sees it end.

Owns what it is told at its start, and when it is as good as dead. It asks the server by the control socket, like any
operator, and reads the store: whatever becomes of it, calls go on.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Final

import msgspec
import trio

from b2bua.io.children import command, environment, keep_running
from b2bua.io.database import Database
from b2bua.io.failure import ServerError
from b2bua.io.shell import Shell
from b2bua.settings import Records

MODULE: Final = "b2bua.operator.desk.process"

HEALTH_SECONDS: Final = 10.0
"""One that gives no sign of life for so long is killed."""

LAST_SECONDS: Final = 3.0
"""For its last work, when the server ends."""


class Orders(msgspec.Struct, frozen=True):
    """What the desk is to do: one line of JSON on its standard input, which closes when the server ends.

    `listening` is the descriptor of the socket to serve HTTP on. `csv` is the file for call records, `webhook` the URL
    for them, `secret` the file with what they are signed with; calls up to the number `told` are nobody's business
    there, where nothing has been told yet.
    """

    state: str
    log_json: bool
    listening: int | None = None
    csv: str = ""
    webhook: str = ""
    secret: str = ""
    told: int = 0


class Desk:
    """One process at a time, for as long as `run` runs; the last of them is left to `finish`."""

    def __init__(
        self,
        state: Path,
        log_json: bool,
        listening: socket.socket | None,
        records: Records,
        database: Database,
        shell: Shell,
    ) -> None:
        self._orders = Orders(
            state=str(state.absolute()),
            log_json=log_json,
            listening=None if listening is None else listening.fileno(),
            csv=records.csv,
            webhook=records.webhook,
            secret=records.secret,
            told=database.newest_end(),
        )
        self._shell = shell
        self._process: trio.Process | None = None
        self._starts = 0

    @property
    def is_wanted(self) -> bool:
        """Whether it would have anything to do."""
        orders = self._orders
        return orders.listening is not None or bool(orders.csv or orders.webhook)

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self._starts - 1)

    async def run(self) -> None:
        """Keep a process running until cancelled."""
        await keep_running(self._live)

    async def _live(self) -> None:
        """From the start of one process to its end."""
        self._starts += 1
        descriptor = self._orders.listening
        try:
            process = await trio.lowlevel.open_process(
                command(MODULE),
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[] if descriptor is None else [descriptor],
            )
        except OSError as error:
            self._shell.log.error("desk not started", why=str(error))
            return
        self._process = process
        why = await self._watched(process)
        self._shell.log.error("desk lost", why=why, pid=process.pid)
        await _ended(process)
        self._process = None

    async def _watched(self, process: trio.Process) -> str:
        """Tell it what to do, and wait while it lives; why it does not any more."""
        said, heard = process.stdin, process.stdout
        if said is None or heard is None:
            raise ServerError("the desk was started without its pipes")
        try:
            with trio.fail_after(HEALTH_SECONDS):
                await said.send_all(msgspec.json.encode(self._orders) + b"\n")
            while True:
                with trio.fail_after(HEALTH_SECONDS):
                    if not await heard.receive_some():
                        return "it has ended"
        except trio.TooSlowError:
            return "it gives no sign of life"
        except trio.BrokenResourceError:
            return "it has ended"

    async def finish(self) -> None:
        """The server has written everything: let the desk do its last work, and see it dead."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                await process.stdin.aclose()
            with trio.move_on_after(LAST_SECONDS):
                await process.wait()
            await _ended(process)


async def _ended(process: trio.Process) -> None:
    process.kill()
    with trio.CancelScope(shield=True):
        await process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                await trio.aclose_forcefully(pipe)
