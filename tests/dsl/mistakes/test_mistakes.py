"""The gallery: what operators of phone systems write by mistake, one file each, with what they are told beside the line
that earns it (`tests.dsl.front.golden`). Reading the files teaches the language.
"""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest

from dsl.check import check
from dsl.compile_files import load_setup
from dsl.diagnostics import PolicyError, Problem
from dsl.encoding import script_text
from dsl.parser import parse
from dsl.policy import load
from tests.dsl.front.golden import expected, found, problems_of

GALLERY = Path(__file__).parent
MISTAKES = sorted(path.name for path in GALLERY.glob("*.route"))

NOT_OUR_WORDS = re.compile(
    r"\b(token|lark|python|terminal|none|str|int|grammar|parser?|libyaml|csv\.|unexpected)\b|_[A-Z]"
)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which nobody else may read the secrets: no repository keeps that."""
    folder = tmp_path_factory.mktemp("mistakes") / "gallery"
    shutil.copytree(GALLERY, folder)
    (folder / "secrets.yaml").chmod(0o600)
    return folder


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_of_where_it_stands_and_nothing_else_is(gallery: Path, name: str) -> None:
    text = (gallery / name).read_bytes().decode("utf-8")
    assert expected(text)
    assert found(gallery / name) == expected(text)


@pytest.mark.parametrize("name", MISTAKES)
def test_it_is_told_in_the_words_of_operators(gallery: Path, name: str) -> None:
    problems, warnings = problems_of(gallery / name)
    for problem in [*problems, *warnings]:
        for sentence in filter(None, (problem.message, problem.advice)):
            assert "\n" not in sentence
            own = re.sub(r"`[^`]*`", "", sentence.replace(str(gallery), ""))
            assert not own.endswith("."), sentence
            assert own == own.lower() or re.search("SIP|UTF-|CSV|WAV", own), sentence
            assert not NOT_OUR_WORDS.search(own), sentence


def test_the_gallery_is_large() -> None:
    assert len(MISTAKES) >= 100


def said(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    with pytest.raises(PolicyError) as caught:
        load(path)
    return str(caught.value).replace(f"{path.parent}/", "")


OFFICE = 'policy "x"\ndomain a.example\non register { otherwise -> reject 403 }\n'


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"",
            "x.route:1:1: error: nothing is declared in this file\n"
            '  a policy begins with `policy "my-office"` and `domain example.com`',
        ),
        (
            f'{OFFICE}on call {{ otherwise -> reject 404 "über" }}\n'.encode("latin-1"),
            "x.route:4:36: error: this is not UTF-8\n"
            '  on call { otherwise -> reject 404 "über" }\n'
            f"  {' ' * 35}^ save the file as UTF-8",
        ),
        (OFFICE.encode("utf-16"), "x.route:1:1: error: this file is UTF-16\n  save it as UTF-8"),
        (b"\xff\n\0", "x.route:2:1: error: this is no text\n  give the name of a file that is one"),
        (b"RIFF$\0\0\0WAVEfmt ", "x.route:1:1: error: this is no text\n  give the name of a file that is one"),
    ],
    ids=["empty", "latin-1", "utf-16", "data", "a-sound"],
)
def test_what_is_no_script_is_told_of_as_such(tmp_path: Path, content: bytes, told: str) -> None:
    assert said(content, tmp_path / "x.route") == told


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_secrets_that_others_may_read_are_a_mistake(gallery: Path, tmp_path: Path, mode: int) -> None:
    shutil.copytree(gallery, tmp_path / "office")
    secrets = tmp_path / "office" / "secrets.yaml"
    secrets.chmod(mode)
    (told, *_) = problems_of(tmp_path / "office" / "trunk-secret-unknown.route")[0]
    assert (told.file, told.message) == (str(secrets), "others on this machine may read the secrets")
    assert told.advice == f"run `chmod 600 {secrets}`"


def test_no_password_is_shown_with_what_is_wrong_beside_it(tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(
        "bob: {password: hunter2, Extension: 201}\nbob: {digest: {md5: 00112233}}\neve:\n\tpassword: hunter2\n"
    )
    script = f'users staff from "users.yaml"\n{OFFICE}on call {{ otherwise -> reject 404 }}\n'
    first = said(script.encode(), tmp_path / "x.route")
    (tmp_path / "users.yaml").write_text(
        "bob: {password: hunter2, Extension: 201}\nbob: {digest: {md5: 00112233}}\neve:\n  password=hunter2\n"
    )
    second = said(script.encode(), tmp_path / "x.route")
    for told in (first, second):
        assert "users.yaml" in told
        assert "hunter2" not in told
        assert "00112233" not in told


# Several mistakes in one file


def test_each_of_several_mistakes_is_told_of_once(tmp_path: Path) -> None:
    text = (
        'policy office\ndomain "a.example"\ncountry 49\non register { otherwise => reject 403 }\n'
        "on call {\n  when caller = bob -> reject 404\n  wehn anonymous -> reject 404\n"
        "  when anonymous reject 404\n  otherwise -> dial dialed for 20 s\n}\n"
    )
    told = said(text.encode(), tmp_path / "x.route")
    places = [line.split(":")[1] for line in told.splitlines() if line.startswith("x.route:")]
    assert places == ["1", "2", "3", "4", "6", "7", "8", "9"]


def test_a_name_that_means_nothing_is_told_of_once_with_all_its_lines(tmp_path: Path) -> None:
    rules = "".join(f'  when dialed == "{number}" -> dial dialed via pstn\n' for number in range(5))
    text = f"{OFFICE}on call {{\n{rules}  otherwise -> reject 404\n}}\n"
    told = said(text.encode(), tmp_path / "x.route")
    assert told.count("error:") == 1
    assert "it stands in line 6, line 7, line 8 and line 9 too" in told


def test_fifty_mistakes_are_enough_to_read(tmp_path: Path) -> None:
    text = OFFICE + "on call {\n" + "  wehn anonymous -> reject 404\n" * 80 + "  otherwise -> reject 404\n}\n"
    assert said(text.encode(), tmp_path / "x.route").count("error:") == 50


def test_what_stands_behind_a_closing_brace_ends_the_reading(tmp_path: Path) -> None:
    text = "on call {\n  when anonymous {\n    reject 404\n  }\n  otherwise -> reject 404\n}\nonce"
    assert said(text.encode(), tmp_path / "x.route").count("error:") == 1
    text = "on call {\n  when anonymous {\n  }\n} once"
    assert said(text.encode(), tmp_path / "x.route").count("error:") == 1


# One thing wrong with one word, anywhere


def damaged(text: str, seed: int) -> str:
    """A script with one of its words and signs deleted, doubled, or swapped with the next."""
    code = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), text)
    pieces = [piece.span() for piece in re.finditer(r'"[^"\n]*"|`[^`\n]*`|[\w.-]+|[^\s\w]', code)]
    if len(pieces) < 2:
        return text
    choose = random.Random(seed)
    at = choose.randrange(len(pieces) - 1)
    (start, end), (following, last) = pieces[at], pieces[at + 1]
    match choose.choice(["delete", "double", "swap"]):
        case "delete":
            return text[:start] + text[end:]
        case "double":
            return f"{text[:end]} {text[start:]}"
        case _:
            return text[:start] + text[following:last] + text[end:following] + text[start:end] + text[last:]


@pytest.mark.parametrize("name", MISTAKES)
def test_whatever_else_is_wrong_in_it_is_told_at_a_place_in_the_file(gallery: Path, name: str) -> None:
    text = (
        script_text((gallery / name).read_bytes(), name)
        .removeprefix("\ufeff")
        .replace("\r\n", "\n")
        .replace("\r", "\n")
    )
    for seed in range(6):
        changed = damaged(text, seed)
        problems: list[Problem] = []
        try:
            script = parse(changed, name)
            setup = load_setup(script, gallery / name, problems).setup
            problems += check(script, setup).problems
        except PolicyError as error:
            problems += error.problems
            assert problems
        lines = changed.split("\n")
        for problem in problems:
            assert not NOT_OUR_WORDS.search(re.sub(r"`[^`]*`", "", f"{problem.message} {problem.advice or ''}"))
            if problem.file == name:
                assert 1 <= problem.line <= len(lines), (seed, problem)
                assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1, (seed, problem)
