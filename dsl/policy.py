"""A policy ready to decide: loaded from its files, checked, compiled, and asked by the engine.

Owns what the engine may ask of a policy, and what holds where it says nothing. It decides and does
nothing else: the same facts give the same decision, for as long as the version lives.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from dsl import tree
from dsl.check import check
from dsl.compile import Program, compiled_program
from dsl.compile_files import load_setup
from dsl.compile_setup import Limit, Setup, Trunk
from dsl.compile_trunks import Trunks
from dsl.decision import Action, Challenge, Continue, Decision, Event, Facts, Frame, Outcome, OutcomeKind, Reject
from dsl.diagnostics import PolicyError, Problem
from dsl.evaluate import MOST_STEPS, BudgetError, EvaluationError, Execute, Run
from dsl.files import Files
from dsl.include import read_script
from dsl.sounds import Sound
from dsl.users import Directory, User
from dsl.vocabulary import GOES_ON, REFUSED

DEFAULTS: dict[OutcomeKind, int] = {
    "busy": 486,
    "no-answer": 480,
    "unreachable": 480,
    "failure": 480,
    "redirect": 480,
}
"""What the caller is told of a dial's outcome for which neither the dial nor an event has a rule."""

_SERVER_ERROR = 500
_ASKS_WHO = frozenset({401, 407})
_OUT_OF_TIME = 408


class Policy:
    """One version of a policy. `hash` names the version: script, tables, hours, sounds, users without their
    credentials.

    `domains` are the hosts that are ours, the first of them the realm. `trunks`, `users`, `limits` and `sounds` go by
    name, `emergency` holds the numbers of the emergency services, and `directory` users and their credentials as they
    were when this version was loaded. `headers` are those of a request that its rules ask for, by lower-case name.
    """

    def __init__(
        self,
        script: tree.Script,
        path: Path,
        setup: Setup,
        version: str,
        warnings: list[Problem],
        notices: Sequence[Problem] = (),
    ) -> None:
        self.script = script
        self.path = path
        self.hash = version
        self.setup = setup
        self.domains: tuple[str, ...] = setup.domains
        self.trunks: dict[str, Trunk] = setup.trunks
        self.users: dict[str, User] = setup.directory.users
        self.directory: Directory = setup.directory
        self.limits: dict[str, Limit] = setup.limits
        self.sounds: dict[str, Sound] = setup.sounds
        self.emergency: frozenset[str] = setup.emergency
        self._callees = setup.callees
        self.warnings = warnings
        self.notices = notices
        names = [item.name.value for item in script.declarations if isinstance(item, tree.PolicyName)]
        self.name = names[0] if names else path.stem
        self._program: Program = compiled_program(script, setup, version)
        self.headers: tuple[str, ...] = self._program.headers
        self._trunks = Trunks(setup.trunks.values(), setup.plan)

    @property
    def defaults_in_force(self) -> list[str]:
        """What holds for the events that this policy leaves out, one sentence each."""
        passes = " unless the called side gave a 4xx or 6xx, which passes"
        outcomes = {kind: f"reject {code}{passes if kind == 'failure' else ''}" for kind, code in DEFAULTS.items()}
        defaults: dict[str, str] = (
            outcomes | dict.fromkeys(GOES_ON, "continue") | {event: f"reject {code}" for event, code in REFUSED.items()}
        )
        return [f"on {event}: {default}" for event, default in defaults.items() if event not in self._program.events]

    def decide(self, event: Event, facts: Facts) -> Decision:
        """What the policy says to an event that is no outcome. Raises EvaluationError where it says nothing.

        A hold or resume of which it says nothing goes on; a transfer and a message are refused.
        """
        block = self._program.events.get(event)
        if block is None:
            if event in GOES_ON:
                return Decision(Continue(), self.hash)
            if event in REFUSED:
                return Decision(Reject(REFUSED[event]), self.hash)
            raise EvaluationError(f"the policy has no `on {event}`")
        return self._run(event, block, Run(facts, self.users, None))

    def resume(self, frame: Frame, outcome: Outcome, facts: Facts) -> Decision:
        """What follows when a dial ended: its own rule, else the event's, else the default.

        A frame of another version has lost its place here, so that the event's rule decides.
        """
        run = Run(facts, self.users, outcome)
        if frame.policy == self.hash and frame.dial < len(self._program.dials):
            nested = self._program.dials[frame.dial].get(outcome.kind)
            if nested is not None:
                run.names = dict(frame.names)
                return self._run(outcome.kind, nested, run)
        block = self._program.events.get(outcome.kind)
        return Decision(default_of(outcome), self.hash) if block is None else self._run(outcome.kind, block, run)

    def _run(self, event: Event, block: Execute, run: Run) -> Decision:
        try:
            action: Action | None = block(run)
        except BudgetError as error:
            return self._given_up(event, block, run, error.place)
        if action is None:
            raise EvaluationError("the policy came to an end without a decision")
        takes = () if not run.takes or isinstance(action, Challenge) else tuple(run.takes)
        return Decision(
            action,
            self.hash,
            tuple(run.rules),
            takes,
            tuple(run.headers),
            run.tags,
            tuple(run.logs),
            run.asked,
            run.media,
            run.turns,
        )

    def _given_up(self, event: Event, block: Execute, run: Run, place: str) -> Decision:
        """What is done where a decision takes too many steps: nobody waits for it, unless somebody calls for help."""
        facts = run.facts
        if event != "message" and self.setup.is_emergency(facts.dialed):
            again = Run(facts, self.users, run.outcome)
            again.names = run.names
            again.steps = -sys.maxsize
            return self._run(event, block, again)
        action = Continue() if event in GOES_ON else Reject(_SERVER_ERROR)
        fault = f"the decision was given up at {place}: it took more than {MOST_STEPS:,} steps"
        rules, logs = (*run.rules, place), (*run.logs, fault)
        return Decision(action, self.hash, rules, tuple(run.takes), (), run.tags, logs, run.asked, fault=fault)

    def speaks_of(self, event: Event) -> bool:
        """Whether this policy has rules for an event."""
        return event in self._program.events

    def callee(self, dialed: str | None) -> str | None:
        """The user whose name or extension was dialled."""
        return None if dialed is None else self._callees.get(dialed)

    def is_emergency(self, dialed: str | None) -> bool:
        """Whether what was dialled reaches an emergency service."""
        return self.setup.is_emergency(dialed)

    def e164(self, text: str | None) -> str | None:
        """A number as `+` and digits; None for what is no number where this policy is at home."""
        return self.setup.plan.e164(text)

    def trunk_number(self, trunk: str, number: str) -> str | None:
        """The number as it is dialled through a trunk; None when its `allow` refuses it.

        Emergency numbers go as they were written, through any trunk. Raises KeyError when there is no
        such trunk.
        """
        return number if self.setup.is_emergency(number) else self._trunks.number(trunk, number)

    def number_towards(self, trunk: str, number: str) -> str:
        """The number of a caller as a trunk wants to read it, or as it was where it has no such form.

        Raises KeyError when there is no such trunk.
        """
        form = self.trunks[trunk].number
        return (self.e164(number) if form == "as-dialed" else self.setup.plan.formatted(number, form)) or number

    def number_from(self, trunk: str | None, number: str) -> str | None:
        """The E.164 form of a caller's number that came from a trunk, or from somebody else (None), if it has one.

        Raises KeyError when there is no such trunk.
        """
        if trunk is not None and self.trunks[trunk].number == "plain" and number.isdigit():
            return self.e164(f"+{number}") or self.e164(number)
        return self.e164(number)

    def trunk_of(self, address: str) -> str | None:
        """The trunk whose `peers` hold this address; the first declared, should there be several."""
        return self._trunks.of(address)


def default_of(outcome: Outcome) -> Reject:
    """RFC 3261 16.7: the called side's own failure passes, except a challenge, which is not the caller's
    to answer.
    """
    code = outcome.code
    if outcome.kind == "failure" and code is not None and _is_theirs(code):
        return Reject(code)
    return Reject(DEFAULTS[outcome.kind])


def told_of_message(code: int) -> int:
    """What the sender of a message is told where the best answer to it was this one: a failure as of a call.

    That time ran out is never told so (RFC 4320 4.2).
    """
    return code if code < 300 or (_is_theirs(code) and code != _OUT_OF_TIME) else DEFAULTS["failure"]


def _is_theirs(code: int) -> bool:
    """Whether this is a failure of whoever was called, and for the caller to know."""
    return code // 100 in (4, 6) and code not in _ASKS_WHO


def load(path: str | Path, files: Files | None = None) -> Policy:
    """Load a policy with all its files, which are noted in `files`, whatever comes of it.

    Raises PolicyError with every problem, or OSError for the script itself.
    """
    path, files = Path(path), files or Files()
    script = read_script(path, files)
    problems: list[Problem] = []
    loaded = load_setup(script, path, problems, files)
    checked = check(script, loaded.setup)
    problems += checked.problems
    if problems:
        raise PolicyError(problems, [*checked.warnings, *checked.notices])
    return Policy(script, path, loaded.setup, loaded.version, checked.warnings, checked.notices)
