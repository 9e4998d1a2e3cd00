"""What can happen to a generated policy: facts of its events, outcomes of its dials, and answers of the ambient."""

import zlib
from dataclasses import dataclass

from dsl.decision import Facts, Outcome
from tests.dsl.ambient import Asked

from .vocabulary import ADDRESSES, HEADERS, MOMENTS, NUMBERS, TEXTS, URIS


@dataclass(frozen=True)
class Answers(Asked):
    """An ambient that answers every question one way or the other, the same question always the same way."""

    seed: int

    def _say(self, *question):
        return zlib.crc32(repr((self.seed, question)).encode()) % 2 == 0

    def turn(self, group):
        return zlib.crc32(repr((self.seed, group)).encode()) % 7

    def draw(self, group):
        return zlib.crc32(repr((self.seed, group)).encode()) / 2**32


def facts(words, event, random):
    """Facts of an event, as a server could have them: who is authenticated is the caller, and no trunk is."""

    def perhaps(value, chance=0.3):
        return None if random.random() < chance else value

    users = list(words.users)
    dialed = perhaps(words.dialled(), 0.05)
    caller = perhaps(random.choice(users), 0.4)
    made = Facts(
        time=random.choice(MOMENTS),
        source=random.choice(ADDRESSES),
        transport=random.choice(("udp", "tcp", "tls")),
        ambient=Answers(random.randrange(1000)),
        trunk=None if caller is not None or not words.trunks else perhaps(random.choice(words.trunks)),
        authenticated=caller is not None,
        caller=caller,
        headers={name.lower(): random.choice((*TEXTS, *NUMBERS)) for name in HEADERS if random.random() < 0.6},
    )
    if event == "register":
        made.user = perhaps(caller if caller is not None else random.choice(users), 0.2)
        made.expires = perhaps(random.choice((0, 60, 90, 3600, 86400)))
        made.contacts = random.choice((0, 1, 2, 4))
        made.agent = perhaps(random.choice(TEXTS))
        return made
    made.caller_number = None if made.trunk is None else perhaps(random.choice(NUMBERS))
    made.claimed = perhaps(random.choice((*users, *NUMBERS, *TEXTS)))
    made.dialed = dialed
    if event in ("call", "message"):
        made.callee = words.callee(dialed)
    made.anonymous = random.random() < 0.2
    made.diverted_by = perhaps(random.choice((*users, *NUMBERS)), 0.5)
    if event in ("hold", "resume"):
        made.holder, made.held = (perhaps(random.choice((*users, *NUMBERS)), 0.2) for _ in range(2))
        made.holder_is_caller = random.random() < 0.5
        made.held_for = random.choice((0.5, 60.0, 90.0, 3601.5)) if event == "resume" else None
    if event == "transfer":
        made.transferor, made.transferee = (perhaps(random.choice((*users, *NUMBERS)), 0.2) for _ in range(2))
        made.transferor_is_caller = random.random() < 0.5
        made.transferor_is_known = caller is not None if made.transferor_is_caller else random.random() < 0.5
        made.target = words.callee(dialed)
        made.attended = random.random() < 0.5
    return made


def outcome(words, kind, random, target=None):
    """How a dial may have ended, the party last tried being `target` if one is given."""
    codes = {"busy": (486, 600), "no-answer": (480, 408, None), "unreachable": (503, None), "redirect": (302,)}
    return Outcome(
        kind,
        target if target is not None else random.choice((None, *words.users, *NUMBERS)),
        random.choice(codes.get(kind, (403, 404, 488, 401))),
        random.random() < 0.5,
        random.randint(0, 4),
        random.choice((*URIS, "sip:alice@acme.example")) if kind == "redirect" else None,
    )
