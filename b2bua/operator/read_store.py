"""A server's store, read beside whoever writes it.

Owns finding it in a state directory, and saying why it cannot be read. Leaves what is read to whoever asks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from b2bua.io.database import VERSION
from b2bua.io.failure import ServerError
from b2bua.io.state import DATABASE


@contextmanager
def read_store(state: Path, oldest: int = VERSION) -> Iterator[sqlite3.Connection]:
    """Connect to the store, whose schema must be at least `oldest`. Raises ServerError, for what fails within too."""
    path = state / DATABASE
    if not path.exists():
        raise ServerError(f"no server has kept anything in {state}; name its state directory with --state")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if not oldest <= version <= VERSION:
                raise ServerError(f"the store {path} is of another b2bua; run this one's server on it first")
            yield connection
    except sqlite3.Error as error:
        raise ServerError(f"cannot read {path}: {error}") from None
