"""What holds where: rules that can never match, challenges that ask in vain, limits that count accounts
where none calls, forwarding that goes round.

Owns the way through blocks, outcomes and subs with what is known on it: the conditions of the rules around, and that
those above did not match. Whether that can all be true together is for `solver`, what it means for callers for
`proofs`.
"""

from __future__ import annotations

import re

import msgspec

from dsl import tree
from dsl.check.knowledge import Knowledge, Known
from dsl.check.logic import UNAUTHENTICATED, AllOf, Atom, Formula, Reader
from dsl.check.report import Report
from dsl.check.solver import Solver
from dsl.compile_setup import Setup
from dsl.diagnostics import line_of
from dsl.resolve import Kind, Names
from dsl.resolve.contexts import events_of
from dsl.vocabulary import DECISIONS

_IS_CALLED = re.compile(r"callee$|dialed$|target$|.*@").match
"""What a rule asks of whom a call is for; names that are bound (`@`) too, such as the parameters of subs."""
_MOST_BLOCKS = 20_000
"""How many blocks of subs are entered in all, so that subs that do subs that do subs end."""

_FROM_NO_TRUNK = Atom("from trunk", "absent")


class Way(msgspec.Struct, frozen=True):
    """How a block was come to: what is known, and the subs that were done.

    `early`: the request can still be challenged.
    """

    known: Knowledge
    subs: tuple[str, ...]
    early: bool


def check_paths(script: tree.Script, names: Names, setup: Setup, report: Report) -> None:
    """Check what can be reached, and by whom."""
    walker = _Walker(script, names, setup, report)
    for declaration in script.declarations:
        match declaration:
            case tree.On(body=body) if events := events_of(declaration):
                walker.dead_rules(body, Knowledge())
                walker.follow(
                    body, Way(Knowledge(), (), early=any("challenge" in DECISIONS[event] for event in events))
                )
            case tree.Sub(body=body):
                walker.dead_rules(body, Knowledge())
            case _:
                pass
    walker.finish()
    walker.forwarding_that_goes_round()


class _Walker:
    def __init__(self, script: tree.Script, names: Names, setup: Setup, report: Report) -> None:
        self.names = names
        self.setup = setup
        self.report = report
        self.reader = Reader(names, setup)
        self.solver = Solver(setup)
        self.subs = {item.name.text: item for item in script.declarations if isinstance(item, tree.Sub)}
        self.forwards: dict[str, tuple[tuple[str, ...], tree.Dial]] = {}
        self.challenges: dict[tree.Challenge, bool] = {}
        self.limits = {item.name.text: item for item in script.declarations if isinstance(item, tree.Limit)}
        self.in_common: dict[tree.Over, bool] = {}
        self.blocks = 0

    # Rules that can never match

    def dead_rules(self, block: tree.Block, before: Knowledge) -> None:
        """Report the rules of a block that nothing can reach, and those of the blocks in it."""
        known = Knowledge(before)
        for statement in block.statements:
            match statement:
                case tree.When(condition=condition, body=body):
                    formula = self.reader.formula(condition)
                    self._is_dead(statement, formula, known)
                    self.dead_rules(body, known.within(formula, statement))
                    known.add(formula, statement, holds=False)
                case tree.AlsoWhen(condition=condition):
                    self._is_dead(statement, self.reader.formula(condition), known)
                case tree.Otherwise(body=body):
                    self.dead_rules(body, known)
                case tree.Dial(outcomes=outcomes):
                    for outcome in outcomes:
                        self.dead_rules(outcome.body, Knowledge(known, later=True))
                case _:
                    pass

    def _is_dead(self, rule: tree.When | tree.AlsoWhen, formula: Formula, known: Knowledge) -> None:
        near = known.near(formula)
        if self.solver.possible([formula, *(item.formula for item in near)]):
            return
        if not self.solver.possible([formula]):
            self.report.wrong(rule.head, "this can never hold", "its parts contradict each other")
            return
        around = [item for item in near if item.holds]
        above = [item for item in near if not item.holds]
        formulas = [formula, *(item.formula for item in around)]
        if not self.solver.possible(formulas):
            outer = next((item.rule for item in around if not self._both(formula, item)), around[-1].rule)
            self._never(rule, outer, "the rule of {} around it excludes that")
            return
        alone = next((item.rule for item in above if not self.solver.possible([*formulas, item.formula])), None)
        if alone is not None:
            self._never(rule, alone, "{} already takes all of it")
        else:
            self._never(rule, above[-1].rule, "the rules down to {} already take all of it")

    def _both(self, formula: Formula, item: Known) -> bool:
        return self.solver.possible([formula, item.formula])

    def _never(self, rule: tree.When | tree.AlsoWhen, other: tree.When, why: str) -> None:
        where = other.head
        self.report.wrong(rule.head, "this rule can never match", why.format(line_of(where, rule.head)), where)

    # What is known where something is decided

    def follow(self, block: tree.Block, way: Way) -> None:
        """Go through a block, and through the subs that it does."""
        self.blocks += len(way.subs) > 0
        if self.blocks > _MOST_BLOCKS:
            return
        known = Knowledge(way.known)
        here = msgspec.structs.replace(way, known=known)
        for statement in block.statements:
            match statement:
                case tree.When(condition=condition, body=body):
                    formula = self.reader.formula(condition)
                    self._limited(condition, formula, known)
                    self.follow(body, msgspec.structs.replace(way, known=known.within(formula, statement)))
                    known.add(formula, statement, holds=False)
                case tree.AlsoWhen(condition=condition):
                    self._limited(condition, self.reader.formula(condition), known)
                case tree.Otherwise(body=body):
                    self.follow(body, here)
                case tree.Challenge() if way.early:
                    in_vain = not self._possible(known, UNAUTHENTICATED)
                    self.challenges[statement] = in_vain and self.challenges.get(statement, True)
                case tree.Dial():
                    self._dial(statement, here)
                case tree.Do(sub=sub) if sub.text in self.subs and sub.text not in way.subs:
                    self._do(self.subs[sub.text], here)
                case _:
                    pass

    def _do(self, sub: tree.Sub, way: Way) -> None:
        self.follow(sub.body, Way(way.known, (*way.subs, sub.name.text), way.early))

    def _limited(self, condition: tree.Condition, formula: Formula, known: Knowledge) -> None:
        """Note limits that count accounts, and whether all who come here are from a trunk and may be none."""
        for node in tree.walk(condition):
            if isinstance(node, tree.Over) and self._counts_accounts(node.limit.text):
                nobody = not self._possible(known, formula, _FROM_NO_TRUNK)
                nobody = nobody and self._possible(known, formula, UNAUTHENTICATED)
                self.in_common[node] = nobody and self.in_common.get(node, True)

    def _counts_accounts(self, limit: str) -> bool:
        declared = self.limits.get(limit)
        return declared is not None and declared.each is not None and declared.each.text in ("caller", "user")

    def finish(self) -> None:
        """Report what only all ways together show."""
        if self.blocks > _MOST_BLOCKS:
            return
        for challenge, in_vain in self.challenges.items():
            if in_vain:
                advice = "put it behind `when not authenticated`"
                self.report.wrong(challenge, "whoever comes here is authenticated already", advice)
        for over, nobody in self.in_common.items():
            if nobody:
                message = (
                    f"all calls that come here from a trunk count as one for `{over.limit.text}`: they have no account"
                )
                self.report.doubtful(over.limit, message, "let it count `for each caller.number`")

    def _dial(self, dial: tree.Dial, way: Way) -> None:
        if dial.forwarded:
            self._forward(dial, way.known)
        for outcome in dial.outcomes:
            self.follow(outcome.body, Way(Knowledge(way.known, later=True), way.subs, early=False))

    def _possible(self, known: Knowledge, *formulas: Formula) -> bool:
        near = known.near(AllOf(formulas))
        return self.solver.possible([*formulas, *(item.formula for item in near)])

    # Forwarding

    def _forward(self, dial: tree.Dial, known: Knowledge) -> None:
        """Note who is called in place of a user that is known here: a user, a group, whom an attribute names."""
        party = dial.steps[0].parties[0]
        if party.trunk is not None:
            return
        asked: dict[object, set[str]] = {}
        for atom in known.constants():
            if _IS_CALLED(atom.subject):
                for operand in atom.operand if isinstance(atom.operand, frozenset) else (atom.operand,):
                    asked.setdefault(operand, set()).add(atom.subject)
        for user in sorted(self.setup.directory.users.keys() & asked):
            following = self._following(party.target, user, asked[user])
            if following and user not in following:
                self.forwards.setdefault(user, (following, dial))

    def _following(self, target: tree.Expression, user: str, called: set[str]) -> tuple[str, ...]:
        """Who is called where this user, of whom rules speak so, is forwarded there; nobody where that is not known."""
        match target:
            case tree.Reference(name=name):
                kind = self.names.of(name).kind
                if kind is Kind.GROUP:
                    return self.setup.hunt_groups[name.text].members
                return (name.text,) if kind is Kind.USER else ()
            case tree.Attribute(base=base, attribute=attribute):
                kind = self.names.of(base).kind
                is_user = base.text == "callee" or self.reader.subject(tree.Reference(base.span, base)) in called
                owner = base.text if kind is Kind.USER else user if is_user else None
                known = self.setup.directory.users.get(owner or "")
                deputy = None if known is None else self.setup.callees.get(known.attribute(attribute.text) or "")
                return () if deputy is None else (deputy,)
            case _:
                return ()

    def forwarding_that_goes_round(self) -> None:
        """Report users who forward to each other, so that nobody's phone rings: of a group all of them must."""
        rings = True
        round_they_go = dict(self.forwards)
        while rings:
            ending = [user for user, (them, _) in round_they_go.items() if not round_they_go.keys() >= set(them)]
            rings = bool(ending)
            for user in ending:
                del round_they_go[user]
        for start, (_, dial) in round_they_go.items():
            way = [start]
            while (following := round_they_go[way[-1]][0][0]) not in way:
                way.append(following)
            if following == start and start == min(way):
                round_trip = " to ".join(f"`{name}`" for name in [*way, start])
                self.report.wrong(dial, f"this forwarding goes round: {round_trip}", "let one of them ring")
