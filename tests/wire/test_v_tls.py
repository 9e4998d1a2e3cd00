"""TLS with real peers: baresip registers and calls by it, OpenSSL looks at certificates, a trunk proves its name."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from b2bua.settings import Certificate
from tests.authority import Authority

from .baresip import Baresip
from .conftest import HERE
from .lab import Lab
from .music import SAME
from .program import Program
from .server import B2BUA, Server

NUMBER = "0049301234567"


class Bench:
    """Servers and phones that believe in one authority, put away in the end."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self.authority = Authority(folder / "authority")

    def policy(self, name: str, port: int = 5061) -> Path:
        """A policy of this folder, whose trunk is at that port."""
        folder = self.folder / name
        shutil.copytree(HERE / "policies", folder)
        (folder / "secrets.yaml").chmod(0o600)
        policy = folder / f"{name}.route"
        policy.write_text(policy.read_text(encoding="utf-8").replace(":5061", f":{port}"), encoding="utf-8")
        return policy

    def server(self, policy: Path, pair: Certificate, more: str = "") -> Server:
        """A server that listens by TLS too; `more` are further keys of its `tls`."""
        tls = f"{{certificate: {pair.certificate}, key: {pair.key}, ca: {self.authority.file}{more}}}"
        server = Server(policy, policy.parent / "server", settings=f"tls: {tls}\n", secure=True)
        return self._stack.enter_context(server)

    def lab(self, server: Server) -> Lab:
        """Phones for a server."""
        return self._stack.enter_context(Lab(server, self.folder))

    def phone(self, lab: Lab, user: str, *, secure: bool, believes: str = "") -> Baresip:
        """A registered baresip, by TLS or UDP."""
        server = lab.server
        phone = self._stack.enter_context(
            Baresip(
                user,
                lab.password(user),
                server.tls if secure else server.udp,
                self.folder,
                transport="tls" if secure else "udp",
                believes=believes or (self.authority.file if secure else ""),
            )
        )
        phone.wait_registered()
        return phone

    def carrier(self, *names: str, more: str = "") -> Server:
        """A server as the far end of a trunk, with a certificate for these names."""
        return self.server(self.policy("carrier"), self.authority.pair(*names), more)

    def asked(self, server: Server, name: str) -> str:
        """What OpenSSL says of the certificate that is shown for this name, and whether it is believed."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", str(server.tls), "-servername", name, "-CAfile", self.authority.file],
            input=b"",
            capture_output=True,
            timeout=20,
        )
        shown = subprocess.run(
            ["openssl", "x509", "-noout", "-ext", "subjectAltName"], input=done.stdout, capture_output=True, timeout=20
        )
        assert b"Verify return code: 0 (ok)" in done.stdout
        return shown.stdout.decode()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def test_v01_a_phone_on_tls_and_one_on_udp_call_each_other(bench: Bench) -> None:
    server = bench.server(bench.policy("secure"), bench.authority.pair("127.0.0.1", "lab.example"))
    lab = bench.lab(server)
    alice, bob = bench.phone(lab, "alice", secure=True), bench.phone(lab, "bob", secure=False)
    for caller, called in ((alice, bob), (bob, alice)):
        caller.dial(called.user)
        called.wait("CALL_INCOMING")
        called.command("accept")
        for phone in (caller, called):
            phone.wait("CALL_ESTABLISHED")
            phone.wait_heard(1.5)
        caller.hang_up()
        for phone in (caller, called):
            phone.wait("CALL_CLOSED")
        assert caller.likeness(called) > SAME
        assert called.likeness(caller) > SAME
    rows = server.show("registrations")
    assert isinstance(rows, list)
    assert {(row["user"], row["transport"]) for row in rows} == {("alice", "tls"), ("bob", "udp")}


def test_v02_openssl_is_shown_the_certificate_for_the_name_that_it_asks_for(bench: Bench) -> None:
    first, second = bench.authority.pair("one.example"), bench.authority.pair("two.example")
    more = f", certificates: [{{certificate: {second.certificate}, key: {second.key}}}]"
    server = bench.server(bench.policy("secure"), first, more)
    assert "DNS:one.example" in bench.asked(server, "one.example")
    assert "DNS:two.example" in bench.asked(server, "two.example")
    assert "DNS:one.example" in bench.asked(server, "three.example")


def test_v03_a_request_comes_and_is_answered_through_openssl(bench: Bench) -> None:
    server = bench.server(bench.policy("secure"), bench.authority.pair("lab.example"))
    request = (
        "OPTIONS sips:lab.example SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:5999;branch=z9hG4bKv03\r\nMax-Forwards: 70\r\n"
        "From: <sips:a@lab.example>;tag=1\r\nTo: <sips:lab.example>\r\nCall-ID: v03\r\nCSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    command = ["openssl", "s_client", "-quiet", "-connect", str(server.tls), "-CAfile", bench.authority.file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(request.encode())
        client.stdin.flush()
        assert client.stdout.readline() == b"SIP/2.0 200 OK\r\n"
        client.kill()


def test_v04_a_handshake_that_stands_still_hinders_nobody_and_is_given_up(bench: Bench) -> None:
    pair = bench.authority.pair("127.0.0.1")
    server = bench.server(bench.policy("secure"), pair, ", handshake: 2s")
    before = server.sizes()
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(server.tls, 5.0)) for _ in range(20)]
        lab = bench.lab(server)
        phone = bench.phone(lab, "alice", secure=True)
        for sock in silent:
            sock.settimeout(10.0)
            assert sock.recv(1) == b""
        phone.close()
    server.program.wait_line(r'TLS handshake failed .*why="no handshake within 2 s"', 5.0)
    server.wait_sizes({"connections": 0, "descriptors": before["descriptors"]}, 10.0)


def test_v05_a_trunk_that_proves_its_name_is_called(bench: Bench) -> None:
    carrier = bench.carrier("localhost")
    server = bench.server(bench.policy("secure", carrier.tls.port), bench.authority.pair("lab.example"))
    bench.lab(server).caller("call", "alice", NUMBER).wait()
    carrier.wait_sizes({"calls": 0}, 5.0)
    status = carrier.show("status")
    assert isinstance(status, dict)
    assert status["counters"]["calls"] == 1


def test_v06_a_trunk_that_does_not_is_unreachable_and_the_log_says_why(bench: Bench) -> None:
    carrier = bench.carrier("else.example")
    server = bench.server(bench.policy("secure", carrier.tls.port), bench.authority.pair("lab.example"))
    lab = bench.lab(server)
    call_id = lab.call_id()
    lab.caller("call-refused", "alice", NUMBER, call_id=call_id, status=480).wait()
    why = "its certificate is for else.example, not for localhost (RFC 5922 7.3)"
    server.program.wait_line(f"connection failed .*{re.escape(why)}", 5.0)
    assert server.records(call_id, legs=2)[1]["reason"] == why
    assert server.sizes()["connections"] == 0


def test_v07_a_trunk_that_wants_our_certificate_gets_it(bench: Bench) -> None:
    ours = Authority(bench.folder / "ours")
    carrier = bench.carrier("localhost", more=f", client_ca: {ours.file}, require_client: yes")
    shown = ours.pair("lab.example")
    more = f", client_certificate: {shown.certificate}, client_key: {shown.key}"
    policy = bench.policy("secure", carrier.tls.port)
    server = bench.server(policy, bench.authority.pair("lab.example"), more)
    bench.lab(server).caller("call", "alice", NUMBER).wait()


def test_v08_a_trunk_that_refuses_our_certificate_is_unreachable(bench: Bench) -> None:
    ours = Authority(bench.folder / "ours")
    carrier = bench.carrier("localhost", more=f", client_ca: {ours.file}, require_client: yes")
    server = bench.server(bench.policy("secure", carrier.tls.port), bench.authority.pair("lab.example"))
    bench.lab(server).caller("call-refused", "alice", NUMBER, status=480).wait()
    carrier.program.wait_line(r"TLS handshake failed .*its certificate is not believed", 5.0)


def test_v09_a_renewed_certificate_is_shown_without_a_restart(bench: Bench) -> None:
    pair = bench.authority.pair("one.example")
    server = bench.server(bench.policy("secure"), pair)
    assert "DNS:one.example" in bench.asked(server, "one.example")
    renewed = bench.authority.pair("two.example", days=20)
    shutil.copy(renewed.certificate, pair.certificate)
    shutil.copy(renewed.key, pair.key)
    server.program.wait_line(r"certificates read", 20.0)
    assert "DNS:two.example" in bench.asked(server, "two.example")
    server.program.wait_line(r"certificate ends soon .*days=19", 10.0)
    status = server.show("status")
    assert isinstance(status, dict)
    (row,) = status["certificates"]
    assert (row["names"], row["days"]) == (["two.example"], 19)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda pair: Path(pair.certificate).unlink(), r"the TLS certificate \S+ cannot be read: No such file"),
        (lambda pair: Path(pair.key).write_text("no key"), r"the TLS key \S+ cannot be read: it has to be"),
    ],
)
def test_v10_without_its_files_the_server_says_so_and_does_not_start(
    bench: Bench, spoil: Callable[[Certificate], None], said: str
) -> None:
    pair = bench.authority.pair("lab.example")
    spoil(pair)
    settings = bench.folder / "settings.yaml"
    settings.write_text(f"listen: ['tls:127.0.0.1:5061']\ntls: {{certificate: {pair.certificate}, key: {pair.key}}}\n")
    command = [
        B2BUA,
        "run",
        str(bench.policy("secure")),
        "--settings",
        str(settings),
        "--state",
        str(bench.folder / "s"),
    ]
    with Program(command, bench.folder / "log") as program:
        program.wait_line(said, 20.0)
        assert program.wait(10.0) == 1
