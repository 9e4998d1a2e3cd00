"""`users.yaml` and `secrets.yaml`: what they give, and what is wrong with them, by line."""

import hashlib

import pytest

from dsl.diagnostics import PolicyError
from dsl.policy import load
from dsl.secrets_file import Secret, read_secrets
from dsl.users import load_users

GOOD = """\
alice: {password: wonderland, extension: 0201, number: "+4930123456", display: Alice A., mobile: 0151 1234567}
bob.smith:
  digest:
    md5: 0123456789ABCDEF0123456789abcdef
"""


def directory(tmp_path, text):
    path = tmp_path / "users.yaml"
    path.write_text(text, encoding="utf-8")
    return load_users(path, "acme.example")


def test_a_user_is_known_by_what_the_file_says(tmp_path):
    alice = directory(tmp_path, GOOD).users["alice"]
    assert (alice.name, alice.extension, alice.number, alice.display) == (
        "alice",
        "0201",
        "+4930123456",
        "Alice A.",
    )
    assert alice.attributes == {"mobile": "0151 1234567"}
    assert alice.attribute("mobile") == "0151 1234567" and alice.attribute("fax") is None
    assert alice.attribute("extension") == "0201" and alice.attribute("name") == "alice"


def test_passwords_become_digests_by_both_algorithms(tmp_path):
    credentials = directory(tmp_path, GOOD).credentials
    secret = b"alice:acme.example:wonderland"
    assert credentials["alice"].md5 == hashlib.md5(secret).hexdigest()
    assert credentials["alice"].sha256 == hashlib.sha256(secret).hexdigest()
    assert credentials["bob.smith"].md5 == "0123456789abcdef0123456789abcdef"
    assert credentials["bob.smith"].sha256 is None


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("- alice\n", [(1, 1, "is wanted for a users file")]),
        ("alice: secret\n", [(1, 8, "is wanted for what `alice` is")]),
        ("alice: {extension: 200}\n", [(1, 1, "neither `password` nor `digest`")]),
        ("alice: {password: a, digest: {md5: b}}\n", [(1, 1, "both"), (1, 36, "32 hex")]),
        ("alice:\n  password:\n", [(2, 12, "a password is empty")]),
        ("alice: {password: [a]}\n", [(1, 19, "a password is a text")]),
        ("alice: {digest: {sha1: b}}\n", [(1, 18, "`sha1` is no algorithm")]),
        ("alice: {password: a, Mobile: b}\n", [(1, 22, "`Mobile` is no name")]),
        ("alice: {password: a, extension: al}\n", [(1, 33, "`al` is no extension")]),
        ("al ice: {password: a}\n", [(1, 1, "`al ice` is no user name")]),
        ("a: {password: a}\na: {password: b}\n", [(2, 1, "stands here twice")]),
        (
            "a: {password: a, extension: 1}\nb: {password: b, extension: 1}\n",
            [(2, 29, "belongs to `a` already")],
        ),
        ("7: {password: a}\nb: {password: b, extension: 7}\n", [(2, 29, "name of another user")]),
        ("a: {password: a\n", [(1, 4, "this brace is not closed")]),
    ],
)
def test_each_problem_has_its_place(tmp_path, text, places):
    with pytest.raises(PolicyError) as caught:
        directory(tmp_path, text)
    found = caught.value.problems
    assert [(p.line, p.column) for p in found] == [place[:2] for place in places]
    for problem, (_, _, says) in zip(found, places, strict=True):
        assert says in problem.message


def secrets(tmp_path, text, mode=0o600):
    path = tmp_path / "secrets.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    problems = []
    return read_secrets(path, problems), problems


def test_secrets_are_read_and_never_shown(tmp_path):
    found, problems = secrets(tmp_path, "pstn: {username: acme, password: s3cret}\nother: {password: x}\n")
    assert problems == []
    assert (found["pstn"].username, found["pstn"].password) == ("acme", "s3cret")
    assert found["other"].username is None
    assert found["other"].secret("acme") == Secret("acme", "x")
    assert "s3cret" not in repr(found) + repr(found["pstn"].secret("acme"))


def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path):
    found, problems = secrets(tmp_path, "pstn: {password: s3cret}\n", 0o640)
    assert found == {}
    assert f"chmod 600 {tmp_path / 'secrets.yaml'}" in problems[0].advice


def test_wrong_secrets_are_problems(tmp_path):
    _, problems = secrets(tmp_path, "a: {username: b}\nc: {passwort: d, password: e}\n")
    assert [(p.line, p.column) for p in problems] == [(1, 1), (2, 5)]


def test_a_secret_that_is_no_text_is_told_of_where_it_stands(tmp_path):
    found, problems = secrets(tmp_path, "a: {password: [b]}\nc: {password: d}\n")
    assert [(p.line, p.column) for p in problems] == [(1, 15)]
    assert list(found) == ["c"]


def test_several_users_files_are_one_directory_in_which_each_name_stands_once(tmp_path):
    script = two_files(tmp_path, "alice: {password: a, extension: 1}\n", "bob: {password: b}\n")
    policy = load(script)
    assert list(policy.users) == list(policy.directory.credentials) == ["alice", "bob"]
    assert [policy.callee(dialed) for dialed in ("1", "alice", "bob", "2")] == ["alice", "alice", "bob", None]


@pytest.mark.parametrize(
    ("second", "column", "message", "advice"),
    [
        (
            "alice: {password: b}",
            1,
            "`alice` is in another users file already",
            "in `a.yaml`: give one of them another",
        ),
        ("bob: {password: b, extension: 11}", 31, "extension 11 belongs to `alice` already", "in `a.yaml`: "),
        ("bob: {password: b, extension: 12}", 31, "extension 12 is the name of another user", "in `a.yaml`: "),
        ("11: {password: b}", 1, "`11` is the extension of `alice` already", "in `a.yaml`: "),
    ],
)
def test_what_one_users_file_has_taken_is_no_name_or_extension_in_the_next(tmp_path, second, column, message, advice):
    script = two_files(tmp_path, "alice: {password: a, extension: 11}\n12: {password: c}\n", f"\n{second}\n")
    with pytest.raises(PolicyError) as refused:
        load(script)
    (wrong,) = refused.value.problems
    assert (wrong.file, wrong.line, wrong.column) == (str(tmp_path / "b.yaml"), 2, column)
    assert wrong.message == message
    assert wrong.advice.startswith(advice)


def test_a_user_may_have_the_own_name_as_extension_and_a_number_may_be_of_several(tmp_path):
    first = "11: {password: a, extension: 11, number: '+4930111000'}\n"
    policy = load(two_files(tmp_path, first, "bob: {password: b, extension: 12, number: '+4930111000'}\n"))
    assert [policy.callee(dialed) for dialed in ("11", "12")] == ["11", "bob"]


def two_files(folder, first, second):
    script = folder / "p.route"
    script.write_text(
        'policy "p"\ndomain x.example\nusers staff from "a.yaml"\nusers guests from "b.yaml"\n'
        "on register { otherwise -> reject 405 }\non call { otherwise -> reject 404 }\n",
        encoding="utf-8",
    )
    (folder / "a.yaml").write_text(first, encoding="utf-8")
    (folder / "b.yaml").write_text(second, encoding="utf-8")
    return script
