"""Random test blocks: sentences that fit together, whatever comes of them."""

from dsl.vocabulary import SERVICES

from .conditions import Conditions, Place
from .vocabulary import ADDRESSES, HEADERS, TEXTS, URIS

_NOWHERE = Place(frozenset({"call"}))


class Scenarios:
    """Writes the tests of one policy."""

    def __init__(self, words):
        self.words = words
        self.random = words.random
        self.conditions = Conditions(words)

    def tests(self):
        return [self._test(number) for number in range(self.random.randint(1, 3))]

    def _test(self, number):
        first = self.random.choice((self._call, self._call, self._call, self._register, self._message))
        steps = [*self._given(), first()]
        event = steps[-1].partition(" ")[0].removeprefix("un")
        steps += [self._expect(event) for _ in range(self.random.randint(1, 3))]
        if event == "call" and self.random.random() < 0.5:
            after = self.random.choice(("", " after 90s"))
            steps += [
                f"hold by {self._from()}",
                self._expect("hold"),
                f"resume by {self._from()}{after}",
                "expect continue",
                f"transfer by {self._from()} to {self._dialled()}{self.random.choice(('', ' attended'))}",
                self._expect("transfer"),
            ]
        if event == "call":
            steps += [
                self.random.choice(("wait 20min", "given time fri 18:30", "given time 08:00")),
                self._call(self.random.choice((" as second", " 3 times"))),
                self._expect("call"),
                self.random.choice(("hang up first", "hang up", "hang up all", "back to first")),
                self._expect("call"),
            ]
        inside = "".join(f"\n  {step}" for step in steps)
        return f'test "number {number}" {{{inside}\n}}'

    def _from(self):
        choices = [self._user(), self._user(), f'"{self.words.number()}"', "anyone"]
        return self.random.choice([*choices, *(f"trunk {name}" for name in self.words.trunks)])

    def _caller(self):
        by_trunk = [f'"{self.words.number()}" via trunk {name}' for name in self.words.trunks]
        return self.random.choice([self._from(), self._from(), *by_trunk])

    def _user(self):
        name = self.random.choice(list(self.words.users))
        return name if name.isalnum() and self.random.random() < 0.8 else f'user "{name}"'

    def _circumstances(self, more=()):
        choices = [
            f"source {self.random.choice([*self.words.nets, *ADDRESSES])}",
            "without password",
            f'header "{self.random.choice(HEADERS)}" "{self.random.choice(TEXTS)}"',
            f"transport {self.random.choice(('udp', 'tcp', 'tls'))}",
            *more,
        ]
        return "".join(f" {choice}" for choice in self.words.some(choices, 0, 3))

    def _message(self):
        return f"message from {self._caller()} to {self._dialled()}{self._circumstances()}"

    def _call(self, named=" as first"):
        more = ("anonymous", f"diverted by {self._dialled()}")
        return f"call from {self._caller()} to {self._dialled()}{self._circumstances(more)}{named}"

    def _dialled(self):
        if self.random.random() < 0.4:
            return self._user()
        dialled = self.words.dialled()
        plain = dialled.isdecimal() and len(dialled) <= 15 and self.random.random() < 0.5
        return dialled if plain else f'"{dialled}"'

    def _register(self):
        who = "anyone" if self.random.random() < 0.2 else self._user()
        if self.random.random() < 0.2:
            return f"unregister {self._user()}{self._circumstances()}"
        more = ("contacts 2", "expires 90s", 'agent "A phone"', "2 times")
        return f"register {who}{self._circumstances(more)}"

    def _given(self):
        user = self.conditions.user(_NOWHERE)
        choices = [
            'given time "2026-12-24 19:00"',
            "given time dec 24 19:00",
            f"given {user} answers {self.random.choice((200, 302, 404, 486, 503))}",
            f"given {user} answers 486 after 9s",
            f"given {user} redirects to {self._user()}",
            f'given {user} redirects to "{URIS[0]}"',
            f"given {user} is silent",
            f'given "{self.words.number()}" rings',
            f"given {user} is {self.random.choice(('', 'not '))}{self.random.choice(('busy', 'registered'))}",
            *(f"given over {name}" for name in self.words.limits),
            *(f"given {name} begins with {self.random.choice(them)}" for name, them in self.words.begins.items()),
            *(f"given {name} is {self.random.choice(('', 'not '))}up" for name in self.words.trunks),
        ]
        return self.words.some(choices, 0, 3)

    def _expect(self, event):
        if event == "hold":
            plays = [f"play {name} to {self.conditions.user(_NOWHERE)} loop" for name in self.words.sounds]
            return f"expect {self.random.choice(['continue', *plays])}"
        if event == "transfer":
            return self.random.choice(["expect reject 403", f"expect transfer to {self.conditions.user(_NOWHERE)}"])
        if event == "message":
            delivered = f"expect deliver to {self.conditions.user(_NOWHERE)}"
            return self.random.choice([delivered, "expect reject 404", "expect response 480", "expect challenge"])
        common = ["expect reject 404", "expect challenge", "expect response 403", "expect nothing further"]
        common += [f'expect log "{self.random.choice(TEXTS)}"', "expect no tag kind"]
        common += [f"expect {self.random.choice(('takes', 'leaves'))} {name}" for name in self.words.limits]
        if event == "register":
            accepts = ["expect accept max 3 contacts expires 60s to 1h", "expect expires 90s"]
            return self.random.choice([self.random.choice(common), self.random.choice(accepts)])
        trunks = [f'forward "{self.words.number()}" via {name} for 20s notify 181' for name in self.words.trunks]
        dials = [
            *(f"dial {name}" for name in self.words.groups),
            *(f'dial "{self.words.number()}" via {name} for 20s' for name in self.words.trunk_groups),
            f"dial {self.conditions.user(_NOWHERE)} for 20s then dora" if "dora" in self.words.users else "dial alice",
        ]
        answers = [f"answer {self.random.choice(SERVICES)}", *(f"answer play {name}" for name in self.words.sounds)]
        decisions = [*trunks, *dials, *answers, f'redirect 302 "{URIS[0]}"', "redirect 302", "redirect", "reject"]
        marks = [f'expect tag kind "{self.random.choice(TEXTS)}"', "expect media relay"]
        marks += [f'expect header "{HEADERS[0]}" "{self.random.choice(TEXTS)}"', f'expect no header "{HEADERS[0]}"']
        marks += [f"expect rings {self.conditions.user(_NOWHERE)} and alice", "expect answered by alice"]
        marks += [f'expect trunk {name} gets "{self.words.number()}"' for name in self.words.trunks]
        return self.random.choice([*common, *marks, *(f"expect {decision}" for decision in decisions)])
