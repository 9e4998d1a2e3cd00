"""A second evaluator for the routing language: a plain walk of the tree, rule after rule, without any index.

It shares with the product only what is tested by itself (tables, hours, number plans, patterns one by one) and says in
the most direct way what LANGUAGE means. What it decides is the measure for compiled policies.
"""

import ipaddress
from dataclasses import dataclass, field

from dsl import decision as d
from dsl import tree
from dsl.patterns import parse_pattern

FACTS = {
    "user": "user",
    "caller": "caller",
    "callee": "callee",
    "dialed": "dialed",
    "claimed": "claimed",
    "source": "source",
    "transport": "transport",
    "expires": "expires",
    "contacts": "contacts",
    "agent": "agent",
    "diverted by": "diverted_by",
    "authenticated": "authenticated",
    "anonymous": "anonymous",
    "holder": "holder",
    "held": "held",
    "held for": "held_for",
}
OUTCOME = ("target", "code", "rang", "tried", "redirected")
EACH = {"caller": "caller", "user": "user", "callee": "callee", "dialed": "dialed", "trunk": "trunk"}


@dataclass
class Dialled:
    """A decision to dial: the node that says so and the names that were bound there."""

    node: tree.Dial
    env: dict


@dataclass
class Walk:
    script: tree.Script
    setup: object
    facts: d.Facts
    outcome: d.Outcome | None = None
    rules: list = field(default_factory=list)
    takes: list = field(default_factory=list)
    headers: list = field(default_factory=list)
    tags: dict = field(default_factory=dict)
    logs: list = field(default_factory=list)
    media: str | None = None
    asked: dict = field(default_factory=dict)
    dialled: Dialled | None = None

    def event(self, name):
        for declaration in self.script.declarations:
            if isinstance(declaration, tree.On) and declaration.event.text == name:
                return self.block(declaration.body, {}, top=True)
        return None

    def after(self, dialled, kind):
        for outcome in dialled.node.outcomes:
            if outcome.kind.text == kind:
                self.fire(outcome.span)
                return self.block(outcome.body, dict(dialled.env))
        return self.event(kind)

    def fire(self, span):
        self.rules.append(span.place)

    # Statements

    def block(self, block, env, top=False):
        for statement in block.statements:
            action = self.statement(statement, env, top)
            if action is not None:
                return action
        return None

    def statement(self, statement, env, top):
        if isinstance(statement, tree.When | tree.AlsoWhen):
            inner = dict(env)
            if self.holds(statement.condition, inner):
                self.fire(statement.head)
                action = self.block(statement.body, inner)
                return action if isinstance(statement, tree.When) else None
            return None
        if isinstance(statement, tree.Otherwise):
            self.fire(statement.head)
            return self.block(statement.body, dict(env))
        if isinstance(statement, tree.Tag):
            value = self.value(statement.value, env)
            if value is not None:
                self.tags[statement.name.text] = str(value)
            return None
        if isinstance(statement, tree.Log):
            value = self.value(statement.text, env)
            if value is not None:
                self.logs.append(str(value))
            return None
        if isinstance(statement, tree.SetHeader):
            value = self.value(statement.value, env)
            if value is not None:
                self.headers.append(d.HeaderEdit(statement.name.value, str(value)))
            return None
        if isinstance(statement, tree.StripHeader):
            self.headers.append(d.HeaderEdit(statement.name.value, None))
            return None
        if isinstance(statement, tree.Media):
            self.media = statement.choice.text
            return None
        if top:
            self.fire(statement.span)
        return self.decide(statement, env)

    def decide(self, node, env):
        if isinstance(node, tree.Challenge):
            self.takes.clear()
            return d.Challenge()
        if isinstance(node, tree.Reject):
            return d.Reject(node.code.value, node.reason.value if node.reason else None)
        if isinstance(node, tree.Redirect):
            value = self.value(node.target, env)
            if value is None:
                return d.Reject(480)
            if value.startswith(("sip:", "sips:", "tel:")):
                return d.Redirect(node.code.value, value)
            if value in self.setup.directory.users:
                return d.Redirect(node.code.value, f"sip:{value}@{self.setup.domains[0]}")
            number = self.setup.plan.e164(value)
            return d.Redirect(node.code.value, f"tel:{number}") if number else d.Reject(480)
        if isinstance(node, tree.Answer):
            return d.Answer(node.service.text, node.sound.text if node.sound else None, node.loop)
        if isinstance(node, tree.Play):
            return d.Play(node.sound.text, node.loop)
        if isinstance(node, tree.Continue):
            return d.Continue()
        if isinstance(node, tree.Do):
            (sub,) = [s for s in self.script.declarations if isinstance(s, tree.Sub) and s.name.text == node.sub.text]
            inner = {}
            for parameter, argument in zip(sub.parameters, node.arguments, strict=True):
                value = self.value(argument, env)
                if parameter.type.text == "user":
                    value = self.user(value)
                inner[parameter.name.text] = (parameter.type.text, value)
            return self.block(sub.body, inner, top=True)
        assert isinstance(node, tree.Dial)
        self.dialled = Dialled(node, env)
        steps = tuple(self.step(step, env) for step in node.steps)
        notify = node.notify.value if node.notify else 181
        notify = notify if node.forwarded else None
        return d.Dial(steps, d.Frame("", 0), self.forwarder(node, env) if node.forwarded else None, notify)

    # Dialling

    def user(self, value):
        if value is None or value in self.setup.directory.users:
            return value
        return next((u.name for u in self.setup.directory.users.values() if u.extension == value), None)

    def step(self, step, env):
        seconds = min(step.duration.seconds if step.duration else 120.0, 600.0)
        progress = step.progress.seconds if step.progress else None
        return d.Step(tuple(self.party(party, env) for party in step.parties), seconds, progress, step.after)

    def party(self, party, env):
        value, kind = self.value(party.target, env), self.kind(party.target, env)
        if party.trunk is not None:
            if kind in ("user", "party") and value in self.setup.directory.users:
                value = self.setup.directory.users[value].number
            return d.NumberTarget(value, party.trunk.text)
        if value is None:
            return d.UriTarget(None, False)
        if kind == "user" or self.user(value) is not None:
            return d.UserTarget(self.user(value) if kind != "user" else value)
        if value.startswith(("sip:", "sips:", "tel:")):
            return d.UriTarget(value, isinstance(party.target, tree.Text | tree.Attribute))
        return d.UriTarget(None, False)

    def forwarder(self, node, env):
        for held in env.values():
            if isinstance(held, tuple) and held[0] == "user" and held[1] is not None:
                return held[1]
        party = self.facts.callee if self.outcome is None else self.outcome.target
        if party in self.setup.directory.users:
            return party
        first = node.steps[0].parties[0].target
        if isinstance(first, tree.Attribute) and not isinstance(env.get(first.base.text), dict):
            owner = self.value(tree.Reference(first.span, first.base), env)
            return owner if owner in self.setup.directory.users else None
        return None

    # Values

    def kind(self, expression, env):
        if not isinstance(expression, tree.Reference):
            return "text"
        name = expression.name.text
        if name in env:
            return env[name][0]
        if name in ("target", "diverted by", "holder", "held"):
            return "party"
        if name in FACTS or name in OUTCOME:
            return "user" if name in ("user", "caller", "callee") else "text"
        return "user"

    def value(self, expression, env):
        if isinstance(expression, tree.Text):
            return expression.value
        if isinstance(expression, tree.Integer):
            return expression.value
        if isinstance(expression, tree.Duration):
            return expression.seconds
        if isinstance(expression, tree.Header):
            return self.facts.headers.get(expression.name.value.lower())
        if isinstance(expression, tree.E164):
            value = self.value(expression.argument, env)
            kind = self.kind(expression.argument, env)
            if kind in ("user", "party") and value in self.setup.directory.users:
                value = self.setup.directory.users[value].number
            return self.setup.plan.e164(value)
        if isinstance(expression, tree.Attribute):
            held = env.get(expression.base.text)
            if isinstance(held, dict):
                return held.get(expression.attribute.text)
            owner = self.value(tree.Reference(expression.span, expression.base), env)
            user = self.setup.directory.users.get(owner)
            if user is None:
                of_trunk = (expression.base.text, expression.attribute.text) == ("caller", "number")
                return self.facts.caller_number if of_trunk and expression.base.text not in env else None
            fixed = {"name": user.name, "extension": user.extension, "number": user.number, "display": user.display}
            return {**user.attributes, **fixed}.get(expression.attribute.text)
        name = expression.name.text
        if name in env:
            return env[name][1]
        if name in FACTS:
            return getattr(self.facts, FACTS[name])
        if name in OUTCOME:
            return getattr(self.outcome, name) if self.outcome else None
        return name

    # Conditions

    def ask(self, name, question):
        if name not in self.asked:
            self.asked[name] = question()
        return self.asked[name]

    def holds(self, c, env):
        if isinstance(c, tree.And):
            return all(self.holds(part, env) for part in c.conditions)
        if isinstance(c, tree.Or):
            return any(self.holds(part, env) for part in c.conditions)
        if isinstance(c, tree.Not):
            return not self.holds(c.condition, env)
        if isinstance(c, tree.Compare):
            return self.compare(c, env)
        if isinstance(c, tree.In):
            whole = self.kind(c.item, env) == "whole"
            return self.inside(self.value(c.item, env), c.collection, whole)
        if isinstance(c, tree.Matches):
            value, pattern = self.value(c.item, env), parse_pattern(c.pattern.text)
            if value is None or not pattern.matches(value):
                return False
            found = pattern.regular_expression().fullmatch(value)
            env.update({name: ("text", found[name]) for name, _, _ in pattern.captures})
            return True
        if isinstance(c, tree.Within):
            return self.setup.hours[c.hours.text].within(self.facts.time)
        if isinstance(c, tree.FromTrunk):
            return self.facts.trunk == c.trunk.text
        if isinstance(c, tree.Holds):
            return self.value(c.fact, env) is True
        if isinstance(c, tree.Lookup):
            key = self.value(c.key, env)
            row = None if key is None else self.setup.tables[c.table.text].find(key, self.setup.plan)
            if row is not None and c.bound is not None:
                env[c.bound.text] = row
            return row is not None
        return self.over(c) if isinstance(c, tree.Over) else self.state(c, env)

    def compare(self, c, env):
        left, right = self.value(c.left, env), self.value(c.right, env)
        if c.operator in ("==", "!="):
            same = left is not None and left == right
            return same if c.operator == "==" else not same
        if left is None or right is None:
            return False
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[c.operator]

    def inside(self, value, collection, whole):
        if value is None:
            return False
        if isinstance(collection, tree.Set):
            return any(self.inside(value, element, whole) for element in collection.elements)
        if isinstance(collection, tree.Name):
            return self.among(value, collection)
        if isinstance(collection, tree.Pattern):
            return isinstance(value, str) and parse_pattern(collection.text).matches(value)
        if isinstance(collection, tree.Range):
            low, high = (self.literal(end, whole) for end in (collection.low, collection.high))
            if whole:
                return low <= value <= high
            return len(value) == len(low) and value.lstrip("+").isdigit() and low <= value <= high
        if isinstance(collection, tree.Network):
            return within(value, collection.text)
        return value == self.literal(collection, whole)

    def literal(self, node, whole):
        if isinstance(node, tree.Text):
            return node.value
        if whole:
            return node.value if isinstance(node, tree.Integer) else node.seconds
        return node.text

    def among(self, value, name):
        for declared in self.script.declarations:
            known = getattr(declared, "name", None)
            if name.quoted or not isinstance(known, tree.Name) or known.text != name.text:
                continue
            if isinstance(declared, tree.Net):
                return any(within(value, network.text) for network in declared.networks)
            if isinstance(declared, tree.Numbers):
                return self.setup.numbers[name.text].has(value)
            return value in self.setup.groups[name.text]
        return value == name.text

    def over(self, c):
        if self.setup.is_emergency(self.facts.dialed):
            return False
        limit = self.setup.limits[c.limit.text]
        key = "" if limit.each is None else getattr(self.facts, limit.each) or ""
        over = self.ask(f"over {limit.name} {key}".rstrip(), lambda: self.facts.ambient.over(limit.name, key))
        if not over and (limit.name, key) not in self.takes:
            self.takes.append((limit.name, key))
        return over

    def state(self, c, env):
        state = c.state.text
        if state in ("up", "full"):
            trunk = c.subject.name.text
            return self.ask(f"{state} {trunk}", lambda: getattr(self.facts.ambient, state)(trunk))
        if state == "caller":
            return self.facts.holder_is_caller
        value = self.value(c.subject, env)
        if state == "absent":
            return value is None
        if state == "emergency":
            return self.setup.is_emergency(value)
        if value not in self.setup.directory.users:
            return False
        return self.ask(f"{state} {value}", lambda: getattr(self.facts.ambient, state)(value))


def within(value, network):
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network)
    except ValueError:
        return False
