"""Kamailio as a carrier: the registrar that our trunk registers at, and a proxy before its gateway.

Owns its configuration and process. What it was asked for stands in its log, line by line.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Self

from .message import Address
from .peer import Dialog, Peer
from .ports import wait_bound
from .program import Program, WireError

CONFIGURATION = Path(__file__).with_name("carrier.cfg")


class Carrier:
    """One Kamailio at an address. `expires` is the longest registration that it grants, in seconds."""

    def __init__(
        self, folder: Path, here: Address, gateway: Address, *, password: str = "lab-carrier", expires: int = 60
    ) -> None:
        found = shutil.which("kamailio")
        if found is None:
            raise WireError("kamailio is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.read_text(encoding="utf-8")
        marks = {"@HERE@": here, "@GATEWAY@": gateway, "@PASSWORD@": password, "@EXPIRES@": expires}
        for mark, value in marks.items():
            text = text.replace(mark, str(value))
        file = folder / "carrier.cfg"
        file.write_text(text, encoding="utf-8")
        stays = ["-DD", "-E", "-w", str(folder), "-Y", str(folder), "-P", str(folder / "kamailio.pid")]
        self.address = here
        self.program = Program([found, "-f", str(file), "-m", "64", "-M", "8", *stays], folder / "kamailio.log")
        wait_bound(self.program, here.host, here.port)
        # Bound is not yet at work: what came meanwhile would be answered twice.
        with Peer() as peer:
            Dialog.calling(peer, here, "world", "acme").request("OPTIONS")
            peer.receive(r"SIP/2\.0 200 ", timeout=20.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.program.stop()

    def count(self, pattern: str) -> int:
        """How many lines of the log match."""
        return sum(re.search(pattern, line) is not None for line in self.program.lines())
