"""A control socket behind which a thread plays the server."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from b2bua.io.requests import CONTROL


class Server:
    """Answers each request on the control socket of a folder: with what `by_request` has for it, else with `answer`.

    Where it does not `answers`, whoever asks waits.
    """

    def __init__(self, folder: Path) -> None:
        self.answer: object = {"result": []}
        self.by_request: dict[str, list[dict[str, Any]]] = {}
        self.answers = True
        self._taken: list[socket.socket] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(folder / CONTROL))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                taken, _ = self._socket.accept()
            except OSError:
                return
            if not self.answers:
                self._taken.append(taken)
                continue
            with taken, taken.makefile("rwb") as lines:
                asked = json.loads(lines.readline())["do"]
                answer = {"result": self.by_request[asked]} if asked in self.by_request else self.answer
                lines.write(json.dumps(answer).encode() + b"\n")

    def end(self) -> None:
        """Close it: whoever asks now finds nobody."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for sock in (self._socket, *self._taken):
            sock.close()
