"""From rules of the grammar to the nodes of `tree`: one line per rule.

Owns the order in which a rule's children become a node's fields. Numbers that mean nothing (a day of 25
hours, a status of 17) are kept as written; `check` speaks of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from dsl import tree
from dsl.build_tests import TEST_NODES
from dsl.composing import ComposingError, composed
from dsl.tree import Span
from dsl.vocabulary import MONTHS

_Kind = TypeVar("_Kind")

_MONTHS = {name: number for number, name in enumerate(MONTHS, 1)}
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def script(declarations: Sequence[tree.Declaration], file: str, source: str, included: str = "") -> tree.Script:
    """The whole of a script from its declarations and its text. `included` as in a Span."""
    end = source.count("\n") + 1
    span = Span(file, 1, 1, end, len(source.rpartition("\n")[2]) + 1, included)
    return tree.Script(span, source, tuple(declarations))


def node(name: str, span: Span, children: list[Any]) -> Any:
    """The node of a rule of the grammar, or a part of one: a tuple, a word, a place."""
    return _NODES[name](span, *children)


def _join(first: Span, last: Span) -> Span:
    return Span(first.file, first.line, first.column, last.end_line, last.end_column, first.included)


def _end(span: Span) -> Span:
    return Span(span.file, span.end_line, span.end_column - 1, span.end_line, span.end_column, span.included)


def _name(span: Span, *words: str) -> tree.Name:
    return tree.Name(span, " ".join(words))


def _text(span: Span, written: str) -> tree.Text:
    return tree.Text(span, written[1:-1])


def _bare_text(span: Span, written: str) -> tree.Text:
    return tree.Text(span, str(written))


def _integer(span: Span, digits: str) -> tree.Integer:
    return tree.Integer(span, int(digits), str(digits))


def _duration(span: Span, written: str) -> tree.Duration:
    unit = written.lstrip("0123456789")
    amount = int(written.removesuffix(unit))
    return tree.Duration(span, str(written), amount * _SECONDS[unit] if unit else None)


def _time(span: Span, written: str) -> tree.Time:
    hour, _, minute = written.partition(":")
    minutes = int(hour) * 60 + int(minute)
    return tree.Time(span, str(written), minutes if int(minute) < 60 and minutes <= 24 * 60 else None)


def _absolute_date(span: Span, written: str) -> tree.Date:
    year, month, day = written.split("-")
    return tree.Date(span, str(written), int(year), int(month), int(day))


def _all(kind: type[_Kind], parts: Iterable[object]) -> tuple[_Kind, ...]:
    return tuple(part for part in parts if isinstance(part, kind))


def _dated(span: Span, *parts: tree.Date | tree.Times) -> tree.Dated:
    dates = _all(tree.Date, parts)
    return tree.Dated(span, dates[0], dates[-1], _all(tree.Times, parts))


def _own_count(
    span: Span, base: tree.Name, attribute: tree.Name, count: tree.Integer
) -> tuple[tree.Attribute, tree.Integer]:
    return tree.Attribute(_join(base.span, attribute.span), base, attribute), count


def _counted(span: Span, name: tree.Name, attribute: tree.Name | None = None) -> tree.Name:
    return name if attribute is None else tree.Name(span, f"{name.text}.{attribute.text}")


def _limit(
    span: Span,
    name: tree.Name,
    count: tree.Integer | tuple[tree.Attribute, tree.Integer],
    per: tree.Duration | None,
    each: tree.Name | None,
) -> tree.Limit:
    own, usual = count if isinstance(count, tuple) else (None, count)
    return tree.Limit(span, name, usual, per, each, own)


def _rule(kind: Callable[..., Any]) -> Callable[..., Any]:
    def build_rule(span: Span, condition: tree.Condition, body: tree.Block) -> Any:
        return kind(span, condition, body, _join(span, condition.span))

    return build_rule


def _otherwise(span: Span, body: tree.Block) -> tree.Otherwise:
    return tree.Otherwise(span, body, span.on_line(span.column, len("otherwise")))


def _block(span: Span, *statements: tree.Statement) -> tree.Block:
    return tree.Block(span, statements, _end(span))


def _step(
    span: Span,
    parties: tuple[tree.Party, ...],
    duration: tree.Duration | None,
    progress: tree.Duration | None,
    despite: tree.Despite | None,
) -> tree.Step:
    return tree.Step(span, "then", parties, duration, progress, despite)


def _else(span: Span, step: tree.Step) -> tree.Step:
    return tree.Step(span, "else", step.parties, step.duration, step.progress, step.despite)


def _dial(span: Span, *parts: Any) -> tree.Dial:
    *steps, outcomes = parts
    return tree.Dial(span, False, tuple(steps), None, outcomes or ())


def _forward(span: Span, *parts: Any) -> tree.Dial:
    *steps, notify, outcomes = parts
    code, despite = notify or (None, None)
    return tree.Dial(span, True, tuple(steps), code, outcomes or (), despite)


def _sub(span: Span, name: tree.Name, *parts: Any) -> tree.Sub:
    *parameters, body = parts
    return tree.Sub(span, name, tuple(parameter for parameter in parameters if parameter), body)


def _with_values(value: tree.Expression) -> tree.Expression:
    """A text with values in it; one that cannot be read stays a text, of which `check` speaks."""
    if not isinstance(value, tree.Text):
        return value
    try:
        return composed(value)
    except ComposingError:
        return value


def _negated(kind: Callable[..., Any]) -> Callable[..., Any]:
    return lambda span, *fields: tree.Not(span, kind(span, *fields))


def _tuple_of(span: Span, *items: Any) -> tuple[Any, ...]:
    return items


_NODES: dict[str, Callable[..., Any]] = {
    "name": _name,
    "table_name": _name,
    "tag_name": _name,
    "user_by_name": _name,
    "any_name": _name,
    "condition_name": _name,
    "outcome_kind": _name,
    "day": _name,
    "quoted_name": lambda span, written: tree.Name(span, written[1:-1], quoted=True),
    "text": _text,
    "integer": _integer,
    "digits": _bare_text,
    "no_digits": lambda span: tree.Text(span, ""),
    "code": lambda span, digits: tree.Code(span, int(digits)),
    "duration": _duration,
    "duration_literal": _duration,
    "country_code": _bare_text,
    "pattern": lambda span, written: tree.Pattern(span, written[1:-1]),
    "network": lambda span, written: tree.Network(span, str(written)),
    "host": _bare_text,
    "time": _time,
    # declarations
    "include": tree.Include,
    "policy": tree.PolicyName,
    "domain": lambda span, *hosts: tree.Domain(span, hosts),
    "timezone": tree.Timezone,
    "country": tree.Country,
    "national": tree.NationalPrefix,
    "international": tree.InternationalPrefix,
    "emergency": lambda span, *numbers: tree.Emergency(span, numbers),
    "users": tree.Users,
    "group": lambda span, name, way, *members: tree.Group(span, name, members, way or "together"),
    "group_by_weight": lambda span, name, *rest: tree.Group(span, name, rest[::2], "weight", rest[1::2]),
    "trunks": lambda span, name, way, *members: tree.Trunks(span, name, members, way),
    "trunks_by_weight": lambda span, name, *rest: tree.Trunks(span, name, rest[::2], "weight", rest[1::2]),
    "way": lambda span, _, way: way,
    "numbers": lambda span, name, *items: tree.Numbers(span, name, items, None),
    "numbers_from": lambda span, name, file: tree.Numbers(span, name, (), file),
    "net": lambda span, name, *networks: tree.Net(span, name, networks),
    "sound": tree.Sound,
    "hours": lambda span, name, zone, *rest: tree.Hours(span, name, zone, rest[:-1], rest[-1] or ()),
    "exceptions": _tuple_of,
    "excepted_hours": lambda span, name: name,
    "weekly": lambda span, *parts: tree.Weekly(span, _all(tree.DayRange, parts), _all(tree.Times, parts)),
    "day_range": lambda span, first, last: tree.DayRange(span, first, last or first),
    "dated": _dated,
    "stretch": tree.Stretch,
    "times": tree.Times,
    "yearly_date": lambda span, month, day: tree.Date(span, f"{month} {day}", None, _MONTHS[month], int(day)),
    "absolute_date": _absolute_date,
    "counted": _counted,
    "limit": _limit,
    "own_count": _own_count,
    "limit_at_once": lambda span, name, count, each: _limit(span, name, count, None, each),
    "table": tree.Table,
    "trunk": lambda span, name, *settings: tree.Trunk(span, name, settings),
    "sub": _sub,
    "parameter": tree.Parameter,
    "on": lambda span, *parts: tree.On(span, parts[:-1], parts[-1]),
    "test": lambda span, title, *steps: tree.Test(span, title, steps),
    # trunk settings
    "uri": tree.Uri,
    "peers": lambda span, *networks: tree.Peers(span, networks),
    "register_as": lambda span, username, secret: tree.Login(span, username, secret, registers=True),
    "login": lambda span, username, secret: tree.Login(span, username, secret, registers=False),
    "number_format": tree.NumberFormat,
    "from_choice": tree.FromChoice,
    "caller_id": tree.CallerId,
    "allow": lambda span, *patterns: tree.Allow(span, patterns),
    "channels": tree.Channels,
    "check_every": tree.Check,
    "failover": lambda span, *codes: tree.Failover(span, codes),
    "progress_within": tree.Progress,
    "trusted": tree.Trusted,
    "transit": tree.Transit,
    # rules and decisions
    "block": _block,
    "arrow": _block,
    "when": _rule(tree.When),
    "also_when": _rule(tree.AlsoWhen),
    "otherwise": _otherwise,
    "challenge": tree.Challenge,
    "accept": tree.Accept,
    "reject": tree.Reject,
    "redirect": tree.Redirect,
    "dial": _dial,
    "forward": _forward,
    "first_step": _step,
    "progress_first": lambda span, parties, progress, duration, despite: _step(
        span, parties, duration, progress, despite
    ),
    "then_step": lambda span, step: step,
    "else_step": _else,
    "progress": lambda span, duration: duration,
    "notify": _tuple_of,
    "despite": tree.Despite,
    "parties": _tuple_of,
    "party": tree.Party,
    "outcomes": _tuple_of,
    "outcome": lambda span, *parts: tree.Outcome(span, parts[:-1], parts[-1]),
    "do": lambda span, sub, *arguments: tree.Do(span, sub, tuple(item for item in arguments if item)),
    "answer": lambda span, service, despite: tree.Answer(span, service, None, False, despite),
    "answer_play": lambda span, sound, loop, despite: tree.Answer(
        span, _name(span, "play"), sound, loop is not None, despite
    ),
    "continue": tree.Continue,
    "play": lambda span, sound, party, loop: tree.Play(span, sound, party, loop is not None),
    "loop": lambda span: span,
    "transfer": tree.Transfer,
    "deliver": tree.Deliver,
    "tag": lambda span, name, value: tree.Tag(span, name, _with_values(value)),
    "log": lambda span, text: tree.Log(span, _with_values(text)),
    "set_header": lambda span, name, value: tree.SetHeader(span, name, _with_values(value)),
    "strip_header": tree.StripHeader,
    "media": tree.Media,
    # conditions
    "or": lambda span, *conditions: tree.Or(span, conditions),
    "and": lambda span, *conditions: tree.And(span, conditions),
    "not": tree.Not,
    "compare": tree.Compare,
    "operator": lambda span, written: str(written),
    "in": tree.In,
    "not_in": _negated(tree.In),
    "range": tree.Range,
    "set": lambda span, *elements: tree.Set(span, elements),
    "matches": tree.Matches,
    "not_matches": _negated(tree.Matches),
    "is": tree.Is,
    "is_not": _negated(tree.Is),
    "over": tree.Over,
    "within": tree.Within,
    "lookup": tree.Lookup,
    "from_trunk": tree.FromTrunk,
    "holds": tree.Holds,
    # values
    "reference": tree.Reference,
    "condition_reference": tree.Reference,
    "quoted_user": tree.Reference,
    "diverted_by": lambda span, *words: tree.Reference(span, _name(span, *words)),
    "held_for": lambda span, *words: tree.Reference(span, _name(span, *words)),
    "attribute": tree.Attribute,
    "column": tree.Attribute,
    "condition_attribute": tree.Attribute,
    "quoted_attribute": tree.Attribute,
    "header": tree.Header,
    "e164": tree.E164,
    **TEST_NODES,
}
