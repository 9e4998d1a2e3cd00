"""Of very many rules that no beginning tells apart the nearest are looked at together: what they say is still seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.diagnostics import PolicyError
from dsl.policy import load

HEAD = """policy "many"
domain many.example
users staff from "users.yaml"
trunk pstn { uri "sip:gw.example" }
on register { otherwise -> reject 403 }
on call {
"""


def policy(folder: Path, rules: int, last: str) -> Path:
    """A policy of so many rules that ask for two things each, and one more."""
    (folder / "users.yaml").write_text("alice: {password: secret}\n")
    written = "".join(f'  when dialed == "{n}" or header "X-To" == "{n}" -> reject 486\n' for n in range(rules))
    path = folder / "many.route"
    path.write_text(f"{HEAD}{written}  {last}\n  otherwise -> reject 404\n}}\n")
    return path


def test_a_rule_below_them_all_can_match(tmp_path: Path) -> None:
    assert load(policy(tmp_path, 70, 'when dialed == "70" -> reject 410')).name == "many"


def test_a_rule_that_the_nearest_takes_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="this rule can never match"):
        load(policy(tmp_path, 70, 'when dialed == "69" -> reject 410'))


def test_a_stranger_who_gets_past_them_is_seen(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="anyone can choose"):
        load(policy(tmp_path, 200, "when dialed matches `0X(6)` or anonymous -> dial dialed via pstn"))
