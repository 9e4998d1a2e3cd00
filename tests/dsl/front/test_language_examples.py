"""The two policies by which the language was designed, and how wide those are that are shipped."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.dsl.front.golden import problems_of

LANGUAGE = Path(__file__).with_name("language")
EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def language(tmp_path: Path) -> Path:
    for file in LANGUAGE.iterdir():
        shutil.copy(file, tmp_path)
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("pstn: {password: x}\n")
    secrets.chmod(0o600)
    (tmp_path / "sounds").mkdir()
    shutil.copy(EXAMPLES / "office" / "sounds" / "jazz.wav", tmp_path / "sounds")
    return tmp_path


def test_the_small_office_is_sound(language: Path) -> None:
    assert problems_of(language / "small-office.route") == ([], [])


def test_the_carriers_edge_is_sound(language: Path) -> None:
    assert problems_of(language / "carrier-edge.route") == ([], [])


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("**/*.route")), ids=lambda path: path.stem)
def test_every_rule_of_a_shipped_example_can_be_read_in_one_line(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert max(len(line) for line in lines if not line.lstrip().startswith("#")) <= 110
    assert max(map(len, lines)) <= 120
