"""Hundreds of runs of the whole world, one seed each; `SIM_SEEDS=5000` runs more of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from .ladder import draw_ladder
from .profile import KINDS
from .report import explain
from .rules import check
from .world import World

SEEDS = int(os.environ.get("SIM_SEEDS", "300"))
CHUNK = 20
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_rule_holds_whatever_the_seed(first: int) -> None:
    failures = []
    for seed in range(first, min(first + CHUNK, SEEDS)):
        world = World(seed)
        try:
            world.run()
        except BaseException as error:
            error.add_note(explain(world, world.violations))
            raise
        violations = check(world)
        if violations:
            failures.append(explain(world, violations))
    assert not failures, "\n\n".join(failures[:2])


@pytest.mark.parametrize("seed", [KINDS.index("clean"), KINDS.index("everything")])
def test_the_same_seed_gives_the_same_run(seed: int) -> None:
    transcripts = []
    for _ in range(2):
        world = World(seed)
        world.run()
        transcripts.append(draw_ladder(world.link.passages))
    assert transcripts[0] == transcripts[1]


def test_a_run_does_not_depend_on_the_order_of_hashes() -> None:
    seed = str(KINDS.index("everything"))
    transcripts = [
        subprocess.run(
            [sys.executable, "-m", "tests.sim", seed],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert transcripts[0] == transcripts[1]
    assert "packets" in transcripts[0]


def test_the_worlds_are_not_idle() -> None:
    answered = refused = 0
    looked: Counter[str] = Counter()
    told: Counter[int] = Counter()
    guesses: Counter[int] = Counter()
    unheard = 0
    for seed in range(4 * len(KINDS)):
        world = World(seed)
        world.run()
        answered += sum(record.answer is not None for record in world.records)
        refused += sum(record.answer is None for record in world.records)
        looked.update(world.listening.looked)
        told.update(written.final for written in world.writing.written.values())
        guesses.update(world.guesser.statuses)
        unheard += world.guesser.unanswered
    assert answered > 20 * len(KINDS)
    assert refused > 20 * len(KINDS)
    assert looked["talk"] > 100
    assert min(told[status] for status in (200, 202, 480, 486, 413)) > 10
    assert min(looked["music"], looked["nothing"]) > 10
    assert min(guesses[401], unheard) > 10 * len(KINDS)
