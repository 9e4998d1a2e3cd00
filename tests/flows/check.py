"""What the brackets of a line that receives may ask of the message, and whether it is so.

    Contact ~ 192\\.0\\.2\\.1     a header matches a pattern        Call-ID != $first   it is not what was kept
    Expires = 60               a header is                       to-tag as first     keep it
    no Supported               there is none                     sdp = alice's       the body that alice sent last
    sdp, no sdp, sdp sendonly  a session description             o-version = $v + 1  one more than what was kept
    sdp = alice's relayed      the same but for where it is sent to: the address and the ports are ours

Beside headers there are the fields `to-tag`, `from-tag`, `call-id`, `cseq`, `branch`, `uri` (Request-URI), `reason`,
`from-uri`, `to-uri`, `o-version`, `o-session`, `transport`, `body` and `credentials`: `right` or `wrong` for the
party's account. Of a description: `address`, `streams`, and of a stream, which is the first audio unless the name says
another (`video-port`), `port`, `formats` and `direction`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from b2bua.core.views import TrunkView
from b2bua.effects import Record
from b2bua.sdp.session import parse as parse_sdp
from b2bua.sip.digest import ha1
from b2bua.sip.digest import response as digest_response
from b2bua.sip.headers import Credentials
from b2bua.sip.message import Request, Response
from tests.sim.hearing import Heard
from tests.sim.shell import SERVER
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
        name, _, rest = value.partition("'s")
        relayed = rest == " relayed"
        if name not in self._cast or rest not in ("", " relayed") or operator not in ("=", "!="):
            raise FlowError(f"{where}: `sdp {operator} {value}` names nobody's session description")
        said, due = split_origin(message.body)[1], split_origin(self._cast[name].last_body)[1]
        same = _is_relayed(said, due) if relayed else said == due
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
        case _ if name.rpartition("-")[2] in ("streams", "address", "port", "formats", "direction"):
            return _of_description(name, message.body) if has_sdp(message) else None
        case "credentials":
            return _credentials(message, actor) if isinstance(message, Request) else None
        case _:
            raise FlowError(f"`{name}` is no field of a message")


_PLACE = re.compile(rb"^c=IN IP4 (\S+)|^(?:m=\S+) ([1-9]\d*)", re.MULTILINE)
_OUR_PORTS = range(20_000, 21_000)


def _is_relayed(said: bytes, due: bytes) -> bool:
    """Whether a description is that other one with our address and ports in it."""
    hosts = [host.decode() for host, _ in _PLACE.findall(said) if host]
    ports = [int(port) for _, port in _PLACE.findall(said) if port]
    ours = all(host == SERVER for host in hosts) and all(port in _OUR_PORTS for port in ports)
    return ours and _PLACE.sub(b"", said) == _PLACE.sub(b"", due)


def _of_description(name: str, body: bytes) -> str | None:
    """A field of a session description; None where the body has no such stream."""
    session = parse_sdp(body)
    if name == "streams":
        return " ".join(media.kind for media in session.media)
    kind, dash, field = name.rpartition("-")
    media = next((media for media in session.media if media.kind == (kind if dash else "audio")), None)
    if media is None:
        return None
    if field == "address":
        return media.connection.address if media.connection is not None else None
    return {"port": str(media.port), "formats": " ".join(media.formats), "direction": str(media.direction)}[field]


def wrong_with_hearing(due: str, heard: list[Heard]) -> str:
    """What is heard, if that is not what is due: `nothing`, or `WHO [KIND] [WAY] [in CODEC]` with ` + ` between."""
    wanted = [] if due == "nothing" else [each.split() for each in due.split(" + ")]
    left = list(heard)
    for what, *words in wanted:
        kind = next((word for word in words if word in ("video", "image")), "audio")
        ways = [word for word in words if word in ("relayed", "direct", "played")]
        codec = words[words.index("in") + 1] if "in" in words else ""
        found = next(
            (
                one
                for one in left
                if (one.what, one.kind) == (what, kind)
                and (not ways or one.way in ways)
                and (one.codec == codec.upper() if codec else one.codec != "NOISE")
            ),
            None,
        )
        if found is None:
            left = left or heard or [Heard("nothing", "audio", "at", "all")]
            break
        left.remove(found)
    return " + ".join(f"{one.what} {one.kind} {one.way} in {one.codec}" for one in heard) or "nothing" if left else ""


def wrong_with_trunk(item: str, shown: Sequence[TrunkView]) -> str:
    """What of a trunk is not as `NAME = STATE`, `NAME FIELD = VALUE` or `NAME FIELD ~ PATTERN` says."""
    name, _, rest = item.partition(" ")
    trunk = next((trunk for trunk in shown if trunk.name == name), None)
    found = re.fullmatch(r"(?P<field>\w+ )?(?P<operator>[=~]) (?P<value>.*)", rest)
    if trunk is None or found is None:
        raise FlowError(f"`{item}` asks nothing of a trunk")
    actual = str(getattr(trunk, (found["field"] or "state ").strip()))
    due = found["value"]
    holds = actual == due if found["operator"] == "=" else re.search(due, actual) is not None
    return "" if holds else f"{name} {found['field'] or ''}is {actual!r}, where {due!r} is due"


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
