"""The tables of the store, in SQLite: what is written in them, and how.

Owns the schema and the statements. Runs in whatever thread calls it, one at a time. Rows are written many to a
statement: SQLite works without Python's global lock, and a thread that gave that lock back for each row would get it
again from a busy event loop only every 5 ms.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, chain
from operator import attrgetter
from pathlib import Path

import msgspec

from b2bua.effects import Record
from b2bua.io.failure import ServerError

VERSION = 9
"""The schema's (`PRAGMA user_version`)."""

ENDED_KEPT = 1_000_000
"""Calls whose end stays noted for those who have not been told of it yet."""

BUSY_SECONDS = 5.0
"""How long a reader's lock is waited for."""

_SCHEMAS = (
    """
CREATE TABLE bindings (aor TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (
  call TEXT NOT NULL, leg INTEGER NOT NULL, direction TEXT NOT NULL, sip_call_id TEXT NOT NULL,
  caller TEXT NOT NULL, callee TEXT NOT NULL, target TEXT NOT NULL, source TEXT NOT NULL,
  start REAL NOT NULL, answer REAL, "end" REAL NOT NULL, cause INTEGER NOT NULL, reason TEXT NOT NULL,
  hung_up_by TEXT NOT NULL, policy TEXT NOT NULL, rules TEXT NOT NULL,
  PRIMARY KEY (call, leg)
);
CREATE INDEX records_by_start ON records (start);
CREATE INDEX records_by_sip_call_id ON records (sip_call_id);
""",
    """
CREATE TABLE disabled_trunks (trunk TEXT PRIMARY KEY) WITHOUT ROWID;
""",
    """
CREATE TABLE decisions (id INTEGER PRIMARY KEY, call TEXT NOT NULL UNIQUE, start REAL NOT NULL, document TEXT NOT NULL);
CREATE TABLE registration_decisions (
  user TEXT PRIMARY KEY, start REAL NOT NULL, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE versions (hash TEXT PRIMARY KEY, used REAL NOT NULL, document BLOB NOT NULL);
""",
    """
ALTER TABLE records ADD COLUMN transferred_by TEXT NOT NULL DEFAULT '';
""",
    """
ALTER TABLE records ADD COLUMN tags TEXT NOT NULL DEFAULT '{}';
""",
    """
ALTER TABLE records ADD COLUMN joined TEXT NOT NULL DEFAULT '';
""",
    """
CREATE TABLE tapes (
  call TEXT PRIMARY KEY, start REAL NOT NULL, octets INTEGER NOT NULL, upto INTEGER NOT NULL,
  left_out INTEGER NOT NULL, messages BLOB NOT NULL
);
""",
    """
CREATE TABLE ended (id INTEGER PRIMARY KEY AUTOINCREMENT, call TEXT NOT NULL);
""",
    """
ALTER TABLE records ADD COLUMN party TEXT NOT NULL DEFAULT '';
""",
)
"""What each version adds to the one before."""

_PUT_BINDINGS = "INSERT OR REPLACE INTO bindings (aor, document) VALUES {rows}"
_DROP_BINDINGS = "DELETE FROM bindings WHERE aor IN (VALUES {rows})"
_DOCUMENTS = ("rules", "tags")
_FIELDS = tuple(field for field in Record.__struct_fields__ if field not in (*_DOCUMENTS, "over"))
_COLUMNS = ", ".join(f'"{field}"' for field in (*_FIELDS, *_DOCUMENTS))
_PUT_RECORDS = f"INSERT OR REPLACE INTO records ({_COLUMNS}) VALUES {{rows}}"
_values = attrgetter(*_FIELDS)
_PUT_ENDED = "INSERT INTO ended (call) VALUES {rows}"
_DROP_ENDED = "DELETE FROM ended WHERE id <= (SELECT max(id) FROM ended) - ?"

_PUT_DECISIONS = "INSERT OR REPLACE INTO decisions (call, start, document) VALUES {rows}"
_PUT_REGISTRATIONS = "INSERT OR REPLACE INTO registration_decisions (user, start, document) VALUES {rows}"
_ADD_EVENT = "UPDATE decisions SET document = json_insert(document, '$.events[#]', json(?)) WHERE call = ?"
_PUT_VERSION = "INSERT OR REPLACE INTO versions (hash, used, document) VALUES (?, 0, ?)"
_USE_VERSION = "UPDATE versions SET used = max(used, ?) WHERE hash = ?"
_DROP_DECISIONS = """
DELETE FROM decisions WHERE id IN (SELECT id FROM decisions ORDER BY id LIMIT ?)
AND (start < ? OR id <= (SELECT max(id) FROM decisions) - ?)
"""
_DROP_VERSIONS = """
DELETE FROM versions WHERE used < ? OR hash NOT IN (SELECT hash FROM versions ORDER BY used DESC LIMIT 1000)
"""

# What belongs to a call that has a tape already is put behind it.
_PUT_TAPES = """
INSERT INTO tapes (call, start, octets, upto, left_out, messages) VALUES {rows} ON CONFLICT (call) DO UPDATE SET
octets = octets + excluded.octets, left_out = left_out + excluded.left_out,
messages = CAST(messages || excluded.messages AS BLOB)
"""
_DROP_TAPES = """
DELETE FROM tapes WHERE rowid IN (SELECT rowid FROM tapes ORDER BY rowid LIMIT ?)
AND (start < ? OR upto <= (SELECT upto FROM tapes ORDER BY rowid DESC LIMIT 1) - ?)
"""

_SIZES = (64, 32, 16, 8, 4, 2, 1)
"""Rows of one statement: few sizes, so that each is prepared once."""


class Decided(msgspec.Struct, frozen=True, gc=False):
    """How a call was decided from `start` on, by a version: a document, or what is to be added to the one of its call.

    `call` is the account where that is a registration.
    """

    call: str
    version: str
    start: float
    document: str | None
    further: tuple[str, ...] = ()
    registration: bool = False


class StoredTape(msgspec.Struct, frozen=True, gc=False):
    """A call's messages as `b2bua.tape.pack` has them, the first of `start`; `left_out` were not kept."""

    call: str
    start: float
    left_out: int
    messages: bytes


class Database:
    """An open database. The writing methods raise sqlite3.Error, and have then changed nothing.

    With `notes_ends` it is noted which calls are over, in their order, for those who are told of each.
    """

    def __init__(self, path: Path, notes_ends: bool = False) -> None:
        """Open or make it. Raises ServerError that says what to do."""
        self._notes_ends = notes_ends
        try:
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(path)
            except BaseException:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise ServerError(
                f"cannot open the store {path}: {error}; check the disk, or move the file away to begin with a new one"
            ) from None

    def _prepare(self, path: Path) -> None:
        connection = self._connection
        connection.execute("PRAGMA journal_mode = WAL")
        # Durable against kill -9; a power cut may cost the last commits, and no more.
        connection.execute("PRAGMA synchronous = NORMAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise ServerError(
                f"the store {path} is of a newer b2bua (version {version}, this one knows {VERSION}); "
                "use that one, or another state directory with --state"
            )
        if version < VERSION:
            missing = " ".join(_SCHEMAS[version:])
            connection.executescript(f"BEGIN IMMEDIATE; {missing} PRAGMA user_version = {VERSION}; COMMIT;")

    def close(self) -> None:
        """Close it; everything that was committed stays."""
        self._connection.close()

    def bindings(self) -> list[tuple[str, bytes]]:
        """All rows of bindings: address-of-record and document."""
        rows = self._connection.execute("SELECT aor, document FROM bindings")
        return [(aor, document.encode()) for aor, document in rows]

    def put_bindings(self, rows: Sequence[tuple[str, bytes | None]]) -> None:
        """Replace rows, the last of an address-of-record counts; those without a document go."""
        last = dict(rows)
        kept = [(aor, document.decode()) for aor, document in last.items() if document is not None]
        gone = [(aor,) for aor, document in last.items() if document is None]
        with self._transaction():
            self._write(_PUT_BINDINGS, kept)
            self._write(_DROP_BINDINGS, gone)

    def disabled_trunks(self) -> list[str]:
        """The trunks that the operator has switched off."""
        return [trunk for (trunk,) in self._connection.execute("SELECT trunk FROM disabled_trunks")]

    def put_trunk(self, trunk: str, disabled: bool) -> None:
        """Remember that a trunk is switched off, or on again."""
        with self._transaction():
            if disabled:
                self._connection.execute("INSERT OR IGNORE INTO disabled_trunks (trunk) VALUES (?)", (trunk,))
            else:
                self._connection.execute("DELETE FROM disabled_trunks WHERE trunk = ?", (trunk,))

    def put_records(self, records: Sequence[Record]) -> None:
        """Add rows; one that is there already is replaced. `rules` becomes a JSON list, `tags` an object."""
        rows = [(*_values(record), _list(record.rules), _object(record.tags)) for record in records]
        try:
            with self._transaction():
                self._put_records(records, rows)
        except UnicodeEncodeError:
            with self._transaction():
                self._put_records(records, [_readable(row) for row in rows])

    def _put_records(self, records: Sequence[Record], rows: Sequence[tuple[object, ...]]) -> None:
        self._write(_PUT_RECORDS, rows)
        ended = [(call,) for record in records for call in record.over] if self._notes_ends else []
        if ended:
            self._write(_PUT_ENDED, ended)
            self._connection.execute(_DROP_ENDED, (ENDED_KEPT,))

    def newest_end(self) -> int:
        """The number of the call whose end was noted last, 0 where none was."""
        (newest,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM ended").fetchone()
        return int(newest)

    def put_decisions(self, decided: Sequence[Decided], versions: Mapping[str, bytes]) -> None:
        """Add documents, or to documents; `versions` are those that are new, by their hash, as they are stored.

        The last document of a call or an account counts.
        """
        whole = [one for one in decided if one.document is not None]
        used = {one.version: one.start for one in decided}
        with self._transaction():
            self._connection.executemany(_PUT_VERSION, list(versions.items()))
            self._connection.executemany(_USE_VERSION, [(start, version) for version, start in used.items()])
            for registration, statement in ((False, _PUT_DECISIONS), (True, _PUT_REGISTRATIONS)):
                rows = [(one.call, one.start, one.document) for one in whole if one.registration is registration]
                self._write(statement, rows)
            for one in decided:
                for event in one.further:
                    self._connection.execute(_ADD_EVENT, (event, one.call))

    def drop_decisions(self, most: int, before: float, at_once: int) -> None:
        """Remove the oldest calls' documents beyond the `most` newest, or from before a time: so many `at_once`."""
        with self._transaction():
            self._connection.execute(_DROP_DECISIONS, (at_once, before, most))

    def drop_forgotten(self, before: float) -> None:
        """Remove registrations' documents from before a time, and the versions that were not used since."""
        with self._transaction():
            self._connection.execute("DELETE FROM registration_decisions WHERE start < ?", (before,))
            self._connection.execute(_DROP_VERSIONS, (before,))

    def put_tapes(self, tapes: Sequence[StoredTape]) -> None:
        """Add tapes, or to tapes.

        `upto` of a row counts the octets of all rows until then: so that the newest few megabytes are found without
        looking at each row.
        """
        with self._transaction():
            last = self._connection.execute("SELECT upto FROM tapes ORDER BY rowid DESC LIMIT 1").fetchone()
            upto = accumulate((len(tape.messages) for tape in tapes), initial=last[0] if last else 0)
            next(upto)
            self._write(
                _PUT_TAPES,
                [
                    (tape.call, tape.start, len(tape.messages), so_far, tape.left_out, tape.messages)
                    for tape, so_far in zip(tapes, upto, strict=True)
                ],
            )

    def drop_tapes(self, most: int, before: float, at_once: int) -> None:
        """Remove the oldest tapes beyond the newest `most` octets, or from before a time: so many `at_once`."""
        with self._transaction():
            self._connection.execute(_DROP_TAPES, (at_once, before, most))

    def forget_tapes(self) -> None:
        """Remove all of them."""
        with self._transaction():
            self._connection.execute("DELETE FROM tapes")

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Write rows of one width, as many to a statement as there are sizes for."""
        begun = 0
        for size in _SIZES:
            while len(rows) - begun >= size:
                row = f"({', '.join('?' * len(rows[begun]))})"
                values = list(chain.from_iterable(rows[begun : begun + size]))
                self._connection.execute(statement.format(rows=", ".join([row] * size)), values)
                begun += size

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it, or nothing."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def _readable(row: tuple[object, ...]) -> tuple[object, ...]:
    """A row whose peers wrote octets that are no UTF-8: those become U+FFFD."""
    return tuple(_text(value) if isinstance(value, str) else value for value in row)


def _text(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _list(rules: tuple[str, ...]) -> str:
    return msgspec.json.encode(rules).decode()


def _object(tags: Mapping[str, str]) -> str:
    """Tags as JSON; their values may be a peer's, as `_readable` has them."""
    return msgspec.json.encode({name: _text(value) for name, value in tags.items()}).decode() if tags else "{}"
