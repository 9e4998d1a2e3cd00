"""Who may appear in a flow, where each of them is, and the policy that holds where a flow brings none."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from b2bua.effects import Transport
from dsl import policy
from dsl.policy import Policy
from tests.sim.link import Place
from tests.sim.office import write_sound
from tests.sim.shell import SERVER

from .party import Actor
from .script import Flow, FlowError

COMMANDED = ("operator", "store", "network", "media", "names")
_ACCOUNT = ("acme", "trunk-secret")
_PHONES = {
    "alice": "192.0.2.10",
    "bob": "192.0.2.11",
    "carol": "192.0.2.12",
    "dave": "192.0.2.13",
    "erin": "192.0.2.14",
}
_GATEWAYS = {"gw": "198.51.100.1", "gw2": "198.51.100.17", "gw3": "198.51.100.33"}
NAMES = {"gw.carrier.example": ("gw",), "gw2.carrier.example": ("gw2",), "gw3.carrier.example": ("gw3",)}

_USERS = """\
alice: {password: alice-secret, extension: "201", number: "+493012345201", display: Alice}
bob:   {password: bob-secret, extension: "202", number: "+493012345202", display: Bob, mobile: "+491701234567"}
carol: {password: carol-secret, extension: "203", number: "+493012345203", display: Carol}
dave:  {password: dave-secret, extension: "204", number: "+493012345204", display: Dave}
erin:  {password: erin-secret, extension: "205", number: "+493012345205", numbers: "+4930123459, 20", display: Erin}
"""

_PREAMBLE = """\
policy   "flow"
domain   acme.example
timezone "UTC" country +49
users    staff from "users.yaml"
net      office = 192.0.2.0/24
"""

_TRUNKS = """\
trunk pstn {
  uri   "sip:gw.carrier.example"
  peers 198.51.100.1
  login "acme" secret "pstn"
  number e164
}
trunk second { uri "sip:gw2.carrier.example" number e164 }
trunk third  { uri "sip:gw3.carrier.example" number e164 }
"""

_REGISTER = "on register { otherwise -> accept }\n"
_SOUND = re.compile(r"\bplay (\w+)")
_CALL = "on call { otherwise -> dial callee for 20s }\n"


@cache
def policy_of(text: str, name: str) -> Policy:
    """A flow's policy, with what it leaves out put before it: the names, the trunks, `on register`."""
    if not text.lstrip().startswith("policy "):
        preamble = _PREAMBLE + (_TRUNKS if not re.search(r"^trunk ", text, re.MULTILINE) else "")
        preamble += "".join(f'sound {name} = "{name}.wav"\n' for name in sorted(set(_SOUND.findall(text))))
        text = preamble + ("" if "on register" in text else _REGISTER) + (text or _CALL)
    with TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "users.yaml").write_text(_USERS)
        (path / "secrets.yaml").touch(mode=0o600)
        (path / "secrets.yaml").write_text(f"pstn: {{password: {_ACCOUNT[1]}}}\n")
        for sound in set(_SOUND.findall(text)):
            write_sound(path / f"{sound}.wav", sum(sound.encode()))
        route = path / f"{name}.route"
        route.write_text(text)
        return policy.load(route)


example_of = cache(policy.load)
"""The policy of an example, read once for all of its flows."""


class Cast:
    """The parties of a flow, in the first of the policy's domains. `registering` register before it begins."""

    def __init__(self, flow: Flow, followed: Policy) -> None:
        self._domain = followed.domains[0]
        self._passwords = {} if flow.example is None else _passwords(flow.example.with_name("users.yaml"))
        self.actors: dict[str, Actor] = {}
        self.registering: list[Actor] = []
        self._hosts = iter(range(40, 100))
        for party in flow.parties:
            self._add(party.name, party.words)
        for line in flow.lines:
            if line.who in _PHONES and line.who not in self.actors:
                self._add(line.who, ("phone",))
            elif line.who in _GATEWAYS and line.who not in self.actors:
                self._add(line.who, ("gateway",))
            elif line.who not in self.actors and line.who not in COMMANDED:
                raise FlowError(f"{line.where}: nobody is called {line.who}")

    def _add(self, name: str, words: tuple[str, ...]) -> None:
        """Words: `phone` or `gateway`, then any of tcp, tls, sips, udp-only, user NAME, at or behind HOST, port
        NUMBER, proves NAME, unregistered, no-ack, checked.

        A party `behind` an address of its own has a NAT before it, which is what the network sees. One that is
        `udp-only` refuses connections, one with `no-ack` acknowledges no failures, and
        one that is `checked` answers OPTIONS by itself. One with `sips` calls by such URIs,
        and has one itself. `proves NAME` is what the certificate of whoever listens by TLS is for.
        """
        options = dict(zip(words, [*words[1:], ""], strict=True))
        phone = words[0] == "phone"
        user = options.get("user", name)
        host = options.get("at") or _PHONES.get(name) or _GATEWAYS.get(name) or f"192.0.2.{next(self._hosts)}"
        secure = "tls" in options or "sips" in options
        transport: Transport = "TLS" if secure else "TCP" if "tcp" in options else "UDP"
        address = f"sip:{user}@{self._domain}" if phone else "sip:+4930555@carrier.example"
        account = (user, self._passwords.get(user, f"{user}-secret")) if phone else _ACCOUNT
        port = 5061 if secure else 5060
        place = Place(transport, host, int(options.get("port") or port))
        actor = Actor(name, address, account, place, Place(transport, SERVER, port))
        actor.domain = self._domain
        actor.scheme = "sips" if "sips" in options else "sip"
        actor.proves = options.get("proves", "")
        actor.behind = options.get("behind", "")
        actor.acknowledges = "no-ack" not in options
        actor.hears_streams = "udp-only" not in options
        actor.answers_checks = "checked" in options
        self.actors[name] = actor
        if phone and "unregistered" not in options:
            self.registering.append(actor)


def _passwords(users: Path) -> dict[str, str]:
    """The passwords of an example's users, by their names; empty where it has none."""
    if not users.exists():
        return {}
    return {name: str(user["password"]) for name, user in yaml.safe_load(users.read_text()).items()}
