"""The shape of rules: every path decides, `also when` never does, and nothing stands where it cannot be reached.

Owns what can be seen from the statements alone, without asking what conditions mean; that is for `paths`.
"""

from __future__ import annotations

from dsl import tree
from dsl.check.report import Report, beginning
from dsl.diagnostics import joined, line_of, suggestion
from dsl.resolve import Names
from dsl.resolve.contexts import events_of
from dsl.spoken import spoken
from dsl.vocabulary import (
    DECISIONS,
    FACTS,
    GOES_ON,
    OUTCOMES,
    REFUSED,
    REQUIRED_EVENTS,
    WITHIN_A_CALL,
)

_LAST_RULES = (
    {"register": "reject 403", "call": "reject 404"}
    | dict.fromkeys(GOES_ON, "continue")
    | {event: f"reject {code}" for event, code in REFUSED.items()}
)
_ALWAYS_GOES_ON = {
    "hold": "a phone holds anyway: write `continue` or `play`",
    "resume": "music always stops, and the call goes on: write `continue`",
}


def check_rules(script: tree.Script, names: Names, report: Report) -> None:
    """Check every event and sub."""
    checker = _Checker(report)
    for declaration in script.declarations:
        match declaration:
            case tree.On():
                checker.event(declaration)
            case tree.Sub(name=name, body=body):
                events = names.contexts.get(name.text)
                if events is None:
                    report.doubtful(name, f"nobody does `{name.text}`")
                checker.body(body, events or frozenset({"call"}))
            case _:
                pass
    _unplayed(script, report)
    top = beginning(script)
    for required in REQUIRED_EVENTS:
        if script.declarations and required not in checker.seen:
            advice = f"write `on {required} {{ otherwise -> reject 403 }}` at least"
            report.wrong(top, f"the policy has no `on {required}`", advice)


def _unplayed(script: tree.Script, report: Report) -> None:
    rules = [item for item in script.declarations if isinstance(item, tree.On | tree.Sub)]
    played = {
        node.sound.text
        for item in rules
        for node in tree.walk(item)
        if isinstance(node, tree.Play | tree.Answer) and node.sound is not None
    }
    for sound in script.declarations:
        if isinstance(sound, tree.Sound) and sound.name.text not in played:
            report.doubtful(sound.name, f"nobody plays `{sound.name.text}`")


def decision_word(decision: tree.Decision) -> str:
    """The word with which a decision is written."""
    if isinstance(decision, tree.Dial):
        return "forward" if decision.forwarded else "dial"
    return type(decision).__name__.lower()


class _Checker:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.seen: dict[str, tree.Name] = {}

    def event(self, on: tree.On) -> None:
        """An event, or several outcomes that are decided together."""
        self._twice_in_a_list(on.events)
        for event in on.events:
            text = event.text
            first = self.seen.setdefault(text, event)
            if first not in on.events:
                where = line_of(first.span, event.span)
                self.report.wrong(event, f"`on {text}` is written twice", f"first in {where}", first.span)
            if text not in FACTS:
                advice = suggestion(text, FACTS)
                known = joined(f"`{name}`" for name in FACTS)
                self.report.wrong(event, f"there is no event `{text}`", advice or f"there is {known}")
            elif text not in OUTCOMES and len(set(on.names)) > 1:
                advice = f"write `on {text} {{ ... }}` for it: only outcomes are decided together"
                self.report.wrong(event, f"`{text}` is decided by itself", advice)
        events = events_of(on)
        if events:
            self.body(on.body, events)

    def _twice_in_a_list(self, names: tuple[tree.Name, ...]) -> None:
        for number, name in enumerate(names):
            if any(name.text == before.text for before in names[:number]):
                self.report.wrong(name, f"`{name.text}` stands here twice", "leave one of them out")

    def body(self, body: tree.Block, events: frozenset[str]) -> None:
        """The body of an event, a sub or an outcome: it has to decide."""
        self._block(body, events)
        if not _decides(body):
            last = _LAST_RULES.get(min(events), "reject 480")
            self.report.wrong(body.end, "this can end without a decision", f"end it with `otherwise -> {last}`")

    def _block(self, block: tree.Block, events: frozenset[str]) -> None:
        ended: tree.Otherwise | tree.Decision | None = None
        for statement in block.statements:
            if ended is not None:
                self._unreachable(statement, ended)
                ended = None
            match statement:
                case tree.When(body=body):
                    self._deciding(statement, events)
                case tree.Otherwise(body=body):
                    self._deciding(statement, events)
                    ended = statement
                case tree.AlsoWhen(body=body):
                    self._also(body, events)
                case _ if isinstance(statement, tree.Action):
                    self._action(statement, events)
                case _:
                    self._decision(statement, events)
                    ended = statement

    def _deciding(self, rule: tree.When | tree.Otherwise, events: frozenset[str]) -> None:
        body = rule.body
        self._block(body, events)
        if _decides(body):
            return
        if body.statements and all(isinstance(statement, tree.Action) for statement in body.statements):
            word = "when" if isinstance(rule, tree.When) else "otherwise"
            advice = "write `also when`, or add a decision" if word == "when" else "add a decision"
            self.report.wrong(body.statements[-1], f"this `{word}` decides nothing", advice)
        else:
            self.report.wrong(body.end, "this block can end without a decision", "end it with `otherwise -> ...`")

    def _also(self, body: tree.Block, events: frozenset[str]) -> None:
        """What an `also when` holds: actions, and further `also when`."""
        for statement in body.statements:
            match statement:
                case _ if isinstance(statement, tree.Action):
                    self._action(statement, events)
                case tree.AlsoWhen(body=inner):
                    self._also(inner, events)
                case tree.When(head=head) | tree.Otherwise(head=head):
                    self.report.wrong(head, "only `also when` and actions can stand in an `also when`")
                case _:
                    word = decision_word(statement)
                    self.report.wrong(statement, f"an `also when` cannot decide, and `{word}` does", "write `when`")

    def _unreachable(self, statement: tree.Statement, ended: tree.Otherwise | tree.Decision) -> None:
        head = tree.head_of(statement)
        if isinstance(ended, tree.Otherwise):
            why, where = "`otherwise` takes all that is left", ended.head
        else:
            why, where = f"nothing gets past `{decision_word(ended)}`", ended.span
        self.report.wrong(head, "this can never be reached", f"{why} in {line_of(where, head)}", where)

    def _action(self, action: tree.Action, events: frozenset[str]) -> None:
        if "register" in events and not isinstance(action, tree.Log):
            self.report.wrong(action, "there is no call here to do this to", "only `log` can stand in `on register`")
        elif isinstance(action, tree.Media | tree.SetHeader | tree.StripHeader):
            late = sorted(events.intersection(WITHIN_A_CALL))
            if late:
                advice = f"only `tag` and `log` can stand in `on {late[0]}`"
                self.report.wrong(action, "this was settled when the call began", advice)
            elif "message" in events and isinstance(action, tree.Media):
                self.report.wrong(action, "a message has no media", "leave it out")

    def _decision(self, decision: tree.Decision, events: frozenset[str]) -> None:
        word = decision_word(decision)
        if isinstance(decision, tree.Do):
            return
        refused = sorted(event for event in events if word not in DECISIONS[event])
        if refused:
            allowed = joined(f"`{name}`" for name in sorted(DECISIONS[refused[0]]))
            what = f"the outcome `{refused[0]}`" if refused[0] in OUTCOMES else f"a `{refused[0]}`"
            advice = _ALWAYS_GOES_ON.get(refused[0], f"write {allowed}")
            self.report.wrong(decision, f"`{word}` cannot decide {what}", advice)
        elif isinstance(decision, tree.Play) and spoken(decision.party) != "held":
            message = f"nothing is played to `{spoken(decision.party)}` here"
            self.report.wrong(decision.party, message, "write `to held`: who holds never hears it")
        if isinstance(decision, tree.Dial):
            self._outcomes(decision)

    def _outcomes(self, dial: tree.Dial) -> None:
        """Each outcome goes to the first rule for it, so that a further rule for it is never tried."""
        first: dict[str, tree.Outcome] = {}
        for outcome in dial.outcomes:
            self._twice_in_a_list(outcome.kinds)
            taken = [kind for kind in outcome.kinds if first.setdefault(kind.text, outcome) is not outcome]
            left = {kind.text for kind in outcome.kinds}.difference(kind.text for kind in taken)
            if taken and not left:
                takers = dict.fromkeys(line_of(first[kind.text].span, kind.span) for kind in taken)
                why = f"{joined(takers, 'and')} already {'takes' if len(takers) == 1 else 'take'} all of it"
                self.report.wrong(outcome.kinds[0], "this rule can never match", why, first[taken[0].text].span)
            for kind in taken if left else ():
                taker = first[kind.text].span
                why = f"{line_of(taker, kind.span)} already takes it: leave it out here"
                self.report.wrong(kind, f"`{kind.text}` never comes here", why, taker)
            self.body(outcome.body, frozenset(kind.text for kind in outcome.kinds))


def _decides(block: tree.Block) -> bool:
    """Whether some statement takes whatever comes to it; one that follows is told of elsewhere."""
    return any(isinstance(statement, tree.Otherwise | tree.Decision) for statement in block.statements)
