"""How a number is written into a trunk's URI."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2bua.routing.destination import Account
from b2bua.routing.gateways import gateways_of
from dsl.policy import Policy, load

POLICY = """
policy "gateways"
domain example.com
trunk carrier {{
  uri "{uri}"
  {login}
}}
on register {{ otherwise -> reject 403 }}
on call {{ otherwise -> reject 404 }}
"""


def policy(folder: Path, uri: str, login: str = "") -> Policy:
    script = folder / "gateways.route"
    script.write_text(POLICY.format(uri=uri, login=login), encoding="utf-8")
    return load(script)


@pytest.mark.parametrize(
    ("uri", "written"),
    [
        ("sip:192.0.2.9", "sip:+4930@192.0.2.9"),
        ("sip:carrier.example:5080;transport=tcp", "sip:+4930@carrier.example:5080;transport=tcp"),
        ("sip:[2001:db8::9]:5080", "sip:+4930@[2001:db8::9]:5080"),
        ("sip:account@x.example", "sip:+4930@x.example"),
    ],
)
def test_a_number_takes_the_place_of_the_user(tmp_path: Path, uri: str, written: str) -> None:
    gateway = gateways_of(policy(tmp_path, uri))["carrier"]
    assert gateway.uri("+4930") == written
    assert gateway.account is None


def test_what_is_no_user_part_is_escaped(tmp_path: Path) -> None:
    assert gateways_of(policy(tmp_path, "sip:192.0.2.9"))["carrier"].uri("#31 30") == "sip:%2331%2030@192.0.2.9"


def test_a_secret_makes_an_account(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.yaml"
    secrets.write_text("entry: {password: hidden}\n", encoding="utf-8")
    secrets.chmod(0o600)
    gateway = gateways_of(policy(tmp_path, "sip:192.0.2.9", 'login "we" secret "entry"'))["carrier"]
    assert gateway.account == Account("we", "hidden")
