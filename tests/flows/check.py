"""What the brackets of a line that receives may ask of the message, and whether it is so.

    Contact ~ 192\\.0\\.2\\.1     a header matches a pattern        Call-ID != $first   it is not what was kept
    Expires = 60               a header is                       to-tag as first     keep it
    no Supported               there is none                     sdp = alice's       the body that alice sent last
    sdp, no sdp, sdp sendonly  a session description             o-version = $v + 1  one more than what was kept

Beside headers there are the fields `to-tag`, `from-tag`, `call-id`, `cseq`, `branch`, `uri` (Request-URI), `reason`,
`from-uri`, `to-uri`, `o-version`, `o-session`, `transport`, `body` and `credentials`: `right` or `wrong` for the
party's account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from b2bua.effects import Record
from b2bua.sip.digest import ha1
from b2bua.sip.digest import response as digest_response
from b2bua.sip.headers import Credentials
from b2bua.sip.message import Request, Response
from tests.sim.wire import has_sdp, split_origin

from .party import Actor
from .script import FlowError

_COMPARISON = re.compile(r"(?P<field>[A-Za-z][A-Za-z-]*)\s*(?P<operator>!=|!~|=|~|\bas\b)\s*(?P<value>.+)")
_PLUS = re.compile(r"\$(?P<name>\w+)(?:\s*\+\s*(?P<more>\d+))?")


class Checker:
    """Compares messages with brackets. `kept` holds what `as` kept, for the whole flow."""

    def __init__(self, cast: Mapping[str, Actor]) -> None:
        self.kept: dict[str, str] = {}
        self._cast = cast

    def wrong_with(self, item: str, message: Request | Response, actor: Actor, where: str) -> str:
        """What is not as the item says; empty when all is well. Raises FlowError for an item that asks nothing."""
        if item in ("sdp", "no sdp"):
            return "" if has_sdp(message) == (item == "sdp") else f"where `{item}` is due the body is {message.body!r}"
        if item.startswith("sdp ") and "=" not in item:
            direction = f"a={item.split()[1]}\r\n".encode()
            return "" if direction in message.body else f"the body is not {item.split()[1]}: {message.body!r}"
        if item.startswith("no "):
            value = _field(item[3:], message, actor)
            return "" if value is None else f"{item[3:]} is {value!r}"
        found = _COMPARISON.fullmatch(item)
        if found is None:
            raise FlowError(f"{where}: `{item}` asks nothing of a message")
        if found["field"] == "sdp":
            return self._compare_bodies(found["operator"], found["value"], message, where)
        return self._compare(found["field"], found["operator"], found["value"], _field(found["field"], message, actor))

    def _compare(self, field: str, operator: str, value: str, actual: str | None) -> str:
        if operator == "as":
            self.kept[value] = actual or ""
            return "" if actual else f"there is no {field}"
        due = self._due(value)
        if operator in ("=", "!="):
            holds = (actual == due) == (operator == "=")
        else:
            holds = (actual is not None and re.search(due, actual) is not None) == (operator == "~")
        return "" if holds else f"{field} is {actual!r}, which should be {operator} {due!r}"

    def _due(self, value: str) -> str:
        kept = _PLUS.fullmatch(value)
        if kept is None:
            return value[1:-1] if value[:1] == value[-1:] == '"' else value
        text = self.kept[kept["name"]]
        return str(int(text) + int(kept["more"])) if kept["more"] else text

    def _compare_bodies(self, operator: str, value: str, message: Request | Response, where: str) -> str:
        name = value.removesuffix("'s")
        if name not in self._cast or operator not in ("=", "!="):
            raise FlowError(f"{where}: `sdp {operator} {value}` names nobody's session description")
        same = split_origin(message.body)[1] == split_origin(self._cast[name].last_body)[1]
        return "" if same == (operator == "=") else f"the body is {message.body!r}"

    def wrong_with_record(self, item: str, record: Record, where: str) -> str:
        """Like `wrong_with`, for a field of a record."""
        found = _COMPARISON.fullmatch(item)
        if found is None or not hasattr(record, found["field"].replace("-", "_")):
            raise FlowError(f"{where}: `{item}` asks nothing of a record")
        actual = getattr(record, found["field"].replace("-", "_"))
        return self._compare(found["field"], found["operator"], found["value"], str(actual))


def _field(name: str, message: Request | Response, actor: Actor) -> str | None:
    if name[0].isupper():
        values = message.all(name)
        return ", ".join(values) if values else None
    match name:
        case "to-tag":
            return message.to_tag
        case "from-tag":
            return message.from_tag
        case "from-uri":
            return str(message.from_.uri)
        case "to-uri":
            return str(message.to.uri)
        case "call-id":
            return message.call_id
        case "cseq":
            return str(message.cseq.number)
        case "branch":
            return message.via.branch
        case "transport":
            return message.via.transport
        case "uri":
            return message.uri if isinstance(message, Request) else None
        case "reason":
            return message.reason if isinstance(message, Response) else None
        case "o-version" | "o-session":
            origin = split_origin(message.body)[0]
            return origin[2 if name == "o-version" else 1] if len(origin) > 2 else None
        case "body":
            return message.body.decode("utf-8", "replace") or None
        case "credentials":
            return _credentials(message, actor) if isinstance(message, Request) else None
        case _:
            raise FlowError(f"`{name}` is no field of a message")


def _credentials(request: Request, actor: Actor) -> str | None:
    line = request.get("Authorization") or request.get("Proxy-Authorization")
    if line is None:
        return None
    given = Credentials.parse(line)
    secret = ha1(actor.account[0], given.realm, actor.account[1], "MD5")
    due = digest_response(
        secret, request.method, given.uri, given.nonce, given.nc or "", given.cnonce or "", given.qop or "", "MD5"
    )
    right = given.username == actor.account[0] and given.response == due
    return "right" if right else "wrong"
