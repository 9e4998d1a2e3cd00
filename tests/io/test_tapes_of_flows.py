"""What is kept of the golden flows' calls: each message of each leg, whichever call the leg was in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from b2bua.effects import Flow, Record
from b2bua.io.database import Database
from b2bua.io.heard import SILENT_SECONDS, call_id
from b2bua.io.shell import Taped
from b2bua.io.tapes import Tapes
from b2bua.settings import Messages
from b2bua.tape import unpack
from tests.flows.play import Performance
from tests.flows.script import read_flow

FLOWS = Path(__file__).parents[1] / "flows"
CHOSEN = ("b[01]*", "d0*", "x0[1-6]*", "y0[0-4]*", "y18*", "y27*", "y34*", "z0*", "z20*")
"""Calls that are simple, dial in turn or at once, or whose legs go on in another."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "b2bua.sqlite")
    yield database
    database.close()


class Records(list[Record]):
    """The records, each told to the tapes as it is written."""

    def __init__(self, performance: Kept) -> None:
        super().__init__()
        self._performance = performance

    def append(self, record: Record) -> None:
        super().append(record)
        self._performance.leg_over(record)


class Kept(Performance):
    """A performance whose messages and records reach the store's thread, as a server's do."""

    def __init__(self, path: Path, database: Database) -> None:
        super().__init__(read_flow(path))
        self.tapes = Tapes(database, Messages(), 86_400.0)
        self.messages: list[Taped] = []
        self.stage.records = Records(self)
        self.overhear(self._hear)

    def _hear(self, data: bytes, flow: Flow, sent: bool) -> None:
        # A server's clock never stands still between two messages.
        self.messages.append((self.stage.wall + len(self.messages) * 1e-6, sent, flow, data))
        self.tapes.heard.fresh.append(self.messages[-1])
        self._write()

    def _write(self) -> None:
        self.tapes.heard.listen()
        self.tapes.close(self.stage.clock.now, self.stage.wall)
        self.tapes.write(self.stage.wall)

    def leg_over(self, record: Record) -> None:
        self.tapes.heard.listen()
        self.tapes.tie(record, self.stage.clock.now)

    def end(self) -> None:
        """Time passes until nothing more is expected."""
        for _ in range(2):
            self.stage.clock.now += SILENT_SECONDS + 20.0
            self._write()


def chosen() -> list[Path]:
    return sorted(path for name in CHOSEN for path in FLOWS.rglob(f"{name}.flow"))


@pytest.mark.parametrize("path", chosen(), ids=lambda path: path.stem)
def test_each_call_has_all_messages_of_its_legs_in_their_order(path: Path, database: Database) -> None:
    played = Kept(path, database)
    played.play()
    assert played.failures == []
    played.end()
    call_ids: defaultdict[str, set[bytes]] = defaultdict(set)
    for record in played.stage.records:
        call_ids[record.call].add(record.sip_call_id.encode())
    rows = dict(database._connection.execute("SELECT call, messages FROM tapes"))
    assert rows.keys() == call_ids.keys()
    for call, stored in rows.items():
        kept = unpack(stored)
        due = [one for one in played.messages if call_id(one[3]) in call_ids[call]]
        assert [one.data[:10] for one in kept] == [data[:10] for *_, data in due]
        assert [(one.wall, one.sent) for one in kept] == [(wall, sent) for wall, sent, *_ in due]
    assert played.tapes.sizes() == {"tapes": 0, "tape octets": 0}
