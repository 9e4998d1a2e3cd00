"""What a message says to prove who somebody is, or to keep others from listening, blotted out before it is kept.

Owns what counts as such: credentials and what answers them (RFC 3261 22.4, RFC 7615), passwords in URIs (RFC 3261
19.1.1), keys in session descriptions (RFC 4568, RFC 4567, RFC 8866 5.12, RFC 8839 5.4), and digits that are dialled
inside a call, for they may be a PIN. Names and challenges stay. Each octet becomes an asterisk, so that lengths stay
true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Two looks over all messages of a call tell whether any has a secret: few have. Each begins with one plain octet, by
# which `re` is quick; one that begins with a set of octets takes five times as long.
_SUSPECT_LINE = re.compile(
    rb"\n(?:[Aa][Uu][Tt][Hh]|[Pp][Rr][Oo][Xx][Yy]-[Aa][Uu][Tt][Hh]|a=(?:crypto|ice-pwd|key-mgmt)|k=)"
)
# What may be a password before a `@`, in lower case, or is too long to be looked at for that.
_SUSPECT_URI = re.compile(rb"sips?:[^\s:@\"<>;?/]*:[^\s@\"<>]{0,128}+[^\s\"<>]")

# Each keeps its first group, and blots out its second.
# What has no `@` behind it is found too: else it would be looked at once more from each `sip:` within.
_PASSWORD = re.compile(rb"(sips?:[^\s:@\"<>;?/]*:)([^\s@\"<>]*+)(@?)", re.IGNORECASE)
_CREDENTIALS = re.compile(
    rb"(\n(?:proxy-)?auth(?:orization|entication-info)[ \t]*:)([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE
)
_ANSWER = re.compile(rb"(\b(?:response|cnonce|rspauth|auts)\s*=\s*\"?)((?:[^\"\\,\s]|\\.)+)", re.IGNORECASE)
_TOKEN = re.compile(rb"(^\s*\S+)(.+)", re.DOTALL)
_KEY = re.compile(rb"(\n(?:a=ice-pwd:|a=key-mgmt:\S+[ \t]|k=[^:\r\n]*:))([^\r\n]+)")
_INLINE = re.compile(rb"(\na=crypto:[^\r\n]*?inline:)([^\r\n]+)", re.IGNORECASE)
_BODY = re.compile(rb"(\r\n\r\n)(.*)", re.DOTALL)

_DIGEST = re.compile(rb"\s*digest\s", re.IGNORECASE)
_DIGITS = re.compile(rb"\n(?:content-type|c)[ \t]*:[^\r\n]*(?:dtmf|digits)", re.IGNORECASE)
_VISIBLE = re.compile(rb"\S")


def blotted(messages: Sequence[bytes]) -> Sequence[bytes]:
    """The messages, in their order, without their secrets: the same where there are none."""
    whole = b"\n\n".join(messages)
    if _SUSPECT_LINE.search(whole) is not None:
        messages = [_without_credentials(data) for data in messages]
    if _SUSPECT_URI.search(whole.lower()) is not None:
        messages = [_PASSWORD.sub(_blot_password, data) for data in messages]
    if whole.startswith(b"INFO ") or b"\n\nINFO " in whole:
        messages = [_without_digits(data) if data.startswith(b"INFO ") else data for data in messages]
    return messages


def _without_credentials(data: bytes) -> bytes:
    if _SUSPECT_LINE.search(data) is None:
        return data
    for secret in (_KEY, _INLINE):
        data = secret.sub(_blot, data)
    return _CREDENTIALS.sub(_blot_credentials, data)


def _without_digits(data: bytes) -> bytes:
    return _BODY.sub(_blot, data, 1) if _DIGITS.search(data) is not None else data


def _blot_password(found: re.Match[bytes]) -> bytes:
    return _blot(found) + found[3] if found[3] else found[0]


def _blot_credentials(found: re.Match[bytes]) -> bytes:
    """Of a digest's credentials what proves nothing stays; of others the scheme alone (RFC 7617, RFC 8898)."""
    field, value = found[1], found[2]
    digest = _DIGEST.match(value) is not None or b"info" in field.lower()
    return field + (_ANSWER if digest else _TOKEN).sub(_blot, value)


def _blot(found: re.Match[bytes]) -> bytes:
    return found[1] + _VISIBLE.sub(b"*", found[2])
