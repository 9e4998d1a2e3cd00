"""Random values and conditions, well-typed for the facts of the events in which they stand."""

from dataclasses import dataclass, field, replace

from dsl.vocabulary import FACTS, Type

from .vocabulary import ADDRESSES, ATTRIBUTES, DIGITS, EMERGENCY, HEADERS, NETWORKS, TEXTS, URIS

BOUND = ("a", "b", "n", "line", "rest", "over")
"""Names that rules bind; the last is a word of the language too."""


@dataclass(frozen=True)
class Place:
    """Where something is written: the events that come there, the names bound there (a row with its columns), and the
    subs that can be done from there.
    """

    events: frozenset
    names: dict = field(default_factory=dict)
    subs: tuple = ()
    nested: int = 0

    def facts(self):
        """The facts that all of these events have."""
        first, *others = [FACTS[event] for event in sorted(self.events)]
        return {name: fact for name, fact in first.items() if all(name in facts for facts in others)}

    def within(self, names):
        return replace(self, names={**self.names, **names})

    def free(self, random):
        """A name that nothing has here."""
        return random.choice([name for name in BOUND if name not in self.names] or [f"more{len(self.names)}"])


class Conditions:
    """Writes values and conditions for one policy."""

    def __init__(self, words):
        self.words = words
        self.random = words.random

    def _user(self, name):
        plain = name.replace("_", "").isalnum() and not name[0].isdigit()
        return name if plain and self.random.random() < 0.85 else f'user "{name}"'

    def user(self, place):
        """One user by name, so that neither a fact nor a name bound here hides it."""
        names = [name for name in self.words.users if name not in place.names and name not in place.facts()]
        return self._user(self.random.choice(names))

    def facts(self, place, *types):
        """The names of facts, captures and parameters of these types."""
        found = [name for name, fact in place.facts().items() if fact.type in types]
        return found + [name for name, kind in place.names.items() if kind in types]

    def attribute(self, place):
        """Something that the users file or a table says."""
        rows = [(name, kind) for name, kind in place.names.items() if isinstance(kind, tuple)]
        if rows and self.random.random() < 0.7:
            name, columns = self.random.choice(rows)
            return f"{name}.{self.random.choice(columns)}"
        facts = self.facts(place, Type.USER, Type.PARTY)
        owners = [self.user(place), *(name for name in facts if " " not in name)]
        names = (*ATTRIBUTES, "number", "extension", "display", "name")
        return f"{self.random.choice(owners)}.{self.random.choice(names)}"

    def text(self, place):
        """A value that is a text."""
        facts = self.facts(place, Type.TEXT)
        choices = [
            *facts,
            *facts,
            self.attribute(place),
            f'header "{self.random.choice(HEADERS)}"',
            f"e164({self._any(place)})",
        ]
        return self.random.choice(choices)

    def _any(self, place):
        return self.random.choice([*self.facts(place, Type.TEXT, Type.USER, Type.PARTY), f'"{self.words.number()}"'])

    def party(self, place):
        """A value that is a user, or may be one."""
        return self.random.choice([*self.facts(place, Type.USER, Type.PARTY), self.user(place), self.attribute(place)])

    def value(self, place):
        """A value of any kind that can be written somewhere."""
        numbers = [name for name in self.facts(place, Type.WHOLE, Type.TIME, Type.ADDRESS) if name != "held for"]
        literals = [f'"{self.random.choice(TEXTS)}"', "7", "30s", "192.0.2.7"]
        makers = (self.text, self.party, lambda place: self.random.choice([*literals, *numbers]))
        return self.random.choice(makers)(place)

    def composed(self, place):
        """A text with values in it."""
        values = [*self.facts(place, Type.TEXT, Type.USER, Type.PARTY, Type.WHOLE, Type.TIME), self.attribute(place)]
        chosen = [f"{{{value}}}" for value in self.words.some(values, 1, 2) if '"' not in value]
        return f'"{self.random.choice(("", "of ", "{{x}} "))}{" to ".join(chosen)}"'

    # Conditions

    def condition(self, place, depth=2, certain=True):
        """A condition, and the names that it binds where it holds."""
        if depth == 0 or self.random.random() < 0.5:
            return self._atom(place, certain)
        kind = self.random.choice(("and", "and", "and", "or", "not", "group"))
        if kind == "group":
            inner, names = self.condition(place, depth - 1, certain)
            return f"({inner})", names
        if kind == "not":
            inner, _ = (
                self._atom(place, False) if self.random.random() < 0.6 else self.condition(place, depth - 1, False)
            )
            return f"not {self._grouped(inner)}", {}
        parts, bound = [], {}
        for _ in range(self.random.choice((2, 2, 2, 3, 4))):
            part, names = self.condition(place.within(bound), depth - 1, certain and kind == "and")
            bound |= names
            parts.append(self._grouped(part))
        return f" {kind} ".join(parts), bound

    def _grouped(self, text):
        return f"({text})" if " or " in text or " and " in text else text

    def _atom(self, place, certain):
        makers = [
            self._same_text,
            self._same_user,
            self._same_user,
            self._form,
            self._form,
            self._member,
            self._source,
            self._source,
            self._digits,
            self._amount,
            self._any_of,
            self._lookup,
            self._order,
            self._state,
            self._fact,
            self._absent,
            self._declared,
            self._declared,
        ]
        for _ in range(20):
            made = self.random.choice(makers)(place, certain)
            if made is not None:
                return made if isinstance(made, tuple) else (made, {})
        return "authenticated", {}

    def _same_text(self, place, certain):
        left = self.text(place)
        literal = self.words.dialled() if left == "dialed" else self.random.choice((*TEXTS, self.words.number()))
        right = f'"{literal}"' if self.random.random() < 0.8 else self.text(place)
        sides = (left, right) if self.random.random() < 0.9 else (right, left)
        return f"{sides[0]} {self.random.choice(('==', '==', '==', '==', '!='))} {sides[1]}"

    def _same_user(self, place, certain):
        left = self.random.choice([*self.facts(place, Type.USER, Type.PARTY), self.attribute(place)])
        right = self.user(place) if self.random.random() < 0.8 else self.party(place)
        return f"{left} {self.random.choice(('==', '==', '==', '==', '!='))} {right}"

    def _form(self, place, certain):
        item = self.random.choice([*self.facts(place, Type.TEXT, Type.PARTY), self.text(place)])
        if certain and self.random.random() < 0.4:
            first = place.free(self.random)
            names = [first, place.within({first: Type.TEXT}).free(self.random)][: self.random.choice((1, 1, 2))]
            pattern = self.words.pattern(names)
            return f"{item} matches `{pattern}`", {name: Type.TEXT for name in names if f"{{{name}:" in pattern}
        word = self.random.choice(("matches", "matches", "matches", "matches", "not matches"))
        return f"{item} {word} `{self.words.pattern()}`"

    def _member(self, place, certain):
        collection = self.random.choice([*self.words.groups, "staff"])
        return f"{self.party(place)} {self.random.choice(('in', 'in', 'in', 'in', 'not in'))} {collection}"

    def _source(self, place, certain):
        word = self.random.choice(("in", "in", "in", "in", "not in"))
        if self.random.random() < 0.2:
            return f"source {self.random.choice(('==', '!='))} {self.random.choice(ADDRESSES)}"
        return f"source {word} {self.random.choice([*self.words.nets, self.random.choice(NETWORKS)])}"

    def _in(self):
        return self.random.choice(("in", "in", "in", "in", "not in"))

    def _digits(self, place, certain):
        collection = self.random.choice(
            [*self.words.numbers, *(item for item in DIGITS if " to " in item), '"0301234500" to "0301234599"', ""]
        )
        if not collection:
            collection = f"({', '.join(self.words.some([*DIGITS, *self.words.numbers], 1, 5))})"
        return f"{self.text(place)} {self._in()} {collection}"

    def _amount(self, place, certain):
        kind, literals = self.random.choice(
            ((Type.WHOLE, ("1 to 3", "4", "486", "500 to 699")), (Type.TIME, ("60s", "90s to 2h", "1d")))
        )
        facts = self.facts(place, kind)
        if not facts:
            return None
        chosen = self.words.some(literals, 1, 3)
        collection = chosen[0] if " to " in chosen[0] and len(chosen) == 1 else f"({', '.join(chosen)})"
        return f"{self.random.choice(facts)} {self._in()} {collection}"

    def _any_of(self, place, certain):
        if self.random.random() < 0.5:
            chosen = self.words.some([*self.words.nets, *NETWORKS[2:4]], 1, 3)
            return f"source {self._in()} ({', '.join(chosen)})"
        users = {name: self._user(name) for name in self.words.some(list(self.words.users), 1, 3)}
        chosen = [*users.values(), *self.words.some(self.words.groups, 0, 1)]
        return f"{self.party(place)} {self._in()} ({', '.join(chosen)})"

    def _lookup(self, place, certain):
        if not self.words.tables:
            return None
        name = self.random.choice(list(self.words.tables))
        key = self.random.choice([*self.facts(place, Type.TEXT, Type.USER), self._any(place), self.attribute(place)])
        if not certain or self.random.random() < 0.2:
            return f"lookup {name} {key}"
        bound = place.free(self.random)
        return f"lookup {name} {key} as {bound}", {bound: self.words.tables[name]}

    def _order(self, place, certain):
        sign = self.random.choice(("==", "!=", "<", "<=", ">", ">="))
        kind, limits = self.random.choice(
            ((Type.WHOLE, ("1", "3", "486", "404")), (Type.TIME, ("60s", "90s", "1h", "1500ms", "1d")))
        )
        facts = self.facts(place, kind)
        return f"{self.random.choice(facts)} {sign} {self.random.choice(limits)}" if facts else None

    def _state(self, place, certain):
        word = self.random.choice(("is", "is", "is not"))
        if self.words.trunks and self.random.random() < 0.4:
            return f"{self.random.choice(self.words.trunks)} {word} {self.random.choice(('up', 'full'))}"
        if "holder" in place.facts() and self.random.random() < 0.4:
            return f"holder {word} caller"
        if "transferor" in place.facts() and self.random.random() < 0.6:
            return f"transferor {word} {self.random.choice(('known', 'known', 'caller'))}"
        if "dialed" in place.facts() and "dialed" not in place.names and self.random.random() < 0.3:
            return f"dialed {word} emergency"
        return f"{self.party(place)} {word} {self.random.choice(('registered', 'busy'))}"

    def _fact(self, place, certain):
        return self.random.choice(self.facts(place, Type.TRUTH))

    def _absent(self, place, certain):
        optional = [name for name, fact in place.facts().items() if fact.optional]
        subject = self.random.choice([*optional, *optional, self.attribute(place), f'header "{HEADERS[0]}"'])
        return f"{subject} {self.random.choice(('is', 'is not'))} absent"

    def _declared(self, place, certain):
        choices = [f"over {name}" for name in self.words.limits] + [f"within {name}" for name in self.words.hours]
        choices += [f"from trunk {name}" for name in self.words.trunks]
        return self.random.choice(choices) if choices else None


SIP_URIS = tuple(uri for uri in URIS if uri.startswith("sip"))
EMERGENCY_NUMBERS = EMERGENCY
