"""A version that nobody follows any more is let go of, bit by bit, and only then."""

import weakref
from itertools import pairwise

import trio

from b2bua.io.remains import BIT, LOOK_SECONDS, Remains
from dsl.policy import load

SCRIPT = """policy "remains"
domain x.example
users staff from "users.yaml"
table names from "names.csv" key text
on register { otherwise -> reject 405 }
on call { otherwise -> reject 404 }
"""


class Word(str):
    """A text whose end can be seen."""

    __slots__ = ("__weakref__",)


async def test_what_a_version_had_goes_bit_by_bit_when_the_version_has_ended(tmp_path, autojump_clock, nursery):
    (tmp_path / "remains.route").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "users.yaml").write_text("alice: {password: a}\n", encoding="utf-8")
    (tmp_path / "names.csv").write_text("name,to\n", encoding="utf-8")
    policy = load(tmp_path / "remains.route")
    words = [Word(number) for number in range(6 * BIT)]
    policy.setup.tables["names"].rows.update((word, ("x",)) for word in words)
    ends = [weakref.ref(word) for word in words]
    del words
    remains = Remains()
    remains.watch(policy)
    nursery.start_soon(remains.run)
    await trio.sleep(1.5 * LOOK_SECONDS)
    del policy
    assert all(end() is not None for end in ends)
    await trio.sleep(0.5 * LOOK_SECONDS)
    left = []
    while any(end() is not None for end in ends):
        left.append(sum(end() is not None for end in ends))
        assert len(left) < 40
        await trio.lowlevel.checkpoint()
    # Two bits at most: tasks of one turn run in any order, so that this one may look before one and after the next.
    assert all(before - after <= 2 * BIT for before, after in pairwise(left)), left
    assert len(left) > 2


async def test_what_another_still_has_stays(tmp_path, autojump_clock, nursery):
    (tmp_path / "remains.route").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "users.yaml").write_text("alice: {password: a}\n", encoding="utf-8")
    (tmp_path / "names.csv").write_text("name,to\n", encoding="utf-8")
    policy = load(tmp_path / "remains.route")
    credentials = policy.directory.credentials
    remains = Remains()
    remains.watch(policy)
    nursery.start_soon(remains.run)
    del policy
    await trio.sleep(2 * LOOK_SECONDS)
    assert list(credentials) == ["alice"]
