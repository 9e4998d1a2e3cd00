"""`b2bua explain`: why a call goes as it goes, for eyes and as JSON.

Owns where sentences come from, and whether the policy is explained here or by a running server. What is told is
`dsl.explain`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from b2bua.operator.policy_file import load_policy
from b2bua.operator.script_argument import NotUnderstoodError
from dsl.diagnostics import PolicyError
from dsl.explain import Explanation, Sentence, explain, explanation_text

_FROM_INPUT = "-"


def run_explain(path: Path, arguments: Iterable[str], live: bool, state: Path, as_json: bool) -> None:
    """The whole command.

    Raises PolicyError for a policy that cannot be used, NotUnderstoodError for a sentence that cannot be understood,
    and Refused or ServerError where a server is asked.
    """
    sentences = list(_sentences(arguments))
    if not sentences:
        raise NotUnderstoodError("nothing was said: write such as `call from alice to bob`, a line each")
    notes: tuple[str, ...] = ()
    if live:
        explanation, notes = _from_server(path, sentences, state)
    else:
        policy = load_policy(path, shown=not as_json)
        try:
            explanation = explain(policy, sentences)
        except PolicyError as error:
            raise NotUnderstoodError(str(error)) from None
    if as_json:
        shown = {**msgspec.to_builtins(explanation), "notes": notes}
        print(msgspec.json.format(msgspec.json.encode(shown)).decode())
    else:
        print("\n".join((*notes, explanation_text(explanation))))


def _sentences(arguments: Iterable[str]) -> Iterator[Sentence]:
    """Each argument, and for `-` each line of standard input that is neither empty nor a comment."""
    for number, argument in enumerate(arguments, 1):
        if argument != _FROM_INPUT:
            yield Sentence(argument, f"sentence {number}")
            continue
        for line, text in enumerate(sys.stdin, 1):
            if text.strip() and not text.lstrip().startswith("#"):
                yield Sentence(text.rstrip("\n"), "standard input", line)


def _from_server(path: Path, sentences: Iterable[Sentence], state: Path) -> tuple[Explanation, tuple[str, ...]]:
    """What the version in force says now; and what somebody should know who thinks of the file at `path`."""
    from b2bua.io.explaining import Answer
    from b2bua.io.requests import Explain
    from b2bua.operator.client import ask

    said = tuple((item.text, item.said, item.line) for item in sentences)
    answer = msgspec.convert(ask(state, Explain(said)), Answer)
    if answer.explanation is None:
        raise NotUnderstoodError("\n".join(answer.problems))
    notes = [_compared(path, answer.explanation.version)]
    if answer.trial_percent is not None:
        notes.append(f"{answer.trial_percent} % of new calls follow another version, which is on trial")
    return answer.explanation, tuple(note for note in notes if note)


def _compared(path: Path, in_force: str) -> str:
    try:
        version = load_policy(path).hash
    except PolicyError:
        return f"{path} is not what is in force: it has errors, of which `b2bua check` tells"
    return "" if version == in_force else f"{path} is not what is in force: it is version {version}"
