"""Sentences of a test that stand by themselves: an argument each, or a line each.

Owns reading them for one policy. What is wrong with one is told at its place in the sentence itself, as of a script.
What sentences bring about is `scene`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dsl import tree
from dsl.check.report import Report
from dsl.check.scenarios import check_scenarios
from dsl.check.values import Values
from dsl.diagnostics import PolicyError, Problem, Source
from dsl.parser import parse
from dsl.policy import Policy
from dsl.resolve import resolve
from dsl.tree import Span

_BEFORE = 'test "" {\n'
_LINE = 2
_EXAMPLES = "write such as `call from alice to bob` or `register alice`"
BEGINNING = tree.CallStep | tree.RegisterStep | tree.MessageStep
"""Sentences that need nothing before them."""

_TOLD_ANYWAY = "leave it out: what comes of it is told"
_NOWHERE = Span("", 0, 0, 0, 0)


class Sentence(msgspec.Struct, frozen=True):
    """What was said, and where: `said` names the argument or the file, `line` counts from 1."""

    text: str
    said: str
    line: int = 1


class Said(msgspec.Struct, frozen=True):
    """A sentence, and the step that it is."""

    sentence: Sentence
    step: tree.Happening | tree.Given

    def problem(self, node: tree.Node, message: str, advice: str | None = None) -> Problem:
        """A problem with a part of it."""
        return _told(Source(_around(self.sentence)).problem(node.span, message, advice), self.sentence)


def read_sentences(policy: Policy, sentences: Iterable[Sentence]) -> tuple[Said, ...]:
    """The steps of these sentences, at least one of which says that something happens.

    Raises PolicyError with every problem.
    """
    problems: list[Problem] = []
    # Line ends inside of a sentence separate, as anywhere in a script.
    plain = [msgspec.structs.replace(item, text=" ".join(item.text.splitlines())) for item in sentences]
    steps = [_read(sentence, number, problems) for number, sentence in enumerate(plain)]
    said = tuple(Said(sentence, step) for sentence, step in zip(plain, steps, strict=True) if step is not None)
    if not problems:
        problems += _misunderstood(policy, said)
    if not problems:
        problems += _out_of_place(said)
    if problems:
        raise PolicyError(problems)
    return said


def _around(sentence: Sentence) -> str:
    return f"{_BEFORE}{sentence.text}\n}}"


def _read(sentence: Sentence, number: int, problems: list[Problem]) -> tree.Happening | tree.Given | None:
    """The step; its places are in a file that has the sentence's number for a name."""
    text = sentence.text
    try:
        declarations = parse(_around(sentence), str(number)).declarations
    except PolicyError as error:
        problems += (_told(problem, sentence) for problem in error.problems)
        return None
    match declarations:
        case (tree.Test(steps=(step,)),):
            if not isinstance(step, tree.Expectation):
                return step
            problem = Source(_around(sentence)).problem(step.span, "nothing is expected here", _TOLD_ANYWAY)
            problems.append(_told(problem, sentence))
            return None
        case (tree.Test(steps=()),):
            what = "this says nothing"
        case _:
            what = "this is more than one sentence"
    problems.append(Problem(sentence.said, sentence.line, 1, max(1, len(text)), what, text, _EXAMPLES))
    return None


def _told(problem: Problem, sentence: Sentence) -> Problem:
    """A problem of the text around a sentence as one of the sentence: what is missing is missing at its end."""
    if problem.line != _LINE:
        end = len(sentence.text.rstrip()) + 1
        problem = msgspec.structs.replace(problem, column=end, length=1, text=sentence.text)
    return msgspec.structs.replace(problem, file=sentence.said, line=sentence.line)


def _misunderstood(policy: Policy, said: Sequence[Said]) -> list[Problem]:
    """What is wrong with names, types and the order of the steps, as in a test that has them all."""
    known = [item for item in policy.script.declarations if not isinstance(item, tree.On | tree.Sub | tree.Test)]
    test = tree.Test(_NOWHERE, tree.Text(_NOWHERE, ""), tuple(item.step for item in said))
    texts = tuple(tree.Included("", str(number), _around(item.sentence)) for number, item in enumerate(said))
    script = msgspec.structs.replace(policy.script, declarations=(*known, test), included=texts)
    report = Report(script)
    names = resolve(script, policy.users, report.problems)
    check_scenarios(script, Values(names, policy.setup, report), report)
    # That it expects nothing is told of the test's title, which nobody wrote.
    found = [problem for problem in report.problems if problem.file != _NOWHERE.file]
    return [_told(problem, said[int(problem.file)].sentence) for problem in found]


def _out_of_place(said: Sequence[Said]) -> list[Problem]:
    if not said or any(isinstance(item.step, BEGINNING) for item in said):
        return []
    return [said[-1].problem(said[-1].step, "nothing happens here", f"add a sentence, {_EXAMPLES[6:]}")]
