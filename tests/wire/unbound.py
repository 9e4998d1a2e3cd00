"""unbound, a real name server, with a zone of the test's own.

Owns its configuration and its process: what stands in the zone is answered, all else does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from .message import Address
from .ports import block, wait_bound
from .program import Program

_CONFIGURATION = """\
server:
  interface: {host}@{port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  log-queries: yes
  num-threads: 1
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow
  local-zone: "." refuse
  local-zone: "{zone}." static
{records}
remote-control:
  control-enable: no
"""


class Unbound:
    """One name server. `records` are lines of a zone file, with `zone` as their origin: `gw 5 IN A 127.0.0.2`."""

    def __init__(self, zone: str, records: Sequence[str], folder: Path, *, address: Address | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = address or Address("127.0.0.1", block())
        local = "\n".join(f"  local-data: '{_absolute(record, zone)}'" for record in records)
        file = folder / "unbound.conf"
        host, port = self.address
        file.write_text(
            _CONFIGURATION.format(host=host, port=port, folder=folder, zone=zone, records=local), encoding="utf-8"
        )
        self.program = Program(["unbound", "-d", "-c", str(file)], folder / "unbound.log")
        wait_bound(self.program, host, port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.program.stop()

    def asked(self, name: str) -> list[str]:
        """What was asked about a name so far: the types, in order."""
        queries = (line.split() for line in self.program.lines() if f" {name}. " in line)
        return [words[-2] for words in queries]


def _absolute(record: str, zone: str) -> str:
    owner, rest = record.split(maxsplit=1)
    return f"{zone}. {rest}" if owner == "@" else f"{owner}.{zone}. {rest}"
