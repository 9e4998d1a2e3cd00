"""Nodes of blocks: decisions end a path, actions are done on the way, rules choose between them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dsl.tree.basics import Code, Duration, Integer, Name, Node, Span, Text
from dsl.tree.values import Attribute, Condition, Expression


class Despite(Node, frozen=True):
    """`despite "reason"`: what `check` would refuse here is meant so."""

    reason: Text


# Decisions: what ends a path


class Challenge(Node, frozen=True):
    """Ask who it is."""

    despite: Despite | None = None


class Accept(Node, frozen=True):
    """Let the phone register, with at most so many contacts, for a time within bounds."""

    max_contacts: Integer | None
    min_expires: Duration | None
    max_expires: Duration | None
    despite: Despite | None = None


class Reject(Node, frozen=True):
    """Answer with a failure."""

    code: Code
    reason: Text | None
    despite: Despite | None = None


class Redirect(Node, frozen=True):
    """Answer 3xx with this Contact."""

    code: Code
    target: Expression
    despite: Despite | None = None


class Party(Node, frozen=True):
    """Whom to call: a user, or a number through a trunk, a group of trunks, or what a table's column names of these."""

    target: Expression
    trunk: Name | Attribute | None


class Step(Node, frozen=True):
    """Parties that ring together. `after` is how the step follows the one before; the first has `then`."""

    after: Literal["then", "else"]
    parties: tuple[Party, ...]
    duration: Duration | None
    progress: Duration | None
    despite: Despite | None = None


class Outcome(Node, frozen=True):
    """`busy, no-answer -> reject 486` inside a dial: what follows when it ends in one of these ways."""

    kinds: tuple[Name, ...]
    body: Block

    @property
    def written(self) -> str:
        """The rule as it is written, without its body."""
        return ", ".join(kind.text for kind in self.kinds)


class Dial(Node, frozen=True):
    """`dial`, or `forward` (`forwarded`), which tells the caller with the status `notify`, if given.

    `despite` stands after that; one that stands before it is that of the last step.
    """

    forwarded: bool
    steps: tuple[Step, ...]
    notify: Code | None
    outcomes: tuple[Outcome, ...]
    despite: Despite | None = None


class Do(Node, frozen=True):
    """Go on in a sub; it decides."""

    sub: Name
    arguments: tuple[Expression, ...]


class Answer(Node, frozen=True):
    """Take the call ourselves: `answer echo`, `answer tone`, `answer play SOUND [loop]`."""

    service: Name
    sound: Name | None
    loop: bool
    despite: Despite | None = None


class Continue(Node, frozen=True):
    """Pass it on as it is (hold, resume)."""


class Play(Node, frozen=True):
    """Music to a party that is held: `held` in a rule, the party itself in an expectation."""

    sound: Name
    party: Expression
    loop: bool


class Transfer(Node, frozen=True):
    """Let a transfer go to this party."""

    party: Party
    duration: Duration | None
    despite: Despite | None = None


class Deliver(Node, frozen=True):
    """Hand a MESSAGE to a user."""

    target: Expression
    despite: Despite | None = None


Decision: TypeAlias = Challenge | Accept | Reject | Redirect | Dial | Do | Answer | Continue | Play | Transfer | Deliver


# Actions: what is done on the way, and ends nothing


class Tag(Node, frozen=True):
    """Mark the call's record."""

    name: Name
    value: Expression


class Log(Node, frozen=True):
    """Write a line for the operator."""

    text: Expression


class SetHeader(Node, frozen=True):
    """Give the called side a header: `set header "N" to X`."""

    name: Text
    value: Expression


class StripHeader(Node, frozen=True):
    """Keep a header from the called side."""

    name: Text


class Media(Node, frozen=True):
    """Choose how the media of the call flows: direct, relay or auto."""

    choice: Name


Action: TypeAlias = Tag | Log | SetHeader | StripHeader | Media


# Rules


class When(Node, frozen=True):
    """If the condition holds, the body decides. `head` is the rule without its body."""

    condition: Condition
    body: Block
    head: Span


class AlsoWhen(Node, frozen=True):
    """If the condition holds, the body's actions are done; the next statement is tried in any case."""

    condition: Condition
    body: Block
    head: Span


class Otherwise(Node, frozen=True):
    """What is left."""

    body: Block
    head: Span


Statement: TypeAlias = When | AlsoWhen | Otherwise | Decision | Action


class Block(Node, frozen=True):
    """Statements in file order, first match. `-> a, b` is a block too; `end` is where it is left."""

    statements: tuple[Statement, ...]
    end: Span


def head_of(statement: Statement) -> Span:
    """The place of a statement, without the body of a rule."""
    return statement.head if isinstance(statement, When | AlsoWhen | Otherwise) else statement.span
