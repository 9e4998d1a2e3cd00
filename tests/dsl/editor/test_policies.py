"""Which policies are looked at when files are open, and what is told of which file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsl.editor.names import CannotRenameError
from dsl.editor.policies import Policies, look
from dsl.tree import Span

SHARED = 'trunk far { uri "sip:far.example" }\n'
MAIN = """policy "main"
domain main.example
emergency 112
include "shared.route"
users staff from "users.yaml"
on register { otherwise -> reject 403 }
net office = 10.0.0.0/8
on call {
  when dialed is emergency and (source in office or authenticated) -> dial dialed via far
  when not authenticated -> challenge
  otherwise              -> dial e164(dialed) via far
}
"""
OTHER = MAIN.replace('"main"', '"other"').replace("shared.route", "../lab/shared.route")


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "main.route").write_text(MAIN)
    (folder / "shared.route").write_text(SHARED)
    (folder / "users.yaml").write_text("alice: {password: x}\n")
    return folder


def told(unsaved: dict[Path, str]) -> dict[str, list[str]]:
    """What is told of each file, by its name."""
    return {
        path.name: [f"{problem.line}: {problem.message}" for problem in problems]
        for path, problems in look(unsaved).problems.items()
    }


def test_a_policy_is_checked_with_what_is_not_saved(lab: Path) -> None:
    assert told({lab / "main.route": MAIN}) == {"main.route": []}
    assert told({lab / "main.route": MAIN.replace("via far", "via fra")}) == {
        "main.route": ["9: there is no trunk `fra`"],
    }
    assert told({lab / "main.route": MAIN, lab / "shared.route": SHARED.replace("far {", "fra {")}) == {
        "main.route": ["9: there is no trunk `far`"],
        "shared.route": [],
    }


def test_what_is_wrong_in_another_file_is_told_there(lab: Path) -> None:
    assert told({lab / "main.route": MAIN, lab / "users.yaml": "alice: {passwort: x}\n"}) == {
        "main.route": [],
        "users.yaml": ["1: `alice` has neither `password` nor `digest`"],
    }
    (lab / "shared.route").write_text("trunk far {")
    assert told({lab / "main.route": MAIN}) == {"main.route": [], "shared.route": ["1: this block is never closed"]}


def test_a_script_without_policy_is_checked_by_those_that_include_it(lab: Path) -> None:
    shared = lab / "shared.route"
    assert told({shared: SHARED.replace("far {", "fra {")}) == {
        "shared.route": [],
        "main.route": ["9: there is no trunk `far`"],
    }
    (lab.parent / "up.route").write_text(MAIN.replace("shared.route", "lab/shared.route").replace("users.yaml", "none"))
    assert told({shared: SHARED}) == {
        "shared.route": [],
        "up.route": ["5: `none` cannot be read: no such file or directory"],
    }


def test_one_that_nobody_includes_is_told_of_its_syntax_alone(lab: Path) -> None:
    (lab / "binary.route").write_bytes(b"\xff policy")
    (lab / "plain.route").write_text(MAIN.replace('include "shared.route"\n', ""))
    assert told({lab / "alone.route": "sub x() { otherwise -> do y() }\n"}) == {"alone.route": []}
    assert told({lab / "alone.route": "sub x() { otherwise => do y() }\n"}) == {
        "alone.route": ["1: `=>` cannot stand here"]
    }


def test_other_files_are_no_scripts(lab: Path) -> None:
    assert told({lab / "users.yaml": "alice: 1\n"}) == {}


def test_two_policies_that_share_a_file_tell_of_it_once(lab: Path) -> None:
    (lab / "other.route").write_text(MAIN.replace('"main"', '"other"'))
    wrong = SHARED.replace("uri", "url")
    found = told({lab / "main.route": MAIN, lab / "other.route": MAIN, lab / "shared.route": wrong})
    assert found["shared.route"] == ["1: unknown word `url`"]


def test_a_change_on_the_disk_is_noticed(lab: Path) -> None:
    looked = look({lab / "main.route": MAIN})
    assert not looked.is_old
    (lab / "users.yaml").write_text("alice: {password: x}\nbob: {password: y}\n")
    assert looked.is_old


def test_questions_are_answered_by_what_was_written_last(lab: Path) -> None:
    policies = Policies()
    main = lab / "main.route"
    assert policies.views(main) == []
    policies.write(main, MAIN)
    [view] = policies.views(main)
    assert policies.views(main) == [view]
    policies.write(main, MAIN + "net house = 10.0.0.0/8\n")
    [view] = policies.views(main)
    assert view.names.declared.keys() == {"staff", "far", "office", "house"}
    assert policies.text(main).endswith("10.0.0.0/8\n")
    policies.close(main)
    assert policies.text(main) == MAIN
    policies.take(look(policies.unsaved))
    assert policies.views(main) == []
    assert policies.text(lab / "nothing") == ""


def test_a_policy_that_is_gone_has_nothing_in_it(lab: Path) -> None:
    policies = Policies()
    policies.write(lab / "shared.route", SHARED)
    assert len(policies.views(lab / "shared.route")) == 1
    (lab / "main.route").unlink()
    policies.write(lab / "shared.route", SHARED)
    assert policies.views(lab / "shared.route") == []
    policies.take(look(policies.unsaved))
    assert len(policies.views(lab / "shared.route")) == 1


def places(found: list[Span]) -> list[str]:
    return sorted(f"{Path(span.file).name}:{span.line}:{span.column}" for span in found)


def test_a_name_in_a_shared_file_is_renamed_in_all_that_include_it(lab: Path) -> None:
    elsewhere = lab.parent / "other.route"
    elsewhere.write_text(OTHER.replace("../lab", "lab").replace("users.yaml", "lab/users.yaml"))
    (lab / "third.route").write_text(OTHER)
    policies = Policies()
    policies.write(lab / "main.route", MAIN)
    expected = [
        "main.route:11:51",
        "main.route:9:87",
        "other.route:11:51",
        "other.route:9:87",
        "shared.route:1:7",
        "third.route:11:51",
        "third.route:9:87",
    ]
    assert places(policies.references(lab / "main.route", 11, 51)) == expected
    assert places(policies.rename(lab / "main.route", 11, 51, "near")) == expected
    policies.write(lab / "shared.route", SHARED)
    assert places(policies.rename(lab / "shared.route", 1, 7, "near")) == expected
    (lab / "third.route").write_text(OTHER.replace("otherwise", "otherwse"))
    with pytest.raises(CannotRenameError, match=r"third\.route` cannot be read: mend that first"):
        policies.rename(lab / "main.route", 11, 51, "near")


def test_a_user_is_found_in_the_open_policy(lab: Path) -> None:
    policies = Policies()
    text = MAIN.replace("otherwise    ", "when callee == alice -> dial alice\n  otherwise    ")
    policies.write(lab / "main.route", text)
    assert places(policies.references(lab / "main.route", 11, 18)) == ["main.route:11:18", "main.route:11:32"]
