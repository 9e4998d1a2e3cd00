"""`b2bua plan`: what a changed policy would have done with the calls that were, for eyes and as JSON.

Owns going through all calls, and the words of the summary. What is found of each is `dsl.plan`'s.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from b2bua.operator.history import FileHistory, History, KeptHistory
from b2bua.operator.policy_file import load_policy
from b2bua.operator.progress import Bar
from dsl.plan.summary import Example, Group, Planning, Rule, Summary
from dsl.policy import Policy

_EVERY = 500
_MOST_GROUPS = 20
_MOST_NAMES = 10


def plan(policy: Policy, history: History, progress: Callable[[int, int], None] | None) -> Summary:
    """Decide everything again. `progress` hears now and then how much of how much is done. Raises ServerError."""
    planning = Planning(policy, history.versions)
    total = 0 if progress is None else history.count()
    for done, call in enumerate(history.calls(), 1):
        planning.add(call)
        if progress is not None and done % _EVERY == 0:
            progress(done, total)
    return planning.summary


def plan_text(policy: Policy, summary: Summary) -> str:
    """The summary for eyes."""
    lines = [
        f"{policy.path}: version {policy.hash}, on {_many(summary.calls, 'recorded call')}",
        f"same {summary.same:,}, different {summary.different:,}, unknown {summary.unknown:,}",
    ]
    for group in summary.groups[:_MOST_GROUPS]:
        lines += ["", f"{group.calls:,}  {group.change}", *_group(group)]
    lines += _left_out(summary.groups)
    if summary.groups:
        lines += ["", f"by caller: {_names(summary.callers)}"]
        lines += [f"by trunk: {_names(summary.trunks)}"] if summary.trunks else []
    for group in summary.unknowns[:_MOST_GROUPS]:
        lines += ["", f"{group.calls:,}  unknown, for want of `{group.change}`", *_group(group)]
    return "\n".join(lines + _left_out(summary.unknowns))


def plan_json(policy: Policy, summary: Summary) -> bytes:
    """The same for programs, whole."""
    shown = {"policy": policy.name, "file": str(policy.path), "version": policy.hash, **msgspec.to_builtins(summary)}
    return msgspec.json.format(msgspec.json.encode(shown))


def _group(group: Group) -> list[str]:
    lines = [f"    was {_rule(group.before)}"]
    lines += [f"    now {_rule(group.after)}"] if group.after is not None else []
    return lines + [f"    {_example(example)}" for example in group.examples]


def _rule(rule: Rule) -> str:
    return f"{rule.place}: {rule.text}" if rule.place else "no rule, so the default"


def _example(example: Example) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(example.time))
    event = "" if example.event == "call" else f" ({example.event})"
    would = f", would be: {example.would}" if example.would else ""
    return f"{when}  {example.caller} to {example.dialed or 'nobody'}{event}: {example.was}{would}"


def _names(counts: Mapping[str, int]) -> str:
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:_MOST_NAMES]]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f", and {more:,} more" if more else "")


def _left_out(groups: list[Group]) -> list[str]:
    left = groups[_MOST_GROUPS:]
    return ["", f"and {_many(sum(group.calls for group in left), 'call')} in {len(left)} more groups"] if left else []


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def run_plan(path: Path, against: Path | None, since: float, state: Path, as_json: bool, allow_unknown: bool) -> int:
    """The whole command; what it exits with: 0 where nothing would be otherwise, else 1.

    What is unknown counts as otherwise unless `allow_unknown`. Raises PolicyError or ServerError.
    """
    policy = load_policy(path, shown=not as_json)
    history: History = KeptHistory(state, since) if against is None else FileHistory(against, since)
    bar = Bar() if sys.stderr.isatty() and not as_json else None
    summary = plan(policy, history, bar)
    if bar is not None:
        bar.end()
    print(plan_json(policy, summary).decode() if as_json else plan_text(policy, summary))
    return int(summary.different > 0 or (summary.unknown > 0 and not allow_unknown))
