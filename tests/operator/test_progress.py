"""What is said while something takes long: on a terminal, in one line that goes away."""

from __future__ import annotations

import io
import threading
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from b2bua.operator import policy_file, progress
from b2bua.operator.policy_file import check_policy, load_policy
from b2bua.operator.progress import Bar, reading
from dsl.files import Files
from dsl.policy import Policy, load

OFFICE = Path(__file__).parents[2] / "examples" / "office" / "office.route"


class Screen(io.StringIO):
    """A terminal of the test's own, which says when it is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("COLUMNS", "60")
    return Screen()


def test_the_file_that_takes_long_is_named(screen: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.0)
    files = Files()
    files.note(tmp_path.parent / "first.csv")
    files.note(Path("/dids.csv"))
    with redirect_stderr(screen), reading(files):
        assert screen.written.wait(30)
    drawn = screen.getvalue().split("\r")
    assert drawn[1] == "reading /dids.csv, 0 s\x1b[K"
    assert drawn[-1] == "\x1b[K"


def test_what_is_quick_says_nothing(screen: Screen) -> None:
    with redirect_stderr(screen):
        load_policy(OFFICE, shown=True)
    assert screen.getvalue() == ""


def test_a_bar_tells_how_far_it_is_and_goes_away(screen: Screen) -> None:
    times = iter([0.0, 0.05, 2.0, 2.01])
    bar = Bar(lambda: next(times))
    with redirect_stderr(screen):
        for done in (500, 1_000, 1_500):
            bar(done, 4_000)
        bar.end()
    assert screen.getvalue() == f"\r[{'#' * 6}{'-' * 18}] 25 %  1,000 of 4,000, 6 s left\x1b[K\r\x1b[K"


def test_a_bar_that_was_never_drawn_takes_nothing_away(screen: Screen) -> None:
    with redirect_stderr(screen):
        Bar().end()
    assert screen.getvalue() == ""


@pytest.mark.parametrize("shown", [True, False])
def test_a_terminal_sees_it_only_where_that_is_wanted(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    """With --json it is not. Loading goes on for as long as the test wants."""
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.0)

    def slow(path: Path, files: Files | None) -> Policy:
        loaded = load(path, files)
        if shown:
            assert screen.written.wait(30)
        return loaded

    monkeypatch.setattr(policy_file, "load", slow)
    with redirect_stderr(screen):
        assert check_policy(OFFICE, shown=shown).policy is not None
    assert ("reading " in screen.getvalue()) == shown
