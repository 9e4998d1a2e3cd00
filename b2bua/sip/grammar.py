"""Character classes and the lexical rules that all header fields share (RFC 3261 section 25.1).

Owns tokens, quoted strings, percent escapes, and splitting at a separator outside quotes and angle brackets. Knows no
header field.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from b2bua.sip.errors import PeerError

DIGITS = "0123456789"
ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" + DIGITS
TOKEN: Final = frozenset(ALPHANUMERIC + "-.!%*_+`'~")
"""What a token is made of."""

BLANK: Final = " \t"
"""White space within a line, as it stands once folded lines are joined."""

# Each pattern matches from any opening character, closed or not, so that a scan is linear in the text.
_COMMAS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|<[^>]*+|(,)', re.DOTALL)
_SEMICOLONS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|<[^>]*+|(;)', re.DOTALL)
_QUOTED: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


def is_token(text: str) -> bool:
    """Whether this is a token: at least one character, all of them ordinary."""
    return bool(text) and TOKEN.issuperset(text)


def is_number(text: str) -> bool:
    """Whether this is 1*DIGIT; `str.isdigit` alone lets through the digits of all scripts."""
    return text.isascii() and text.isdigit()


def quote(text: str) -> str:
    """The text as a quoted-string, its quotes included."""
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def unquote(text: str) -> str:
    """What a value says: the inside of a quoted-string, anything else as it is."""
    if len(text) >= 2 and text[0] == '"' == text[-1]:
        return unescape_pairs(text[1:-1])
    return text


def unescape_pairs(text: str) -> str:
    """The inside of a quoted-string with its quoted-pairs resolved."""
    return _PAIR.sub(r"\1", text) if "\\" in text else text


def read_quoted(text: str) -> tuple[str, int]:
    """The content of the quoted-string that `text` starts with, and where it ends. PeerError 400 if unclosed."""
    found = _QUOTED.match(text)
    if found is None:
        raise PeerError(400, "Unclosed Quoted String")
    return unescape_pairs(found[1]), found.end()


def split_commas(text: str) -> list[str]:
    """The values of one header line (RFC 3261 7.3.1): stripped, empty ones left out."""
    if "," not in text:
        return [text] if text else []
    return _split(text, ",", _COMMAS)


def split_semicolons(text: str) -> list[str]:
    """The parameters of one value: stripped, empty ones left out."""
    return _split(text, ";", _SEMICOLONS)


def _split(text: str, separator: str, outside: re.Pattern[str]) -> list[str]:
    if '"' not in text and "<" not in text:
        pieces = text.split(separator)
    else:
        pieces, start = [], 0
        for found in outside.finditer(text):
            if found[1] is not None:
                pieces.append(text[start : found.start()])
                start = found.end()
        pieces.append(text[start:])
    return [stripped for piece in pieces if (stripped := piece.strip(BLANK))]


def decode_percent(text: str) -> str:
    """The text with its %HH escapes resolved as UTF-8; what is no escape stays. Any character can come out of this."""
    if "%" not in text:
        return text
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def encode_percent(text: str, keep: frozenset[str]) -> str:
    """The text with all characters outside `keep` as %HH escapes of their UTF-8 octets."""
    if keep.issuperset(text):
        return text
    return "".join(
        [c if c in keep else "".join([f"%{o:02X}" for o in c.encode("utf-8", "surrogateescape")]) for c in text]
    )
