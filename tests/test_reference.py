"""docs/language.md tells of every word of the language, and what it shows is so.

How an example becomes a policy is `tests.reference`'s. Whoever adds a word adds a row for it to the table where it
belongs, with an example; of every construct of the grammar some example is shown. `python -m tests.reference_commands`
writes anew what commands print.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsl import tester
from dsl.editor.reference import code, words_of
from dsl.fmt import formatted
from dsl.language import tables
from dsl.policy import DEFAULTS, load
from dsl.vocabulary import (
    DECISIONS,
    FACTS,
    GOES_ON,
    LIMITED_BY,
    MEDIA,
    OUTCOMES,
    PARAMETER_TYPES,
    REFUSED,
    REQUIRED_EVENTS,
    SERVICES,
    SILENT,
    STATES,
    Fact,
)
from tests.reference import PAGE as PAGE_FILE
from tests.reference import Block, Placed, Surroundings, page
from tests.reference_commands import but_for_versions, ends_with, folder, said

PAGE = page()
SCRIPTS = [block for block in PAGE.blocks if block.language == "route" and block.file not in PAGE.refused()]
EXAMPLES = [(row.kind, example, row.line) for row in PAGE.rows for example in row.examples]
EXAMPLES += [("", rule, line) for rule, line in PAGE.rules]
GROUPS = {
    "_declaration": "declaration",
    "_setting": "trunk setting",
    "_decision": "decision",
    "_action": "action",
    "_term": "condition",
    "_expression": "value",
    "_step": "test sentence",
    "_circumstance": "test sentence",
}
"""For groups of the grammar's rules, the table that has each of them."""

WORDS_AS_NAMES = {"condition_reference", "condition_attribute", "user_by_name"}
"""How the grammar takes names that are words of the language, where they need no quotes."""


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    return Surroundings(PAGE, folder(PAGE, tmp_path_factory.mktemp("shown")))


@pytest.fixture(scope="module")
def placed(surroundings: Surroundings) -> dict[tuple[str, str], Placed]:
    """Each example that is right, by its table, if it stands in one, and itself."""
    found: dict[tuple[str, str], Placed] = {}
    for kind, example, _ in EXAMPLES:
        try:
            found[kind, example] = surroundings.accepted(example)
        except AssertionError:
            continue
    return found


# What is shown is so


@pytest.mark.parametrize(
    ("kind", "example"), [pytest.param(kind, text, id=f"{line}: {text}") for kind, text, line in EXAMPLES]
)
def test_an_example_is_right(
    surroundings: Surroundings, placed: dict[tuple[str, str], Placed], kind: str, example: str
) -> None:
    here = placed.get((kind, example)) or surroundings.accepted(example)
    assert _one_line(example) in _one_line(formatted(here.around, "example.route"))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("block", [pytest.param(block, id=f"{block.line}") for block in SCRIPTS])
def test_a_script_is_right_and_passes_its_tests(surroundings: Surroundings, block: Block, tmp_path: Path) -> None:
    here = surroundings.accepted(block.text)
    path = folder(PAGE, tmp_path) / "example.route"
    path.write_text(here.policy, encoding="utf-8")
    policy = load(path)
    assert [(result.title, str(result.failure)) for result in tester.run(policy) if not result.passed] == []
    lines = here.around.count("\n") + 1
    assert [str(warning) for warning in policy.warnings if warning.line <= lines and ".yaml" not in warning.file] == []


@pytest.mark.parametrize("block", [pytest.param(block, id=f"{block.line}") for block in SCRIPTS])
def test_a_script_is_in_the_one_style(block: Block) -> None:
    assert (formatted(block.text, "example.route") == block.text) == (block.file not in PAGE.untidy())


@pytest.mark.parametrize("block", [pytest.param(block, id=f"{block.line}") for block in PAGE.console()])
def test_a_command_says_what_is_shown(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder(PAGE, tmp_path))
    assert but_for_versions(said(block.text)) == but_for_versions(block.text)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("check first.route", 0),
        ("check bad.route", 1),
        ("check nothing.route", 2),
        ("fmt --check first.route", 0),
        ("fmt --check untidy.route", 1),
        ("test first.route", 0),
        ("test failing.route", 1),
        ("explain first.route 'call from alice to bob'", 0),
        ("explain bad.route 'call from alice to bob'", 1),
        ("plan first.route --against calls.jsonl", 0),
        ("plan new.route --against calls.jsonl", 1),
        ("run bad.route", 1),
        ("reload", 1),
        ("rollback", 1),
        ("show policies", 1),
    ],
)
def test_a_command_ends_with_what_is_said(
    command: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder(PAGE, tmp_path))
    assert ends_with(command) == code
    [row] = [row for row in PAGE.of("command") if row.words[0].split()[1] == command.split()[0]]
    assert code == 2 or f"{code}" in row.cells["ends with"]


def test_every_block_is_of_a_known_kind() -> None:
    assert {block.language for block in PAGE.blocks} == {"route", "console", "diff", "yaml", "csv", "text"}
    assert [block.line for block in PAGE.blocks if block.language in ("yaml", "csv", "text") and not block.file] == []


def test_every_link_leads_somewhere() -> None:
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in PAGE.headings}
    for file, anchor in re.findall(r"\]\(([\w./-]*)#?([\w-]*)\)", PAGE_FILE.read_text(encoding="utf-8")):
        assert (PAGE_FILE.parent / file).exists()
        assert file or anchor in anchors, anchor


# Nothing is left out


def test_every_word_and_sign_of_the_grammar_has_an_entry() -> None:
    entries = [word for row in PAGE.rows for word in row.words]
    words = words_of(entries)
    missing = [
        text
        for text in tables().words.values()
        if text not in words and not (re.match(r"\W", text) and any(text in entry for entry in entries))
    ]
    assert missing == []


def test_every_construct_of_the_grammar_has_an_example(
    surroundings: Surroundings, placed: dict[tuple[str, str], Placed]
) -> None:
    shown = [*placed.values(), *(surroundings.accepted(block.text) for block in SCRIPTS)]
    rules = {rule.node for rule in tables().rules if not rule.single} - {"", "start"} - WORDS_AS_NAMES
    assert rules - {rule for here in shown for rule in here.rules} == set()
    terminals = tables().words.keys() | tables().forms.keys()
    used = {terminal for here in shown for terminal in here.terminals}
    assert terminals - used - set(tables().ignored) == set()


@pytest.mark.parametrize("group", GROUPS)
def test_every_construct_has_a_row_in_its_table(placed: dict[tuple[str, str], Placed], group: str) -> None:
    shown = {rule for (kind, _), here in placed.items() if kind == GROUPS[group] for rule in here.rules}
    assert _members(group) - shown == set()


def _members(group: str) -> set[str]:
    """The nodes that can stand for a group of the grammar's rules, those of other groups left out."""
    found: set[str] = set()
    for rule in tables().rules:
        if rule.origin == group and len(rule.symbols) == 1 and rule.symbols[0] not in GROUPS:
            nodes = {item.node for item in tables().rules if item.origin == rule.symbols[0]} - {""}
            found |= nodes or _members(rule.symbols[0])
    assert found
    return found


def test_every_fact_has_a_row_with_what_it_is() -> None:
    rows = {}
    for row in PAGE.of("fact"):
        [name] = row.words
        for event in _events(row.cells["known in"]):
            assert (event, name) not in rows
            rows[event, name] = row.cells["is"]
    assert rows == {(event, name): _kind(fact) for event, facts in FACTS.items() for name, fact in facts.items()}


def _events(said: str) -> list[str]:
    named = code(said)
    if said.startswith("every event"):
        return [event for event in FACTS if event not in named]
    return list(OUTCOMES) if said == "outcomes" else named


def _kind(fact: Fact) -> str:
    return f"{fact.type}{', or absent' if fact.optional else ''}{', chosen by the caller' if fact.chosen else ''}"


def test_every_event_has_a_row_with_its_decisions_and_its_default() -> None:
    rows = {row.words[0]: row.cells for row in PAGE.of("event")}
    assert {event: set(code(cells["decided by"])) for event, cells in rows.items()} == DECISIONS
    for event, cells in rows.items():
        default = cells["if left out"]
        if event in REQUIRED_EVENTS:
            assert default == "it must be written"
        elif event in GOES_ON:
            assert default == "`continue`"
        elif event in DEFAULTS:
            assert f"`reject {DEFAULTS[event]}`" in default
        else:
            assert default == f"`reject {REFUSED[event]}`"


def test_every_other_name_of_the_language_has_a_row() -> None:
    assert [row.words for row in PAGE.of("state")] == [[state] for state in STATES]
    assert sorted(word for row in PAGE.of("outcome") for word in row.words) == sorted(OUTCOMES)
    assert [row.words for row in PAGE.of("counted for each")] == [[fact] for fact in LIMITED_BY]
    words = words_of(word for row in PAGE.rows for word in row.words)
    assert {*SERVICES, *MEDIA} - words == set()
    assert [kind for kind in PARAMETER_TYPES if f"`{kind}`" not in PAGE.section("Subs")] == []
    [given] = [row for row in PAGE.of("test sentence") if "given X is STATE" in row.words]
    assert f"`{SILENT}`" in given.cells["says"]
