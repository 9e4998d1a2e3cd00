"""From the bytes of a script, a table or another file to its text.

Owns what is said of files that are no UTF-8, or no text at all.
"""

from __future__ import annotations

from pathlib import Path

from dsl.diagnostics import PolicyError, Problem

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def script_text(content: bytes, file: str) -> str:
    """The text of a script. Raises PolicyError for what is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError([not_utf_8(file, error)]) from None
    if "\0" in text:
        raise PolicyError([_no_text(file, content)])
    return text


def file_text(path: Path, problems: list[Problem]) -> str | None:
    """The text of a file that a script names; None, and a problem, for what is no UTF-8. Raises OSError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(not_utf_8(str(path), error))
        return None


def not_utf_8(file: str, error: UnicodeDecodeError) -> Problem:
    """What to say of a file that cannot be decoded, at the first character that cannot."""
    content = bytes(error.object)
    if content.startswith(_UTF_16):
        return Problem(file, 1, 1, 1, "this file is UTF-16", advice="save it as UTF-8")
    if b"\0" in content:
        return _no_text(file, content)
    before = content[: error.start]
    line = before.rpartition(b"\n")[2].removeprefix(b"\xef\xbb\xbf")
    shown = (line + content[error.start :].partition(b"\n")[0]).decode("latin-1").rstrip("\r")
    column = len(line.decode("utf-8")) + 1
    shown = "".join(letter if letter.isprintable() else " " for letter in line.decode("utf-8") + shown[len(line) :])
    return Problem(file, before.count(b"\n") + 1, column, 1, "this is not UTF-8", shown, "save the file as UTF-8")


def _no_text(file: str, content: bytes) -> Problem:
    line = content.count(b"\n", 0, content.index(b"\0")) + 1
    return Problem(file, line, 1, 1, "this is no text", advice="give the name of a file that is one")
