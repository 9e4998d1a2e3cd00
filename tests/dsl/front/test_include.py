from __future__ import annotations

from pathlib import Path

import pytest

from dsl import tester
from dsl.coverage import coverage
from dsl.decision import Facts
from dsl.diagnostics import PolicyError
from dsl.policy import Policy, load
from dsl.rehearsal import World

MAIN = """policy "office"
domain office.example
include "rules/desk.route"
on register { otherwise -> reject 403 }
on call {
  when dialed == "1" -> do desk()
  otherwise -> reject 404
}
"""
DESK = """# The desk
include "../nets.route"
table dids from "dids.csv" key number
sub desk() {
  when source in office -> reject 486
  when lookup dids dialed -> reject 480
  otherwise -> reject 503
}
test "the desk is busy" {
  call from anyone to "1" source office
  expect reject 486
}
test "the desk fails" {
  call from anyone to "1"
  expect reject 480
}
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in ({"office": MAIN, "rules/desk": DESK, "nets": "net office = 10.0.0.0/8\n"} | files).items():
        path = folder / f"{name}.route"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "rules" / "dids.csv").write_text("number\n2\n", encoding="utf-8")
    return folder / "office.route"


def call(policy: Policy, source: str) -> tuple[str, ...]:
    facts = Facts(time=0.0, source=source, transport="udp", ambient=World(policy), dialed="1")
    return policy.decide("call", facts).rules


def refused(path: Path) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(path)
    folder = f"{path.parent}/"
    return [f"{problem} ({problem.related})".replace(folder, "") for problem in caught.value.problems]


def test_declarations_of_other_files_count_and_rules_name_their_file(tmp_path: Path) -> None:
    policy = load(write(tmp_path))
    assert call(policy, "10.0.0.1") == ("6:3", "rules/desk.route:5:3")
    assert call(policy, "192.0.2.1") == ("6:3", "rules/desk.route:7:3")


def test_tests_of_included_files_run_and_their_failures_stand_in_them(tmp_path: Path) -> None:
    policy = load(write(tmp_path))
    busy, fails = tester.run(policy)
    assert busy.passed
    assert busy.place == "rules/desk.route:9:1"
    assert str(fails.failure).replace(f"{tmp_path}/", "") == (
        "rules/desk.route:15:10: error: instead it was: reject 503 by the rule at rules/desk.route:7:3\n"
        "  expect reject 480\n"
        "         ^^^^^^^^^^"
    )
    missed = [rule.place for rule in coverage(policy, [busy]).missed]
    assert missed == ["rules/desk.route:6:3", "rules/desk.route:7:3", "4:15", "7:3"]


def test_a_version_is_all_files_together(tmp_path: Path) -> None:
    before = load(write(tmp_path)).hash
    assert load(write(tmp_path)).hash == before
    assert load(write(tmp_path, nets="net office = 10.0.0.0/9\n")).hash != before


def test_a_file_that_two_others_include_is_read_once(tmp_path: Path) -> None:
    policy = load(write(tmp_path, office=MAIN.replace("on register", 'include "nets.route"\non register')))
    assert [item.name for item in policy.script.included] == ["rules/desk.route", "nets.route"]


def test_a_problem_stands_in_the_file_that_has_it(tmp_path: Path) -> None:
    main = MAIN.replace("on register", "net office = 10.0.0.0/9\non register") + 'policy "again"\n'
    assert refused(write(tmp_path, office=main, nets='net office = 10.0.0.1/8\npolicy "nets"\n')) == [
        "nets.route:1:14: error: `10.0.0.1/8` is an address in a network, not a network\n"
        "  net office = 10.0.0.1/8\n"
        "               ^^^^^^^^^^ write `10.0.0.0/8`, or `10.0.0.1` for that address alone (None)",
        "nets.route:2:1: error: `policy` stands here twice\n"
        '  policy "nets"\n'
        "  ^^^^^^^^^^^^^ first in line 1 of `office.route` (office.route:1:1)",
        "office.route:4:5: error: `office` is a net already\n"
        "  net office = 10.0.0.0/9\n"
        "      ^^^^^^ it was declared in line 1 of `nets.route` (nets.route:1:5)",
        "office.route:10:1: error: `policy` stands here twice\n"
        '  policy "again"\n'
        "  ^^^^^^^^^^^^^^ first in line 1 (1:1)",
    ]


def test_files_that_cannot_be_read_are_told_of_all_at_once(tmp_path: Path) -> None:
    desk = '\ufeffinclude "missing.route"\nnet office is 10.0.0.0/8\n'
    path = write(tmp_path, **{"rules/desk": desk})
    (tmp_path / "latin.route").write_bytes(b"# one\n# caf\xe9\n")
    main = MAIN.replace("on register", 'include "gone.route"\ninclude "latin.route"\non register')
    path.write_text(main)
    assert [line for told in refused(path) for line in told.splitlines() if ":" in line] == [
        "latin.route:2:6: error: this is not UTF-8",
        "office.route:4:9: error: `gone.route` cannot be read: no such file or directory",
        "rules/desk.route:1:9: error: `missing.route` cannot be read: no such file or directory",
        "rules/desk.route:2:12: error: `is` cannot stand here",
    ]
    assert refused(write(tmp_path, **{"rules/desk": 'include "missing.route"\nsub desk() { reject 404 }'})) == [
        "rules/desk.route:1:9: error: `missing.route` cannot be read: no such file or directory\n"
        '  include "missing.route"\n'
        "          ^^^^^^^^^^^^^^^ looked in rules (None)"
    ]


def test_files_that_go_round_are_refused_with_the_way(tmp_path: Path) -> None:
    nets = 'net office = 10.0.0.0/8\ninclude "rules/desk.route"\n'
    assert refused(write(tmp_path, nets=nets)) == [
        "nets.route:2:9: error: these files include each other: `rules/desk.route` to `nets.route` to "
        "`rules/desk.route`\n"
        '  include "rules/desk.route"\n'
        "          ^^^^^^^^^^^^^^^^^^ leave one `include` out (None)"
    ]
    assert refused(write(tmp_path, nets='include "office.route"\n'))[0].startswith(
        "nets.route:1:9: error: these files include each other: `office.route` to `rules/desk.route` to "
    )


def test_a_file_is_not_included_twice_by_another(tmp_path: Path) -> None:
    nets = 'include "more.route"\nnet office = 10.0.0.0/8\ninclude "./more.route"\n'
    assert refused(write(tmp_path, nets=nets, more="net other = 10.1.0.0/16\n")) == [
        "nets.route:3:9: error: `./more.route` is included twice\n"
        '  include "./more.route"\n'
        "          ^^^^^^^^^^^^^^ first in line 1 (1:1)"
    ]
