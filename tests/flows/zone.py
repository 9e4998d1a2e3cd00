"""What DNS says in a flow.

name gw.carrier.example gw gw3             two servers, the first one the better (SRV priorities)
name gw.carrier.example gw 60 gw3 40       two of one priority, with weights
name gw.carrier.example gw after 2 life 9  asked, it takes so many seconds, and is true for so many
name gw.carrier.example nobody             no such name
0.0  names > down    0.0  names > up       no name server answers; they do again
0.0  names > gw.carrier.example gw2        from now on the name is that
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from b2bua.effects import Answer, Failed, Found, Resolve, Target, Transport
from tests.sim.shell import place_of

from .script import FlowError

_LIFE = 300.0
_OPTIONS = ("after", "life")


class Zone:
    """`names` are the words that flows have for them, `hosts` the addresses of the cast."""

    def __init__(self, names: Mapping[str, Sequence[str]], hosts: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._hosts = hosts
        self._down = False

    def answer(self, question: Resolve) -> tuple[float, Answer]:
        """In how many seconds the answer comes, and what it is."""
        words = list(self._names.get(question.host, ()))
        given = {option: float(words[words.index(option) + 1]) for option in _OPTIONS if option in words}
        delay = given.get("after", 0.0)
        if self._down:
            return delay, Failed(f"{question.host}: no name server answers")
        targets = self._targets(question, words)
        life = given.get("life", _LIFE)
        return delay, Found(targets, life, "" if targets else f"{question.host}: no such name")

    def change(self, words: Sequence[str], where: str) -> None:
        """Something else is true from now on."""
        match words:
            case ["down" | "up" as state]:
                self._down = state == "down"
            case [name, *rest] if rest:
                self._names[name] = rest
            case _:
                raise FlowError(f"{where}: names cannot `{' '.join(words)}`")

    def _targets(self, question: Resolve, words: list[str]) -> tuple[Target, ...]:
        usual: Transport = "TLS" if question.secure else "UDP"
        transport: Transport = "TCP" if "tcp" in words else question.transport or usual
        targets = []
        for number, (word, after) in enumerate(zip(words, [*words[1:], ""], strict=True)):
            if word in self._hosts:
                place = place_of(question, transport, self._hosts[word])
                weighed = after.isdigit()
                targets.append(Target(0, 0 if weighed else number, int(after) if weighed else 0, (place,)))
        return tuple(targets)
