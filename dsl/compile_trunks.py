"""A trunk's settings into a `Trunk`, and what of them the engine asks: whose peer, which number, in which
form.

Owns the defaults of what a trunk leaves out. Whether a secret may answer a challenge is for whoever is
challenged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import msgspec

from dsl import tree
from dsl.compile_setup import From, Trunk
from dsl.diagnostics import Problem, Source, suggestion
from dsl.networks import Network, NetworkError, NetworkSet, parse_network
from dsl.numbers import Format, NumberPlan, without_separators
from dsl.patterns import Pattern, PatternError, PatternSet, parse_pattern
from dsl.secrets_file import Entry, Secret

_FORMATS: dict[str, Format] = {
    "e164": "e164",
    "plain": "plain",
    "national": "national",
    "as-dialed": "as-dialed",
}
_FROM: dict[str, From] = {"caller": "caller", "account": "account"}


def compiled_trunk(trunk: tree.Trunk, secrets: dict[str, Entry], source: Source, problems: list[Problem]) -> Trunk:
    """The trunk that these settings make; what is wrong with them is added to `problems`."""
    reader = _Reader(Trunk(trunk.name.text, ""), secrets, source, problems)
    for setting in trunk.settings:
        reader.read(setting)
    return reader.trunk


def read_networks(nodes: tuple[tree.Network, ...], source: Source, problems: list[Problem]) -> tuple[Network, ...]:
    """The networks of a declaration; one that is none is a problem at its place."""
    networks: list[Network] = []
    for node in nodes:
        try:
            networks.append(parse_network(node.text))
        except NetworkError as error:
            problems.append(source.problem(node.span, error.message, error.advice))
    return tuple(networks)


class _Reader:
    def __init__(self, trunk: Trunk, secrets: dict[str, Entry], source: Source, problems: list[Problem]) -> None:
        self.trunk = trunk
        self._secrets = secrets
        self._source = source
        self._problems = problems

    def read(self, setting: tree.Setting) -> None:
        """Take one setting into the trunk."""
        match setting:
            case tree.Uri(uri=uri):
                self._set(uri=uri.value)
            case tree.Peers(networks=networks):
                self._set(peers=self.trunk.peers + read_networks(networks, self._source, self._problems))
            case tree.Login():
                self._login(setting)
            case tree.NumberFormat(form=form) if form.text in _FORMATS:
                self._set(number=_FORMATS[form.text])
            case tree.FromChoice(choice=choice) if choice.text in _FROM:
                self._set(from_=_FROM[choice.text])
            case tree.NumberFormat(form=word):
                self._wrong(word, f"`{word.text}` is no form of a number", "e164, plain, national or as-dialed")
            case tree.FromChoice(choice=word):
                self._wrong(word, f"`{word.text}` cannot stand after `from`", "write `caller` or `account`")
            case tree.CallerId(number=number):
                self._set(caller_id=without_separators(number.value))
            case tree.Allow(patterns=patterns):
                self._set(allow=(self.trunk.allow or ()) + self._patterns(patterns))
            case tree.Channels(count=count):
                self._set(channels=count.value)
            case tree.Failover(codes=codes):
                self._set(failover=self.trunk.failover | {code.value for code in codes})
            case tree.Progress(within=within):
                self._set(progress=within.seconds)
            case tree.Trusted():
                self._set(trusted=True)
            case tree.Transit(reason=reason):
                self._set(transit=reason.value)
            case tree.Check(every=every):
                self._set(check=every.seconds)
            case _:
                assert_never(setting)

    def _set(self, **changes: object) -> None:
        self.trunk = msgspec.structs.replace(self.trunk, **changes)

    def _wrong(self, node: tree.Node, message: str, advice: str | None = None) -> None:
        self._problems.append(self._source.problem(node.span, message, advice))

    def _login(self, login: tree.Login) -> None:
        secret: Secret | None = None
        if login.secret is not None:
            entry = self._secrets.get(login.secret.value)
            if entry is None:
                advice = suggestion(login.secret.value, self._secrets)
                self._wrong(login.secret, f"`secrets.yaml` has no entry `{login.secret.value}`", advice)
            else:
                secret = entry.secret(login.username.value)
        self._set(account=login.username.value, secret=secret, registers=login.registers)

    def _patterns(self, nodes: tuple[tree.Pattern, ...]) -> tuple[Pattern, ...]:
        found: list[Pattern] = []
        for node in nodes:
            try:
                found.append(parse_pattern(node.text))
            except PatternError as error:
                place = node.span.on_line(node.span.column + 1 + error.offset, 1)
                self._problems.append(self._source.problem(place, error.message, error.advice))
        return tuple(found)


class Trunks:
    """All trunks of a policy, with the indexes that the engine asks."""

    def __init__(self, trunks: Iterable[Trunk], plan: NumberPlan) -> None:
        self._plan = plan
        self._names: list[str] = []
        self._trunks: dict[str, Trunk] = {}
        self._allowed: dict[str, PatternSet | None] = {}
        peers: list[tuple[int, Network]] = []
        for index, trunk in enumerate(trunks):
            self._names.append(trunk.name)
            self._trunks[trunk.name] = trunk
            self._allowed[trunk.name] = None if trunk.allow is None else PatternSet(trunk.allow)
            peers += [(index, network) for network in trunk.peers]
        self._peers = NetworkSet(peers)

    def of(self, address: str) -> str | None:
        """The trunk whose `peers` hold an address, the first declared of several; None when there is none."""
        found = self._peers.match(address)
        return self._names[found[0]] if found else None

    def number(self, trunk: str, number: str) -> str | None:
        """The number in the form that a trunk wants; None when its `allow` refuses it or it has no such form.

        Raises KeyError when there is no such trunk.
        """
        allowed, form = self._allowed[trunk], self._trunks[trunk].number
        if allowed is None:
            return self._plan.formatted(number, form)
        e164 = self._plan.e164(number)
        if e164 is None or not allowed.match(e164):
            return None
        return e164 if form == "e164" else self._plan.formatted(number, form)
