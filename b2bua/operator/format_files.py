"""`b2bua fmt`: scripts put into the one style where they are.

Owns reading, replacing, and what is told. The style is `dsl.fmt`'s. A file is replaced in one step, by one with the
same owner and mode, and not touched where nothing changes or anything is wrong.
"""

from __future__ import annotations

import difflib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from b2bua.operator.reading import readable
from dsl.diagnostics import PolicyError, Problem
from dsl.fmt import formatted

_STANDARD_INPUT = "-"
_BYTE_ORDER_MARK = "\ufeff"


class _Formatted(msgspec.Struct, frozen=True):
    """A script before and after; `path` is None for standard input."""

    name: str
    path: Path | None
    before: str
    after: str

    def diff(self) -> str:
        """What changes, as a unified diff; a change of line ends alone in words."""
        before = self.before.removeprefix(_BYTE_ORDER_MARK).replace("\r\n", "\n")
        if before == self.after != self.before:
            return f"{self.name}: only line ends or the byte order mark change\n"
        rows = difflib.unified_diff(
            before.splitlines(keepends=True), self.after.splitlines(keepends=True), self.name, f"{self.name} formatted"
        )
        return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def format_files(names: Iterable[str], check: bool, diff: bool) -> bool:
    """Format each of these, `-` from standard input to standard output; or, under `check` and `diff`, only tell what
    would change. Returns whether all is well: under `check`, whether nothing would change.
    """
    well = True
    for name in names:
        try:
            script = _formatted(name)
            if diff:
                click.echo(script.diff(), nl=False)
            if check:
                well = well and script.before == script.after
                if script.before != script.after and not diff:
                    click.echo(f"{script.name} is not formatted")
            elif not diff:
                _write(script)
        except PolicyError as error:
            click.echo(str(error), err=True)
            well = False
    return well


def _formatted(name: str) -> _Formatted:
    path = None if name == _STANDARD_INPUT else Path(name)
    shown = "<standard input>" if path is None else name
    with readable(shown):
        data = sys.stdin.buffer.read() if path is None else path.read_bytes()
        before = data.decode("utf-8")
    return _Formatted(shown, path, before, formatted(before, shown))


def _write(script: _Formatted) -> None:
    if script.path is None:
        click.echo(script.after, nl=False)
    elif script.before != script.after:
        try:
            _replace(script.path.resolve(), script.after.encode("utf-8"))
        except OSError as error:
            problem = Problem(script.name, 1, 1, 1, f"this cannot be written: {error.strerror}")
            raise PolicyError([problem]) from None
        click.echo(f"{script.name} formatted")


def _replace(path: Path, data: bytes) -> None:
    """Put a file with this content in place of the one that is there, which is never half written."""
    old = path.stat()
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            made = os.fstat(file.fileno())
            if (made.st_uid, made.st_gid) != (old.st_uid, old.st_gid):
                os.fchown(file.fileno(), old.st_uid, old.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError:
        os.unlink(new)
        raise
