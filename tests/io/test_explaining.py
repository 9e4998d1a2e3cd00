"""A call explained by a running server: the version in force, with what it knows, and nothing is counted for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from b2bua.io.explaining import Answer
from b2bua.io.requests import Explain, Reload
from b2bua.operator.main import main

from .test_server import POLICY, Bench, bench, change, status

__all__ = ["bench"]

LIMITED = POLICY.replace(
    "on call {", "limit calls = 1 per 1h for each source\non call {\n  when over calls -> reject 503"
)


async def explained(bench: Bench, *sentences: str) -> Answer:
    request = Explain(tuple((text, f"sentence {number}", 1) for number, text in enumerate(sentences, 1)))
    answer = await bench.server.commands.act(request)
    assert isinstance(answer, Answer)
    return answer


async def decisions(bench: Bench, *sentences: str) -> list[str]:
    explanation = (await explained(bench, *sentences)).explanation
    assert explanation is not None
    return [event.decision for event in explanation.events]


async def test_it_knows_who_is_registered(bench: Bench) -> None:
    call = "call from anyone to alice source 127.0.0.1"
    assert await decisions(bench, call) == ["dial alice", "reject 480"]
    await bench.register()
    assert await decisions(bench, call) == ["dial alice"]
    assert await decisions(bench, call, "given alice is not registered") == ["dial alice", "reject 480"]


async def test_it_knows_limits_and_takes_nothing_from_them(bench: Bench) -> None:
    change(bench, LIMITED)
    await bench.server.commands.act(Reload())
    call = "call from anyone to alice source 127.0.0.1"
    for _ in range(3):
        assert (await decisions(bench, call))[0] == "dial alice"
    counters = (await status(bench))["counters"]
    await bench.ring()
    assert await decisions(bench, call) == ["reject 503"]
    assert counters.get("calls") is None


async def test_a_sentence_that_is_wrong_is_told_with_its_caret(bench: Bench) -> None:
    answer = await explained(bench, "call from anyone to alice", "given alise is busy")
    assert answer.explanation is None
    assert answer.problems[0].splitlines() == [
        "sentence 2:1:7: error: nothing here is called `alise`",
        "  given alise is busy",
        "        ^^^^^ did you mean `alice`?",
    ]


async def b2bua(bench: Bench, *arguments: str | Path) -> Result:
    whole = ["explain", str(bench.script), *map(str, arguments), "--live", "--state", str(bench.plan.state)]
    return await trio.to_thread.run_sync(CliRunner().invoke, main, whole)


async def test_it_is_the_version_in_force_that_is_explained(bench: Bench) -> None:
    version = bench.plan.policy.hash
    done = await b2bua(bench, "call from anyone to alice source 127.0.0.1")
    assert done.stdout.splitlines()[0] == (
        "call from anyone to alice source 127.0.0.1: it goes to alice for 20s (lab.route:11:3)"
    )
    assert f"lab.route, as the server has it now, by the version in force {version}" in done.stdout
    change(bench, POLICY.replace("dial alice", "dial bob"))
    done = await b2bua(bench, "call from anyone to alice source 127.0.0.1")
    assert done.stdout.startswith(f"{bench.script} is not what is in force: it is version ")
    assert "it goes to alice" in done.stdout
    await bench.server.commands.act(Reload(20))
    done = await b2bua(bench, "call from anyone to alice source 127.0.0.1")
    assert "20 % of new calls follow another version, which is on trial" in done.stdout
    change(bench, "policy")
    done = await b2bua(bench, "call from anyone to alice source 127.0.0.1")
    assert "it has errors, of which `b2bua check` tells" in done.stdout
    assert done.exit_code == 0


@pytest.mark.parametrize("sentence", ["call form anyone", "expect challenge"])
async def test_a_sentence_that_is_wrong_is_not_understood(bench: Bench, sentence: str) -> None:
    done = await b2bua(bench, sentence)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "sentence 1:1:" in done.stderr
