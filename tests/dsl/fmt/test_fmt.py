"""What the formatter promises: the same tree, every comment, nothing to do the second time."""

from pathlib import Path
from random import Random

import pytest

from dsl.diagnostics import PolicyError
from dsl.fmt import formatted, hold_same, shape
from dsl.parser import parse
from dsl.reading import Reading
from tests.build import ROOT
from tests.dsl.generated import policy

ROUTES = sorted(
    path
    for folder in ("examples", "scripts", "tests")
    for path in (ROOT / folder).rglob("*.route")
    if not {"errors", "mistakes"} & set(path.relative_to(ROOT).parts)
)
GAPS = ("", " ", "  ", "\t", "\n", "\n\n\n\n", "\r\n", "# {0}\n", '\n  # {0} }} "\n', " #{0}  \r\n\n\n# {0} ->\n")


def mangled(text: str, random: Random) -> tuple[str, list[str]]:
    """The same policy with other white space and with comments, and these comments."""
    reading = Reading(text)
    parts: list[str] = []
    comments: list[str] = []
    end = 0
    while (piece := reading.next()) is not None:
        reading.take(piece)
        may_touch = piece.start == end
        kinds = (" ", "", "\n") if random.random() < 0.8 else GAPS
        gap = random.choice(kinds).format(len(parts))
        parts.append(gap or ("" if may_touch else " "))
        comments += [line[line.index("#") :].rstrip() for line in gap.split("\n") if "#" in line]
        parts.append(text[piece.start : piece.end])
        end = piece.end
    parts.append("  # the end")
    return "".join(parts), [*comments, "# the end"]


def comments_of(text: str) -> list[str]:
    """All comments of a script whose texts hold no `#`."""
    return [line[line.index("#") :].rstrip() for line in text.split("\n") if "#" in line]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_it_looked_like_it_says_the_same(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    text = policy(seed, tmp_path, tests=True, size=3).text
    wild, comments = mangled(text, random)
    made = formatted(wild, "wild.route")
    assert shape(parse(made, "x").declarations) == shape(parse(text, "x").declarations)
    assert comments_of(made) == comments
    assert formatted(made, "wild.route") == made
    assert not any(line != line.rstrip() for line in made.split("\n"))
    assert "\n\n\n" not in made


@pytest.mark.parametrize("seed", range(4))
def test_all_that_a_policy_may_say_is_not_wider_than_a_line(tmp_path: Path, seed: int) -> None:
    made = formatted(policy(seed, tmp_path, tests=True).text, "wide.route")
    assert [line for line in made.split("\n") if len(line) > 100 and line.count(" ", 12)] == []


@pytest.mark.parametrize("path", ROUTES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_policy_here_is_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text, path.name) == text, "run `b2bua fmt` on it"


def test_nothing_stays_nothing() -> None:
    assert formatted("", "x") == ""
    assert formatted("\ufeff\r\n\n", "x") == ""
    assert formatted("\n\n# alone\n\n\n", "x") == "# alone\n"


def test_what_cannot_be_read_is_told_as_check_tells_it() -> None:
    with pytest.raises(PolicyError) as refused:
        formatted("on call {\n  otherwise -> rejekt 404\n}\n", "bad.route")
    assert "bad.route:2:16: error: unknown word `rejekt`" in str(refused.value)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ('policy "x"\ndomain\n# c\n', "it could not be read any more"),
        ('policy "y"\ndomain a.example\n# c\n', "it would mean something else"),
        ('domain a.example\npolicy "x"\n# c\n', "it would mean something else"),
        ('policy "x"\ndomain a.example\n', "a comment would be lost"),
    ],
)
def test_what_says_something_else_is_not_handed_out(made: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        hold_same(parse('policy "x" domain a.example # c\n', "x.route"), made)
