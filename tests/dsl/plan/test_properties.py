"""The replay does not lie: the same policy decides every recorded call alike, and of a changed one it says what that
really decides in the same world, or that it cannot know.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from dsl.diagnostics import PolicyError
from dsl.plan.recorded import version_of
from dsl.plan.replay import Different, Replay, Unknown
from dsl.policy import Policy
from tests.dsl.generated import GeneratedPolicy
from tests.dsl.generated import policy as generate

from . import traffic

SEEDS = range(60)
CALLS = 12
_RULE = re.compile(r"^ +(when|also when) .*->")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_policy_that_decided_a_call_decides_it_alike(seed: int, tmp_path: Path) -> None:
    generated = generate(seed, tmp_path)
    policy = generated.compiled(tmp_path)
    replay = Replay(policy, {policy.hash: version_of(policy, 0.0)})
    for call in traffic.calls(generated, policy, Random(seed), CALLS):
        assert replay.of(call.recorded) is None


def test_of_a_changed_policy_it_is_said_what_that_would_decide(tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    for seed in SEEDS[:14]:
        folder = tmp_path / str(seed)
        folder.mkdir()
        random = Random(seed)
        generated = generate(seed, folder)
        policy = generated.compiled(folder)
        calls = list(traffic.calls(generated, policy, random, CALLS))
        for changed in changes(generated, folder, random):
            replay = Replay(changed, {policy.hash: version_of(policy, 0.0)})
            for call in calls:
                result = replay.of(call.recorded)
                truth = traffic.first_difference(call, policy, changed)
                events = list(call.recorded.events)
                if result is None:
                    assert truth is None, (seed, call.recorded)
                elif isinstance(result, Different):
                    assert truth == events.index(result.event), (seed, call.recorded, result)
                else:
                    assert truth is None or truth >= events.index(result.event), (seed, call.recorded, result)
                found["same" if result is None else type(result).__name__] += 1
    assert min(found["same"], found[Different.__name__]) > 20, found
    assert found[Unknown.__name__], found


def changes(generated: GeneratedPolicy, folder: Path, random: Random) -> list[Policy]:
    """The policy with rules left out, rules moved, a trunk, limit or group changed, as far as that leaves a policy."""
    lines = generated.text.split("\n")
    rules = [number for number, line in enumerate(lines) if _RULE.match(line)]
    texts = []
    for number in random.sample(rules, min(3, len(rules))):
        texts.append("\n".join(lines[:number] + lines[number + 1 :]))
        texts.append("\n".join([*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]))
    texts.append(generated.text.replace("sip:gw.example", "sip:other.example", 1))
    texts.append(re.sub("40 per 1h|9 at once", "7 at once", generated.text))
    texts.append(re.sub(r"channels \d+", "channels 3", generated.text))
    texts.append(generated.text.replace(" in turn = ", " in order = "))
    texts.append(generated.text.replace(" in order = ", " in turn = "))
    texts.append(generated.text.replace("number e164", "number plain").replace("trusted", ""))
    made = []
    for text in texts:
        (folder / "generated.route").write_text(text, encoding="utf-8")
        try:
            made.append(generated.compiled(folder))
        except (PolicyError, KeyError):
            continue
    return made
