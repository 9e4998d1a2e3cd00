"""One name at a time: looked up where it stands, or bound for what follows.

Owns what is said of a name that nothing has, or that something else has. Where names stand is for the walk in
`resolve`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dsl import tree
from dsl.diagnostics import Problem, Source, joined, line_of, suggestion
from dsl.patterns import PatternError, parse_pattern
from dsl.resolve.misplaced import WHOSE_NUMBER, instead_of
from dsl.resolve.names import UNKNOWN, Kind, Meaning, Names, Scope
from dsl.spoken import spoken
from dsl.tree import Span
from dsl.vocabulary import FACT_NAMES, FACTS, Fact, Type

_UNFINISHED = {
    "over": "`over` and the name of a limit",
    "within": "`within` and the name of hours",
    "lookup": "`lookup`, the name of a table and a key",
    "from": "`from trunk` and the name of a trunk",
    "header": '`header` and a name, such as `header "Subject"`',
    "e164": "`e164(dialed)`",
    "diverted": "`diverted by`",
}
"""Words that begin something and are names where nothing follows."""


_DECLARED_AS = {
    Kind.TRUNK: 'trunk {} {{ uri "sip:gateway.example" }}',
    Kind.GROUP: "group {} = alice, bob",
    Kind.NET: "net {} = 10.20.0.0/16",
    Kind.SOUND: 'sound {} = "{}.wav"',
    Kind.HOURS: "hours {} = mon-fri 08:00-18:00",
    Kind.LIMIT: "limit {} = 40 per 1h for each caller",
    Kind.TABLE: 'table {} from "{}.csv" key number',
    Kind.SUB: "sub {}(who: user) {{ otherwise -> dial who }}",
    Kind.NUMBERS: 'numbers {} = "+4930123", 200 to 299',
}
"""How something is declared, around its name."""

_TRUTHS = frozenset({"yes", "no", "true", "false"})


class _Uses(msgspec.Struct):
    """A name that means nothing: which problem tells of it, its first place, and the others."""

    problem: int
    first: Span
    further: list[Span]


class Lookup:
    """The names of one script. `facts` are those of the event at which the walk is, and `place` is its name."""

    def __init__(self, script: tree.Script, users: frozenset[str], problems: list[Problem]) -> None:
        self.users = users
        self.problems = problems
        self.source = Source.of(script)
        wants_users = any(isinstance(item, tree.Users) for item in script.declarations)
        self.names = Names({}, {}, {}, users_known=bool(users) or not wants_users)
        self.facts: dict[str, Meaning] = {}
        self.place = ""
        self._bound: dict[str, Span] = {}
        self._meant_too: set[tuple[str, Kind]] = set()
        self._uses: dict[str, _Uses] = {}

    def wrong(self, node: tree.Node, message: str, advice: str | None = None, other: Span | None = None) -> None:
        """Tell of something at a place."""
        self.problems.append(self.source.problem(node.span, message, advice, other))

    def _missing(self, name: tree.Name, message: str, advice: str | None) -> None:
        """Tell of a name that means nothing; every further use of it belongs to the same mistake."""
        uses = self._uses.get(message)
        if uses is None:
            self._uses[message] = _Uses(len(self.problems), name.span, [])
            self.wrong(name, message, advice)
        else:
            uses.further.append(name.span)

    def finish(self) -> None:
        """Say of each name that means nothing where else it is used."""
        for uses in self._uses.values():
            lines = dict.fromkeys(line_of(span, uses.first) for span in uses.further)
            lines.pop(line_of(uses.first, uses.first), None)
            if lines:
                problem = self.problems[uses.problem]
                also = f"it stands in {joined(lines, 'and')} too"
                sign = "" if (problem.advice or "").endswith("?") else ";"
                advice = f"{problem.advice}{sign} {also}" if problem.advice else also
                self.problems[uses.problem] = msgspec.structs.replace(problem, advice=advice)

    def declare(self, name: tree.Name, kind: Kind) -> None:
        """Take in a declaration; its name must be its own."""
        known = self.names.declared.get(name.text)
        meaning = Meaning(kind, Type.TRUNK if kind is Kind.TRUNK else Type.UNKNOWN, name.span)
        if known is not None and known.declared is not None:
            self.wrong(
                name,
                f"`{name.text}` is {known.kind} already",
                f"it was declared in {line_of(known.declared, name.span)}",
                known.declared,
            )
            self._meant_too.add((name.text, kind))
        elif name.text in self.users:
            self.wrong(name, f"`{name.text}` is a user already", "declarations and users need names of their own")
        elif name.text in FACT_NAMES:
            self.wrong(name, f"`{name.text}` is a fact already", "choose another name")
        self.names.declared.setdefault(name.text, meaning)
        self.names.meanings[name.span] = meaning

    def enter(self, events: frozenset[str], place: str) -> None:
        """From here on facts are those that all of these events have."""
        self.place = place
        self.facts = {
            name: _in_all([FACTS[event][name] for event in sorted(events)])
            for name in FACTS[min(events)]
            if all(name in FACTS[event] for event in events)
        }

    def anywhere(self, place: str, expected: bool) -> None:
        """From here on no event says which facts there are: all of them in what is expected, else none."""
        self.place = place
        self.facts = {
            name: Meaning(Kind.FACT, fact.type, None, fact.optional, fact.chosen)
            for facts in FACTS.values()
            for name, fact in facts.items()
            if expected
        }

    def bound(self, name: tree.Name, meaning: Meaning, scope: Scope) -> dict[str, Meaning]:
        """The scope with one more name."""
        known = scope.get(name.text) or self.names.declared.get(name.text)
        if known is not None:
            where = known.declared
            line = "" if where is None else f"it was declared in {line_of(where, name.span)}"
            self.wrong(name, f"`{name.text}` is {known.kind} already", line or None, where)
        elif name.text in FACT_NAMES:
            self.wrong(name, f"`{name.text}` is a fact already", "choose another name")
        self.names.meanings[name.span] = meaning
        self._bound.setdefault(name.text, name.span)
        return {**scope, name.text: meaning}

    def bind(self, name: tree.Name, meaning: Meaning, scope: Scope, certain: bool) -> Scope:
        """Bind a name in a rule's condition, which must hold wherever the rule's body is reached (`certain`)."""
        if not certain:
            self.wrong(
                name,
                f"`{name.text}` would be bound on some ways into this rule only",
                "bind names outside `or` and `not`",
            )
        return self.bound(name, meaning, scope)

    def captures(self, pattern: tree.Pattern, scope: Scope, certain: bool) -> Scope:
        """Bind what a pattern captures."""
        try:
            captures = parse_pattern(pattern.text).captures
        except PatternError as error:
            span = pattern.span.on_line(pattern.span.column + 1 + error.offset, 1)
            self.problems.append(self.source.problem(span, error.message, error.advice))
            return scope
        for name, _, _ in captures:
            span = capture_span(pattern, name)
            meaning = Meaning(Kind.CAPTURE, Type.TEXT, span, chosen=True)
            scope = self.bind(tree.Name(span, name), meaning, scope, certain)
        return scope

    def called(self, value: tree.Expression, scope: Scope) -> None:
        """Find who is called: a value, or a group, which has none."""
        name = value.name if isinstance(value, tree.Reference) and not value.name.quoted else None
        declared = None if name is None else self.names.declared.get(name.text)
        if name is None or declared is None or declared.kind not in (Kind.GROUP, Kind.USERS):
            self.value(value, scope)
            return
        self.names.meanings[name.span] = declared
        if declared.kind is Kind.USERS:
            self.names.meanings[name.span] = UNKNOWN
            advice = "declare a group of those who ring, `group desk = alice, bob`, and dial that"
            self.wrong(name, f"`{name.text}` is a users file, and cannot be called", advice)

    def value(self, value: tree.Expression, scope: Scope, trunks: bool = False, asks: str = "") -> None:
        """Find what the names in a value mean. `trunks`: a trunk may stand here too, as in `pstn is up`.

        `asks`: how what stands beside it asks for one of several, such as `caller.number in`.
        """
        match value:
            case tree.Reference(name=name):
                self.names.meanings[name.span] = self._meaning(name, scope, trunks, asks)
            case tree.Attribute(base=base):
                self.names.meanings[base.span] = self._meaning(base, scope)
            case tree.E164(argument=argument):
                self.value(argument, scope)
            case tree.Composed(parts=parts):
                for part in parts:
                    self.value(part, scope)
            case _:
                pass

    def compared(self, comparison: tree.Compare, scope: Scope) -> None:
        """Find what the names in a comparison mean."""
        left, right = comparison.left, comparison.right
        among = "not in" if comparison.operator == "!=" else "in"
        self.value(left, scope, asks=f"{spoken(right)} {among}")
        self.value(right, scope, asks=f"{spoken(left)} {among}")

    def _meaning(self, name: tree.Name, scope: Scope, trunks: bool = False, asks: str = "") -> Meaning:
        text = name.text
        if name.quoted:
            return self.user(name)
        known = scope.get(text) or self.facts.get(text)
        if known is not None:
            return known
        if text in self.users:
            return Meaning(Kind.USER, Type.USER)
        declared = self.names.declared.get(text)
        if declared is not None:
            if trunks and declared.kind is Kind.TRUNK:
                return declared
            self.wrong(name, f"`{text}` is {declared.kind}, not a value", instead_of(text, declared.kind, asks))
            return UNKNOWN
        return self._unknown(name, [*scope, *self.facts, *self.users, *(self._all(Kind.TRUNK) if trunks else [])])

    def _unknown(self, name: tree.Name, candidates: Iterable[str]) -> Meaning:
        text = name.text
        if text in FACT_NAMES:
            events = joined(f"`{event}`" for event in FACTS if text in FACTS[event])
            self.wrong(name, f"`{text}` is not known in `{self.place}`", f"it is a fact of {events}")
        elif text in _UNFINISHED:
            self.wrong(name, f"`{text}` says too little by itself", f"write {_UNFINISHED[text]}")
        elif not self.names.users_known:
            return Meaning(Kind.USER, Type.USER)
        else:
            self._missing(name, f"nothing here is called `{text}`", self._meant(name, candidates))
        return UNKNOWN

    def _meant(self, name: tree.Name, candidates: Iterable[str]) -> str | None:
        text = name.text
        if text in self._bound and text not in self.users:
            return f"it is bound in {line_of(self._bound[text], name.span)}, and known in that rule only"
        if text in WHOSE_NUMBER:
            return "who calls has `caller.number`, and what was dialled is `dialed`"
        if text in _TRUTHS:
            return "what is true or false stands alone, or behind `not`"
        dotted = next((user for user in self.users if user.startswith(f"{text}.")), None)
        if dotted is not None:
            return f'a name with a dot is written `user "{dotted}"`'
        return suggestion(text, candidates)

    def taking_part(self, name: tree.Name, advice: str) -> None:
        """Look up who takes part in a test: a user by name, for no fact says who that is."""
        if name.text in FACT_NAMES and name.text not in self.users:
            self.wrong(name, f"`{name.text}` is a fact, and a test names who takes part", advice)
            self.names.meanings[name.span] = UNKNOWN
        else:
            self.user(name)

    def user(self, name: tree.Name) -> Meaning:
        """Look up a name that can only be a user's."""
        meaning = Meaning(Kind.USER, Type.USER)
        self.names.meanings[name.span] = meaning
        if name.text not in self.users and self.names.users_known:
            advice = suggestion(name.text, self.users) or "mend the name, or add it to the users file"
            self._missing(name, f"there is no user `{name.text}`", advice)
            self.names.meanings[name.span] = UNKNOWN
            return UNKNOWN
        return meaning

    def element(self, name: tree.Name, item: tree.Expression, *kinds: Kind) -> None:
        """Look up a name in a set: a user's, or that of a declaration of one of these kinds."""
        if not name.quoted and name.text in self.names.declared and name.text not in self.users:
            self.declared(name, *kinds, item=item)
        else:
            self.user(name)

    def declared(self, name: tree.Name, *kinds: Kind, item: tree.Expression | None = None) -> None:
        """Look up a name that can only be one of these kinds of declarations. `item`: what is asked whether it is
        among them.
        """
        known = self.names.declared.get(name.text)
        self.names.meanings[name.span] = known or UNKNOWN
        wanted = joined(kinds)
        if known is None:
            if name.text in self.users:
                self.wrong(name, f"`{name.text}` is a user, not {wanted}")
            else:
                candidates = [text for kind in kinds for text in self._all(kind)]
                advice = suggestion(name.text, candidates) or self._choice(candidates)
                if advice is None and kinds[0] in _DECLARED_AS:
                    advice = f"declare it: `{_DECLARED_AS[kinds[0]].format(name.text, name.text)}`"
                there_is = "there are" if kinds == (Kind.HOURS,) else "there is"
                self._missing(name, f"{there_is} no {_without_article(kinds)} `{name.text}`", advice)
        elif known.kind not in kinds:
            if all((name.text, kind) not in self._meant_too for kind in kinds):
                key = spoken(item) if item is not None and known.kind is Kind.TABLE else None
                advice = None if key is None else f"write `lookup {name.text} {key}`"
                self.wrong(name, f"`{name.text}` is {known.kind}, not {wanted}", advice)
            self.names.meanings[name.span] = UNKNOWN

    def _all(self, kind: Kind) -> list[str]:
        return [name for name, meaning in self.names.declared.items() if meaning.kind is kind]

    def _choice(self, candidates: list[str]) -> str | None:
        return f"there is {joined((f'`{name}`' for name in candidates), 'and')}" if 0 < len(candidates) < 6 else None


def _in_all(facts: Sequence[Fact]) -> Meaning:
    """A fact that several events have: of two types it is the wider one, and whatever one of them can be it can be."""
    types = {fact.type for fact in facts}
    wide = Type.PARTY if len(types) > 1 else facts[0].type
    return Meaning(Kind.FACT, wide, None, any(fact.optional for fact in facts), any(fact.chosen for fact in facts))


def _without_article(kinds: tuple[Kind, ...]) -> str:
    return joined(kind.removeprefix("a ") for kind in kinds)


def capture_span(pattern: tree.Pattern, name: str) -> Span:
    """Where the name of a capture stands in a pattern."""
    start = pattern.span.column + 1 + pattern.text.index(f"{{{name}:") + 1
    return pattern.span.on_line(start, len(name))
