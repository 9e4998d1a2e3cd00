"""docs/language.md as data: its headings, its tables, its blocks; and each example as a whole policy.

Tables are read by `dsl.editor.reference`, for editors show them. An example is a block, or a code span under `for
example` in a table. A file is shown in the block after a line that ends in its name: "`users.yaml`:". `office.route`
among them is the office of which all examples are: to an example that is no whole policy its declarations are added,
except those that the example makes itself. They stand behind it, so that lines stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from dsl import tree
from dsl.diagnostics import PolicyError, Problem
from dsl.editor.reference import Row, code, rows_of
from dsl.parser import parse
from dsl.policy import load
from dsl.reading import Reading
from dsl.vocabulary import FACT_NAMES, FACTS, GOES_ON

PAGE = Path(__file__).resolve().parents[1] / "docs" / "language.md"

_FILE = re.compile(r"`([\w./-]+\.[a-z]+)`:$")


class Block(msgspec.Struct, frozen=True):
    """A fenced block: of which language, the file that it shows (or empty), and what stands in it."""

    language: str
    file: str
    text: str
    line: int


class Page:
    """The whole document; `rules` are those that stand in its sentences, each with its line."""

    def __init__(self, text: str) -> None:
        self.headings: list[str] = []
        self.blocks: list[Block] = []
        self.rows: list[Row] = list(rows_of(text))
        self.rules: list[tuple[str, int]] = []
        lines = iter(enumerate(text.splitlines(), 1))
        said = ""
        self._sections: dict[str, list[str]] = {}
        for number, line in lines:
            if line.startswith("```"):
                inside = []
                for _, content in lines:
                    if content.startswith("```"):
                        break
                    inside.append(f"{content}\n")
                file = _FILE.search(said)
                self.blocks.append(Block(line[3:], file[1] if file else "", "".join(inside), number))
            elif line.startswith("#"):
                self.headings.append(line.lstrip("# "))
            elif line.startswith("|"):
                continue
            said = line or said
            self.rules += [(span, number) for span in code(line) if re.search(r"\w -> \w", span)]
            if self.headings:
                self._sections.setdefault(self.headings[-1], []).append(line)

    def of(self, kind: str) -> list[Row]:
        """The rows of the tables of a kind."""
        return [row for row in self.rows if row.kind == kind]

    def section(self, heading: str) -> str:
        """The sentences under a heading."""
        return "\n".join(self._sections[heading])

    def files(self) -> dict[str, str]:
        """The files that are shown, by name; of some only how they differ from another."""
        found = {block.file: block.text for block in self.blocks if block.file}
        for block in self.blocks:
            if block.language == "diff":
                old, new, *lines = block.text.splitlines()
                text = found[old.removeprefix("--- ")]
                for before, after in zip(lines[::2], lines[1::2], strict=True):
                    assert text.count(before[1:]) == 1, before
                    text = text.replace(before[1:], after[1:])
                found[new.removeprefix("+++ ")] = text
        return found

    def console(self) -> list[Block]:
        return [block for block in self.blocks if block.language == "console"]

    def refused(self) -> set[str]:
        """Files that are shown because something is wrong with them."""
        told = "".join(block.text for block in self.console())
        return {name for name in self.files() if re.search(rf"^{re.escape(name)}:\d+:\d+: error: ", told, re.MULTILINE)}

    def untidy(self) -> set[str]:
        """Files that are shown because of their form."""
        return {name for block in self.console() for name in re.findall(r"b2bua fmt .*?([\w.]+\.route)", block.text)}


def page() -> Page:
    return Page(PAGE.read_text(encoding="utf-8"))


class Placed(msgspec.Struct, frozen=True):
    """An example with what is around it, and the office behind that, as a policy. `rules` and `terminals` are those of
    the grammar that the example itself uses.
    """

    around: str
    policy: str
    rules: frozenset[str]
    terminals: frozenset[str]


class Surroundings:
    """The office, and whatever else makes a policy of an example, in a folder with the files that are shown."""

    def __init__(self, shown: Page, folder: Path) -> None:
        self._folder = folder
        self._accepted: dict[str, Placed] = {}
        self._base = _declared(shown.files()["office.route"])

    def _placed(self, example: str) -> Iterator[Placed]:
        """The ways in which an example can be read, the likeliest first."""
        for before, after in _places(example):
            around = f"{before}{example}{after}"
            uses = _used(around, len(before), len(before + example.rstrip()))
            yield Placed(around, f"{around}\n{self._rest(parse(around, 'example.route'))}", *uses)

    def _rest(self, script: tree.Script) -> str:
        """What the office declares and this script does not; a script with calls of its own has its own `emergency`."""
        own = {key for declaration in script.declarations for key in _keys(declaration)}
        if "on call" in own:
            own.add("Emergency")
        return "\n".join(text for keys, text in self._base if not own.intersection(keys)) + "\n"

    def problems(self, policy: str) -> list[Problem]:
        """What `check` refuses in a policy."""
        path = self._folder / "example.route"
        path.write_text(policy, encoding="utf-8")
        try:
            load(path)
        except PolicyError as error:
            return error.problems
        return []

    def accepted(self, example: str) -> Placed:
        """The first way in which an example is right. Raises AssertionError with what is wrong where there is none."""
        if example not in self._accepted:
            self._accepted[example] = self._accept(example)
        return self._accepted[example]

    def _accept(self, example: str) -> Placed:
        wrong: list[Problem] = []
        for placed in self._placed(example):
            problems = self.problems(placed.policy)
            if not problems:
                return placed
            if not wrong or len(problems) < len(wrong):
                wrong = problems
        raise AssertionError("\n".join(map(str, wrong)) or f"this cannot be read: {example}")


def _places(example: str) -> Iterator[tuple[str, str]]:
    """What may stand before and behind an example, the likeliest first."""
    for before in ("", 'trunk other {\n  uri "sip:other.example"\n  ', "trunk other {\n  "):
        if _read(example, around := (before, "\n}\n" if before else "")):
            yield around
    if rules := _read(example, ("on call { ", "\n}")):
        statements = rules.body.statements if isinstance(rules, tree.On) else ()
        for event in _events(statements):
            last = "" if isinstance(statements[-1], _TAKES_ALL) else f"  otherwise -> {_LAST[event]}\n"
            yield from _in(event, "", last)
    elif rules := _read(example, ("on call { when ", " -> challenge }")):
        for event in _events((rules,)):
            yield from _in(event, "when ", f" -> {_LAST[event]}\n  otherwise -> {_LAST[event]}\n")
    elif test := _read(example, ('test "an example" { ', "\n}")):
        steps = test.steps if isinstance(test, tree.Test) else ()
        first = "" if any(isinstance(step, _BEGINS) for step in steps) else "  call from alice to bob\n"
        last = "" if any(isinstance(step, tree.Expectation) for step in steps) else "  expect nothing further\n"
        yield f'test "an example" {{\n{first}  ', f"\n{last}}}\n"


def _events(nodes: Iterable[tree.Node]) -> list[str]:
    """All events, those first that have the facts and the decisions of these nodes."""
    facts = {node.name.text for root in nodes for node in tree.walk(root) if isinstance(node, tree.Reference)}
    unknown = facts & FACT_NAMES
    return sorted(_LAST, key=lambda event: len(unknown - FACTS[event].keys()))


def _in(event: str, before: str, after: str) -> Iterator[tuple[str, str]]:
    """Where a rule stands in an event: in a call behind the challenge, else before it."""
    if event == "call":
        yield f"on call {{\n  when not authenticated -> challenge\n  {before}", f"\n{after}}}\n"
    yield f"on {event} {{\n  {before}", f"\n{after}}}\n"


_BEGINS = (tree.CallStep, tree.RegisterStep, tree.MessageStep)
_TAKES_ALL = (tree.Otherwise, tree.Decision)
_LAST = {"call": "reject 404"} | {
    event: "continue" if event in GOES_ON else "reject 480" for event in FACTS if event != "call"
}
"""A decision that every event takes, by the event."""


def _read(example: str, around: tuple[str, str]) -> tree.Declaration | None:
    """The first declaration of what an example is with this around it; None where that cannot be read."""
    before, after = around
    try:
        return parse(f"{before}{example}{after}", "example.route").declarations[0]
    except PolicyError:
        return None


def _declared(text: str) -> list[tuple[frozenset[str], str]]:
    """The declarations of a script, each with what it declares and as it is written; tests are left out."""
    lines = text.splitlines()
    return [
        (_keys(item), "\n".join(lines[item.span.line - 1 : item.span.end_line]))
        for item in parse(text, "office.route").declarations
        if not isinstance(item, tree.Test)
    ]


def _keys(item: tree.Node) -> frozenset[str]:
    """What nothing else in the same script may declare again."""
    match item:
        case tree.On(names=events):
            return frozenset(f"on {event}" for event in events)
        case tree.Test() | tree.Include():
            return frozenset()
        case _:
            name = getattr(item, "name", None)
            named = isinstance(name, tree.Name)
            return frozenset({name.text if named and name is not None else type(item).__name__})


def _used(text: str, first: int, last: int) -> tuple[frozenset[str], frozenset[str]]:
    """The rules and the terminals of the grammar that a script uses between two offsets."""
    begins, ends = _place(text, first), _place(text, last)
    rules: set[str] = set()
    terminals: set[str] = set()

    def made(name: str, span: tree.Span, children: object) -> None:
        if begins <= (span.line, span.column) and (span.end_line, span.end_column) <= ends:
            rules.add(name)

    reading = Reading(text, make=made)
    while (piece := reading.next()) is not None:
        if first <= piece.start < last:
            terminals.add(piece.terminal)
        reading.take(piece)
    reading.finish()
    return frozenset(rules), frozenset(terminals)


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
