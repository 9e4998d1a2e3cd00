"""Certificate files: what is wrong with one is said at the start, changes are taken over, and an end is announced."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from cryptography.hazmat.primitives import serialization
from trio.testing import MockClock

from b2bua.io import certificate_watch
from b2bua.io.certificate_watch import WATCH_SECONDS, CertificateWatch
from b2bua.io.failure import ServerError
from b2bua.io.identities import identities_of
from b2bua.io.tls import Tls
from b2bua.settings import Certificate
from b2bua.settings import Tls as Settings
from tests.authority import Authority

from .edge import Edge

DAY = 86_400.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def tls(pair: Certificate, ca: str = "", client_ca: str = "") -> Tls:
    return Tls(Settings(pair.certificate, pair.key, ca=ca, client_ca=client_ca), time.time())


def missing(folder: Path, authority: Authority) -> Certificate:
    return Certificate(str(folder / "none.pem"), authority.pair("a.example").key)


def missing_key(folder: Path, authority: Authority) -> Certificate:
    return Certificate(authority.pair("a.example").certificate, str(folder / "none.key"))


def no_pem(folder: Path, authority: Authority) -> Certificate:
    (folder / "text.pem").write_text("hello")
    return Certificate(str(folder / "text.pem"), authority.pair("a.example").key)


def another_key(folder: Path, authority: Authority) -> Certificate:
    return Certificate(authority.pair("a.example").certificate, authority.pair("a.example").key)


def no_key(folder: Path, authority: Authority) -> Certificate:
    return Certificate(authority.pair("a.example").certificate)


def expired(folder: Path, authority: Authority) -> Certificate:
    return authority.pair("a.example", days=-1)


def to_come(folder: Path, authority: Authority) -> Certificate:
    return authority.pair("a.example", since=-1)


def locked(folder: Path, authority: Authority) -> Certificate:
    pair = authority.pair("a.example")
    key = serialization.load_pem_private_key(Path(pair.key).read_bytes(), None)
    Path(pair.key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return pair


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            missing,
            "the TLS certificate .*none.pem cannot be read: No such file or directory; see `tls` in the settings",
        ),
        (missing_key, "the TLS key .*none.key cannot be read: No such file or directory; see `tls`"),
        (no_pem, "the TLS certificate .*text.pem holds no certificate in PEM format"),
        (another_key, "the TLS key .*.key is not that of the certificate .*.pem: name two that belong together"),
        (no_key, "the TLS key .*.pem cannot be read: it has to be a private key in PEM format"),
        (expired, "the TLS certificate .*.pem expired on 20..-..-..: put a new one there"),
        (to_come, "the TLS certificate .*.pem is not valid before .* UTC: is this machine's clock right"),
        (locked, "the TLS key .*.key is locked by a password: write it without one"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, authority: Authority, make: Callable[[Path, Authority], Certificate], sentence: str
) -> None:
    with pytest.raises(ServerError, match=sentence):
        tls(make(tmp_path, authority))


def test_authorities_are_looked_at_too(tmp_path: Path, authority: Authority) -> None:
    pair = authority.pair("a.example")
    (tmp_path / "text.pem").write_text("hello")
    with pytest.raises(ServerError, match=r"text\.pem holds no certificate"):
        tls(pair, ca=str(tmp_path / "text.pem"))
    with pytest.raises(ServerError, match=r"none\.pem cannot be read"):
        tls(pair, client_ca=str(tmp_path / "none.pem"))
    assert tls(pair).contexts.client.cert_store_stats()["x509_ca"] > 0


def test_a_certificate_and_its_key_may_be_one_file(tmp_path: Path, authority: Authority) -> None:
    pair = authority.pair("a.example")
    both = tmp_path / "both.pem"
    both.write_bytes(Path(pair.key).read_bytes() + Path(pair.certificate).read_bytes())
    read = tls(Certificate(str(both)))
    assert read.files == (str(both),)
    (shown,) = read.contexts.shown
    assert shown.names == ("a.example",)
    assert shown.expires == pytest.approx(time.time() + 365 * DAY, abs=3600)


async def test_files_that_change_are_read_again_when_they_are_whole(
    edge: Edge, authority: Authority, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    pair, renewed = authority.pair("a.example"), authority.pair("b.example")
    read = tls(pair)
    nursery.start_soon(CertificateWatch(read, edge.shell).run)
    await trio.sleep(3.5 * WATCH_SECONDS)
    shutil.copy(renewed.certificate, pair.certificate)
    await trio.sleep(WATCH_SECONDS)
    assert read.contexts.shown[0].names == ("a.example",)
    shutil.copy(renewed.key, pair.key)
    await trio.sleep(WATCH_SECONDS)
    assert read.contexts.shown[0].names == ("a.example",)
    await trio.sleep(WATCH_SECONDS)
    assert read.contexts.shown[0].names == ("b.example",)
    assert edge.events() == ["certificates read"]


async def test_a_broken_file_changes_nothing_and_is_said_once(
    edge: Edge, authority: Authority, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    pair = authority.pair("a.example")
    read = tls(pair)
    before = read.contexts
    nursery.start_soon(CertificateWatch(read, edge.shell).run)
    await trio.sleep(0.5 * WATCH_SECONDS)
    kept = Path(pair.certificate).read_bytes()  # noqa: ASYNC240
    Path(pair.certificate).write_bytes(b"")  # noqa: ASYNC240
    await trio.sleep(10 * WATCH_SECONDS)
    assert read.contexts is before
    (entry,) = edge.logged.entries
    assert (entry["event"], entry["log_level"]) == ("certificates not read", "error")
    assert "holds no certificate in PEM format" in str(entry["why"])
    Path(pair.certificate).write_bytes(kept)  # noqa: ASYNC240
    await trio.sleep(3 * WATCH_SECONDS)
    assert edge.events() == ["certificates not read", "certificates read"]


def test_the_end_of_a_certificate_is_announced_daily(edge: Edge, authority: Authority) -> None:
    read = tls(authority.pair("a.example", days=90))
    watch = CertificateWatch(read, edge.shell)
    end = read.contexts.shown[0].expires
    said = []
    for hour in range(24 * 40):
        wall = end - 38 * DAY + hour * 3600.0
        watch.alarm(wall)
        said += [(hour, entry["event"], entry.get("days")) for entry in edge.logged.entries]
        edge.logged.entries.clear()
    first = 24 * 7
    assert said[:2] == [(first + 1, "certificate ends soon", 30), (first + 25, "certificate ends soon", 29)]
    assert said[-3:] == [
        (24 * 37 + 1, "certificate ends soon", 0),
        (24 * 38 + 1, "certificate has expired", None),
        (24 * 39 + 1, "certificate has expired", None),
    ]
    assert edge.shell.counters["certificate_alarms"] == len(said) == 33
    (row,) = watch.status(end - 2.5 * DAY)
    assert row == {"file": read.contexts.shown[0].file, "names": ["a.example"], "expires": end, "days": 2}
    assert certificate_watch.ALARM_DAYS == 30


@pytest.mark.parametrize(
    ("certificate", "names"),
    [
        ({"subjectAltName": (("DNS", "A.example"), ("DNS", "b.example."))}, {"a.example", "b.example"}),
        ({"subjectAltName": (("URI", "sip:a.example"), ("DNS", "b.example"))}, {"a.example"}),
        ({"subjectAltName": (("URI", "sip:bob@a.example"), ("DNS", "b.example"))}, {"b.example"}),
        ({"subjectAltName": (("URI", "sips:a.example"), ("URI", "https://c.example"))}, set()),
        ({"subjectAltName": (("URI", "sip:a b"), ("DNS", "b.example"))}, {"b.example"}),
        ({"subjectAltName": (("DNS", "b.example"),), "subject": ((("commonName", "c.example"),),)}, {"b.example"}),
        ({"subject": ((("countryName", "DE"),), (("commonName", "c.example"),))}, {"c.example"}),
        ({"subjectAltName": (("IP Address", "0:0:0:0:0:0:0:1"), ("email", "a@b"))}, {"::1"}),
        ({}, set()),
    ],
)
def test_which_names_of_a_certificate_count(certificate: dict[str, object], names: set[str]) -> None:
    found = identities_of(certificate)
    assert found.names == names
    assert all(found.prove(name.upper()) for name in names)
    assert not found.prove("")
