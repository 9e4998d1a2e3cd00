"""`b2bua user`: what becomes of a users file, to the letter, and what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from b2bua.operator.accounts_changed import find_accounts
from b2bua.operator.main import main
from b2bua.operator.users_text import UsersText, digests
from dsl.diagnostics import PolicyError
from dsl.policy import load
from dsl.users import load_users

from .terminal import Terminal

POLICY = """policy "lab"
domain lab.example
users staff from "users.yaml"
on register { when not authenticated -> challenge otherwise -> accept }
on call { when callee == bob -> dial bob otherwise -> reject 404 }
"""
USERS = """# Who has a telephone.
alice: {password: "wonder: land", extension: 201}   # hers
# The front desk.
bob:
    password: workshop # written by hand
    extension: 202

carol: { password: christmas }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.route").write_text(POLICY)
    (tmp_path / "users.yaml").write_text(USERS)
    return tmp_path


def user(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["user", *arguments], input=typed)


def test_an_account_is_added_at_the_end_and_nothing_else_changes(folder: Path) -> None:
    done = user("add", "dave", "--extension", "203", "--display", "Dave", "--generate")
    said, password = done.stdout.splitlines()
    assert (done.exit_code, said) == (0, "dave added: users.yaml, realm lab.example")
    text = (folder / "users.yaml").read_text()
    proof = digests("dave", "lab.example", password.removeprefix("password: "))
    assert text == (
        f'{USERS}dave:\n    digest: {{md5: "{proof["md5"]}", sha-256: "{proof["sha-256"]}"}}\n'
        '    extension: "203"\n    display: "Dave"\n'
    )
    directory = load(folder / "lab.route").directory
    assert directory.users["dave"].extension == "203"
    assert directory.credentials["dave"].sha256 == proof["sha-256"]


def test_a_password_takes_the_place_of_another_wherever_that_stands(folder: Path) -> None:
    path = folder / "users.yaml"
    for name, before in (
        ("alice", 'password: "wonder: land"'),
        ("bob", "password: workshop"),
        ("carol", "password: christmas"),
    ):
        text = path.read_text()
        assert user("passwd", name, "--stdin", typed="correct horse\n").exit_code == 0
        proof = digests(name, "lab.example", "correct horse")
        digest = f'digest: {{md5: "{proof["md5"]}", sha-256: "{proof["sha-256"]}"}}'
        assert path.read_text() == text.replace(before, digest)
    once = path.read_text()
    assert user("passwd", "bob", "--stdin", typed="battery staple\n").exit_code == 0
    assert path.read_text().replace(digests("bob", "lab.example", "battery staple")["md5"], "") != once
    assert "battery" not in path.read_text()


def test_a_digest_in_lines_of_its_own_is_replaced_whole(folder: Path) -> None:
    proof = digests("bob", "lab.example", "x")
    lines = "\n".join(f"      {algorithm}: {digest}" for algorithm, digest in proof.items())
    (folder / "users.yaml").write_text(f"bob:\n  digest:\n{lines}\n  extension: 202 # desk\n")
    assert user("passwd", "bob", "--stdin", typed="correct horse\n").exit_code == 0
    first, second, third = (folder / "users.yaml").read_text().splitlines()
    assert (first, third) == ("bob:", "  extension: 202 # desk")
    assert second.startswith('  digest: {md5: "')


def test_an_account_is_removed_and_the_comments_stay(folder: Path) -> None:
    (folder / "lab.route").write_text(POLICY.replace("callee == bob -> dial bob", "callee in staff -> dial callee"))
    assert user("remove", "bob").stdout == "bob removed: users.yaml, realm lab.example\n"
    text = (folder / "users.yaml").read_text()
    assert text == USERS.replace("bob:\n    password: workshop # written by hand\n    extension: 202\n", "")
    assert user("remove", "alice").exit_code == 0
    assert "alice" not in (folder / "users.yaml").read_text()


def test_whom_the_policy_names_is_not_removed(folder: Path) -> None:
    done = user("remove", "bob")
    assert (done.exit_code, (folder / "users.yaml").read_text()) == (1, USERS)
    assert "lab.route:5:" in done.stderr
    assert "bob" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("add", "bob", "--generate"), 1, "users.yaml:4: `bob` is there already; `b2bua user passwd bob` gives"),
        (("add", "b b", "--generate"), 1, "users.yaml:9:1: error: `b b` is no user name"),
        (("add", "dave", "--generate", "--extension", "202"), 1, "extension 202 belongs to `bob` already"),
        (("passwd", "bbo", "--generate"), 1, "there is no user bbo in users.yaml; did you mean `bob`?"),
        (("remove", "zoe"), 1, "there is no user zoe in users.yaml"),
        (("add", "dave", "--stdin"), 1, "this password is too short: take at least 8 characters"),
        (("add", "dave"), 2, "there is no terminal to ask for the password"),
        (("add", "dave", "--stdin", "--generate"), 2, "give one of them"),
        (("add", "dave", "--generate", "--users", "others.yaml"), 1, "reads others.yaml; name one with --policy"),
    ],
)
def test_what_is_refused_changes_nothing(folder: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    done = user(*arguments, typed="short\n")
    assert (done.exit_code, (folder / "users.yaml").read_text()) == (code, USERS)
    assert told in done.stderr
    assert os.listdir(folder) == [name for name in os.listdir(folder) if name in ("lab.route", "users.yaml")]


def test_a_file_that_cannot_be_read_is_told_of_by_its_line(folder: Path) -> None:
    (folder / "users.yaml").write_text('alice: {password: "x\n')
    done = user("add", "dave", "--generate")
    assert (done.exit_code, "users.yaml:1:" in done.stderr) == (1, True)


def test_accounts_in_braces_are_left_alone() -> None:
    text = UsersText(Path("users.yaml"), "{alice: {password: wonderland}}\n")
    with pytest.raises(PolicyError, match=r"users\.yaml:1:1: error: accounts stand in braces here"):
        text.removed("alice")


def test_line_ends_and_a_missing_last_one_are_kept(folder: Path) -> None:
    (folder / "users.yaml").write_bytes(b"\xef\xbb\xbfbob: {password: workshop}\r\nal: {password: x}")
    assert user("add", "dave", "--generate").exit_code == 0
    content = (folder / "users.yaml").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfbob: {password: workshop}\r\nal: {password: x}\r\ndave:\r\n  digest: ")
    assert content.count(b"\n") == content.count(b"\r\n") == 4


def test_mode_and_owner_stay_and_a_link_stays_one(folder: Path) -> None:
    real, link = folder / "real.yaml", folder / "users.yaml"
    link.rename(real)
    link.symlink_to(real)
    real.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(real, 12, 34)
    owner = real.stat().st_uid, real.stat().st_gid
    assert user("add", "dave", "--generate").exit_code == 0
    assert (link.is_symlink(), real.stat().st_mode & 0o777) == (True, 0o640)
    assert (real.stat().st_uid, real.stat().st_gid) == owner


def test_a_file_that_is_not_there_yet_is_for_its_owner_alone(folder: Path) -> None:
    (folder / "users.yaml").unlink()
    done = user("add", "bob", "--generate", "--json")
    said = json.loads(done.stdout)
    assert (said["user"], said["realm"], (folder / "users.yaml").stat().st_mode & 0o777) == (
        "bob",
        "lab.example",
        0o600,
    )
    found = load_users(folder / "users.yaml", "lab.example").credentials["bob"]
    assert found.md5 == digests("bob", "lab.example", said["password"])["md5"]


def test_without_a_script_the_realm_is_named(folder: Path) -> None:
    (folder / "lab.route").unlink()
    refused = user("add", "dave", "--generate", "--users", "users.yaml")
    assert (refused.exit_code, "name one with --policy" in refused.stderr) == (1, True)
    assert user("add", "dave", "--generate", "--users", "users.yaml", "--realm", "other.example").exit_code == 0
    assert user("add", "erin", "--users", "users.yaml", "--realm", "x", "--generate", "--extension", "x").exit_code == 1


def test_of_two_scripts_one_is_named(folder: Path) -> None:
    (folder / "other.route").write_text(POLICY.replace("lab.example", "other.example"))
    done = user("passwd", "bob", "--generate")
    assert (done.exit_code, "lab.route and other.route" in done.stderr) == (1, True)
    done = user("passwd", "bob", "--generate", "--policy", "other.route")
    assert done.stdout.startswith("bob has another password: users.yaml, realm other.example\n")


def test_two_at_once_come_one_after_the_other(folder: Path) -> None:
    accounts = find_accounts(None, folder / "lab.route", None)
    names = [f"u{number}" for number in range(4)]
    children = []
    for name in names:
        child = os.fork()
        if child == 0:
            accounts.add(name, "correct horse", {})
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert set(names) < set(load(folder / "lab.route").users)


def test_a_password_is_asked_for_twice_and_not_shown(folder: Path) -> None:
    terminal = Terminal(["user", "add", "dave"])
    terminal.until(lambda said: "Password for dave: " in said)
    terminal.type("correct horse\n")
    terminal.until(lambda said: "Repeat for confirmation: " in said)
    terminal.type("correct horse\n")
    assert terminal.ended() == 0
    assert "horse" not in terminal.said
    credential = load(folder / "lab.route").directory.credentials["dave"]
    assert credential.md5 == digests("dave", "lab.example", "correct horse")["md5"]
