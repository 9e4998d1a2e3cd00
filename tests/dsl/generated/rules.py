"""Random blocks: rules, decisions and what is done on the way, such as the events of a place allow them."""

from dataclasses import replace

from dsl.vocabulary import DECISIONS, GOES_ON, OUTCOMES, PARAMETER_TYPES, SERVICES, WITHIN_A_CALL, Type

from .conditions import SIP_URIS, Conditions, Place
from .layout import Block, Item
from .vocabulary import TEXTS, URIS

FALLBACKS = (
    {"register": "reject 403", "call": "reject 404"}
    | dict.fromkeys(GOES_ON, "continue")
    | {"transfer": "reject 403", "message": "reject 404"}
)
_MOST_NESTED = 3


def fallback(events):
    """A decision that fits every one of these events."""
    return FALLBACKS[next(iter(events))] if len(events) == 1 and events <= FALLBACKS.keys() else _for_many(events)


def _for_many(events):
    return "continue" if events <= set(GOES_ON) else "reject 480"


class Rules:
    """Writes the blocks of one policy. `size` is about how many rules a block has."""

    def __init__(self, words, size):
        self.words = words
        self.random = words.random
        self.size = size
        self.conditions = Conditions(words)

    def event(self, names, subs):
        """`on NAME`, or one block for several outcomes, which may do the `subs` that fit."""
        name = names[0]
        place = Place(frozenset(names), subs=tuple(subs))
        body = self.block(place, self.size)
        if "challenge" in DECISIONS[name] and self.random.random() < 0.5:
            challenge = Item("decision", "challenge")
            body.insert(0, Item("when", "when not authenticated", [challenge], True))
        rescue = self._rescue() if name == "call" else None
        if rescue is not None and self.random.random() < 0.5:
            body.insert(0, rescue)
            rescue = None
        return Block(f"on {', '.join(names)}", body, fallback(place.events), rescue)

    def _rescue(self):
        """The rule that lets emergency calls out, and only those of our own people."""
        if not self.words.trunks or not self.words.emergency:
            return None
        ours = " or ".join([*(f"source in {name}" for name in self.words.nets), "authenticated"])
        dial = Item("decision", f"dial dialed via {self.random.choice(self.words.trunks)}")
        return Item("when", f"when dialed is emergency and ({ours})", [dial], True)

    def sub(self, sub, others):
        """A sub: its name, the events that come to it, and its parameters; it may do the `others`."""
        name, events, parameters = sub
        place = Place(events, {parameter: PARAMETER_TYPES[kind] for parameter, kind in parameters}, tuple(others))
        head = f"sub {name}({', '.join(f'{parameter}: {kind}' for parameter, kind in parameters)})"
        return Block(head, self.block(place, max(1, self.size // 2)), fallback(events))

    def block(self, place, size):
        """Some rules, and a last one that takes what is left."""
        items = [self._rule(place) for _ in range(self.random.randint(0, size))]
        if self.random.random() < 0.3:
            return [*items, *self._deciding(place)]
        return [*items, self._with_body("otherwise", "otherwise", place)]

    def _rule(self, place):
        kind = self.random.random()
        if kind < 0.12:
            return self._edit(place)
        condition, names = self.conditions.condition(place)
        inner = place.within(names)
        if kind < 0.3:
            return self._also(condition, inner)
        return self._with_body("when", f"when {condition}", inner)

    def _also(self, condition, place):
        body = [self._edit(place) for _ in range(self.random.randint(1, 2))]
        inline = self.random.random() < 0.6
        if not inline and self.random.random() < 0.5:
            inner, names = self.conditions.condition(place, 1)
            body.append(self._also(inner, place.within(names)))
        return Item("also", f"also when {condition}", body, inline)

    def _with_body(self, kind, head, place):
        if place.nested < _MOST_NESTED and self.random.random() < 0.3:
            return Item(kind, head, self.block(replace(place, nested=place.nested + 1), max(1, self.size // 3)))
        return Item(kind, head, self._deciding(place), self.random.random() < 0.85)

    def _deciding(self, place):
        edits = [self._edit(place) for _ in range(self.random.choice((0, 0, 0, 1, 2)))]
        return [*edits, self._decision(place)]

    # What is done on the way

    def _edit(self, place):
        made = self.conditions.value if self.random.random() < 0.7 else self.conditions.composed
        value = made(place)
        texts = [f"log {value}"]
        if "register" not in place.events:
            texts.append(f"tag {self.random.choice(('kind', 'team', 'table'))} {value}")
            if not place.events & set(WITHIN_A_CALL):
                header = self.random.choice(("X-B", "X-C", "P-Preferred-Service"))
                texts += [f'set header "{header}" to {value}', f'strip header "{header}"']
                if "message" not in place.events:
                    texts.append(f"media {self.random.choice(('direct', 'relay', 'auto'))}")
        return Item("action", self.random.choice(texts))

    # Decisions

    def _decision(self, place):
        words = sorted(frozenset.intersection(*(DECISIONS[event] for event in place.events)))
        subs = [sub for sub in place.subs if place.events <= sub[1]]
        if "dial" in words:
            words += ["dial", "dial", "forward"]
        if subs:
            words += ["do"] * 2
        word = self.random.choice(words)
        if word in ("dial", "forward"):
            return self._dial(place, word)
        if word == "do":
            return Item("decision", self._do(self.random.choice(subs), place))
        text = getattr(self, f"_{word}")(place)
        return Item("decision", text if word in ("continue", "play") else f"{text}{self._despite()}")

    def _despite(self):
        """A reason now and then; where there is nothing to overrule, a repair takes the decision out."""
        return ' despite "meant so"' if self.random.random() < 0.03 else ""

    def _challenge(self, place):
        return "challenge"

    def _continue(self, place):
        return "continue"

    def _accept(self, place):
        most = self.random.choice(("", " max 1 contacts", " max 3 contacts"))
        return f"accept{most}{self.random.choice(('', ' expires 60s to 1h', ' expires 1min to 2h'))}"

    def _reject(self, place):
        code = self.random.choice((400, 403, 404, 480, 486, 503, 603))
        reason = self.random.choice(("", "", ' "not now"'))
        return f"reject {code}{reason}"

    def _redirect(self, place):
        choices = [
            f'"{self.random.choice((*URIS, "+4940600000"))}"',
            self.conditions.party(place),
            self.conditions.text(place),
        ]
        return f"redirect {self.random.choice((301, 302))} {self.random.choice(choices)}"

    def _answer(self, place):
        if self.words.sounds and self.random.random() < 0.5:
            return f"answer play {self.random.choice(self.words.sounds)}{self.random.choice(('', ' loop'))}"
        return f"answer {self.random.choice(SERVICES)}"

    def _play(self, place):
        if not self.words.sounds or "held" in place.names:
            return "continue"
        return f"play {self.random.choice(self.words.sounds)} to held{self.random.choice(('', ' loop'))}"

    def _transfer(self, place):
        return f"transfer to {self.party(place)}{self.random.choice(('', ' for 20s'))}"

    def _deliver(self, place):
        return f"deliver to {self.conditions.party(place)}"

    def _do(self, sub, place):
        name, _, parameters = sub
        return f"do {name}({', '.join(self._argument(kind, place) for _, kind in parameters)})"

    def _argument(self, kind, place):
        if kind == "user":
            return self.conditions.party(place)
        literal = f'"{self.random.choice((*TEXTS, self.words.number()))}"'
        numbers = self.conditions.facts(place, Type.WHOLE)
        return self.random.choice([literal, self.conditions.text(place), self.conditions.text(place), *numbers])

    # Dialling

    def _dial(self, place, word):
        steps = self._step(place)
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):
            after = self.random.choice(("then", "else"))
            steps += f" {after} {self._step(place, after)}"
        if word == "forward":
            steps += self.random.choice(("", f" notify 181{self._despite()}", " notify 180"))
        outcomes = None
        if place.nested < _MOST_NESTED and self.random.random() < 0.3:
            outcomes = [self._outcome(kinds, place) for kinds in self.lists(self.words.some(OUTCOMES))]
        return Item("decision", f"{word} {steps}", outcomes)

    def lists(self, kinds):
        """Outcomes in lists, each in one of them; most stand alone."""
        lists = []
        for kind in kinds:
            if lists and self.random.random() < 0.3:
                lists[-1].append(kind)
            else:
                lists.append([kind])
        return lists

    def _outcome(self, kinds, place):
        there = replace(place, events=frozenset(kinds), nested=place.nested + 1)
        if self.random.random() < 0.7:
            return Item("outcome", ", ".join(kinds), self._deciding(there), True)
        return Item("outcome", ", ".join(kinds), self.block(there, 2))

    def _step(self, place, after="then"):
        parties = {self.party(place): None for _ in range(self.random.choice((1, 1, 1, 2, 3)))}
        parties |= {name: None for name in self.words.together if self.random.random() < 0.2}
        duration = self.random.choice(("", "", "for 20s", "for 1min", "for 2500ms"))
        progress = self.random.choice(("", "", "", "progress 4s"))
        bounds = [bound for bound in self.random.sample((duration, progress), 2) if bound]
        alone = self._group(place, after)
        text = " ".join([" and ".join(parties) if alone is None else alone, *bounds])
        return f"{text}{self._despite()}"

    def _group(self, place, after):
        """What is called one after the other, and so alone in its step: a group, or what a row names; often none."""
        users = [name for name in self.words.groups if name not in self.words.together] if after == "then" else []
        rows = [f"{name}.via" for name, kind in place.names.items() if isinstance(kind, tuple)]
        ways = [*self.words.trunk_groups, *(rows if self.words.trunks else ())]
        groups = [*users, *(f"{self.conditions.text(place)} via {way}" for way in ways)]
        return self.random.choice(groups) if groups and self.random.random() < 0.3 else None

    def party(self, place):
        """Whom a step rings."""
        if self.words.trunks and self.random.random() < 0.5:
            number = self.random.choice([self.conditions.text(place), f"e164({self.conditions.text(place)})"])
            constant = self.random.choice((f'"{self.words.number()}"', self.conditions.party(place)))
            return f"{self.random.choice((number, number, constant))} via {self.random.choice(self.words.trunks)}"
        choices = [self.conditions.party(place), self.conditions.party(place), f'"{self.random.choice(SIP_URIS)}"']
        if place.events == frozenset({"redirect"}):
            choices.append("redirected")
        return self.random.choice(choices)
