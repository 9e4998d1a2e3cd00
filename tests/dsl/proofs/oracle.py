"""What must never happen, seen from outside: policies are run, and what they decide is looked at. No reasoning.

Each judgement takes a compiled policy and facts, and says what went wrong, or None.
"""

import ipaddress
import re
from random import Random

import msgspec

from dsl import decision as d
from dsl import tree

ELSEWHERE = "198.18.7.7"
"""An address in none of the generated networks."""


class Same:
    """An ambient whose answers tell nobody's name: the same for every user and every key."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.answers = {}

    def _say(self, question):
        return self.answers.setdefault(question, self.random.random() < 0.5)

    def registered(self, user):
        return self._say("registered")

    def busy(self, user):
        return self._say("busy")

    def over(self, limit, key):
        return self._say(f"over {limit}")

    def up(self, trunk):
        return self._say(f"up {trunk}")

    def full(self, trunk):
        return self._say(f"full {trunk}")

    def turn(self, group):
        return self.answers.setdefault(f"turn {group}", self.random.randrange(6))

    def draw(self, group):
        return self.answers.setdefault(f"draw {group}", self.random.random())


class Written:
    """What the operator wrote anywhere: in the script, in the users file, in tables."""

    def __init__(self, generated, policy):
        texts = {"udp", "tcp", "tls"}
        texts |= set(re.findall(r'"([^"]*)"', generated.text))
        for content in generated.files.values():
            texts |= set(re.split(r'[",:{}\s]+', content.decode("latin-1")))
        for user in generated.words.users.values():
            texts |= set(user.values())
        texts |= {text.strip() for text in texts}
        texts |= {
            text for user in policy.users.values() for text in (user.name, user.number, *user.attributes.values())
        }
        self.texts = texts | {policy.e164(text) for text in texts} | {None}

    def has(self, number):
        return number in self.texts or (number is not None and number in {f"+{text}" for text in self.texts if text})


def networks(policy, names=None):
    return [
        ipaddress.ip_network(str(network))
        for name, nets in policy.setup.nets.items()
        for network in nets
        if names is None or name in names
    ]


def proving_nets(policy):
    """Nets in which no peer of any trunk is."""
    peers = [ipaddress.ip_network(str(peer)) for trunk in policy.trunks.values() for peer in trunk.peers]
    return [
        name
        for name in policy.setup.nets
        if not any(
            ours.version == peer.version and ours.overlaps(peer) for ours in networks(policy, [name]) for peer in peers
        )
    ]


def inside(address, nets):
    at = ipaddress.ip_address(address)
    return any(at in net for net in nets)


def chosen_number(random):
    """A number that nobody wrote down."""
    head = random.choice(("0", "00", "+49", "+4930", "10", "90", "91", "1", ""))
    return head + "".join(random.choice("0123456789") for _ in range(random.choice((2, 3, 7, 8))))


def as_a_stranger(policy, facts, random):
    """The same from somebody who proved nothing, with numbers of their own choice wherever one can be said."""
    nets = networks(policy, proving_nets(policy))
    sources = [address for address in (ELSEWHERE, facts.source) if not inside(address, nets)]
    return msgspec.structs.replace(
        facts,
        caller=None,
        authenticated=False,
        source=random.choice(sources),
        dialed=random.choice((facts.dialed, chosen_number(random), chosen_number(random))),
        claimed=chosen_number(random),
        caller_number=None if facts.trunk is None else chosen_number(random),
        diverted_by=random.choice((facts.diverted_by, chosen_number(random))),
        headers={name: chosen_number(random) for name in facts.headers},
    )


def reached(action):
    """Numbers that are called through trunks."""
    if isinstance(action, d.Dial):
        parties = [party for step in action.steps for party in step.parties]
    else:
        parties = [action.target] if isinstance(action, d.Transfer) else []
    return [(party.number, party.trunk) for party in parties if isinstance(party, d.NumberTarget)]


def toll(policy, written, facts, action):
    """A number reached through a trunk that the operator wrote nowhere, for somebody who proved nothing."""
    for number, trunk in reached(action):
        transit = facts.trunk not in (None, trunk) and policy.trunks[trunk].transit is not None
        help_is_called = policy.is_emergency(facts.dialed) and number == facts.dialed
        if not (transit or help_is_called or written.has(number)):
            return f"{number} through {trunk}"
    return None


def held_up(action):
    """An emergency call that somebody of ours made, and that does not go out."""
    if isinstance(action, d.Reject | d.Challenge | d.Redirect | d.Answer):
        return type(action).__name__
    return None


def asks_who_calls(policy, source):
    """Whether calls are ever asked who makes them, so that somebody authenticated is one of ours."""
    for item in policy.script.declarations:
        if isinstance(item, tree.Sub) or (isinstance(item, tree.On) and "call" in item.names):
            lines = source.split("\n")[item.span.line - 1 : item.span.end_line]
            if re.search(r"\bchallenge\b|\bauthenticated\b|\bcaller\b", "\n".join(lines)):
                return True
    return False


def challenges(policy, event):
    """Whether an event itself can challenge."""
    return any(
        isinstance(item, tree.On)
        and event in item.names
        and any(isinstance(node, tree.Challenge) for node in tree.walk(item))
        for item in policy.script.declarations
    )


def seen(action, name):
    """What somebody who asked for a name sees of a decision; that a trunk is given the name itself tells nothing."""
    if not isinstance(action, d.Dial):
        return action
    steps = tuple(
        msgspec.structs.replace(step, parties=tuple(_without(party, name) for party in step.parties))
        for step in action.steps
    )
    return msgspec.structs.replace(action, steps=steps, frame=d.Frame("", 0), forwarder=None)


def _without(party, name):
    return d.NumberTarget("", party.trunk) if isinstance(party, d.NumberTarget) and party.number == name else party
