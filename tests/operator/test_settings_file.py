"""Settings: read as they are meant, and told where they are wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from b2bua.operator.settings_file import DEFAULT_LISTEN, SettingsError, read_settings, unusable
from b2bua.settings import (
    Certificate,
    Hep,
    History,
    Host,
    Http,
    Limits,
    Listener,
    Media,
    Messages,
    NameServer,
    Records,
    Registration,
    Reload,
    Security,
    SessionTimers,
    Settings,
    Timers,
    Tls,
)
from b2bua.sip.limits import MessageLimits

EVERYTHING = """\
listen: [udp:127.0.0.1:5060, "tcp:[::1]:5062"]
advertise: 203.0.113.5
advertise_in: {10.0.0.0/8: 10.1.2.3, "2001:db8::/32": "2001:db8::5"}
proxies: [10.0.0.64/28, "2001:db8::9"]
name_servers: [192.0.2.53, 127.0.0.1:5353, "[::1]:5353", "2001:db8::53"]
algorithms: [sha-256, MD5]
nonce_lifetime: 5min
timers: {t1: 500ms, t2: 4, t4: 5s}
registration:
  min_expires: 1min
  max_expires: 2h
  default_expires: 600
  max_contacts: 3
limits: {max_calls: 100, max_pending: 50, retry_after: 20s, messages: {header_octets: 8192, values: 40}}
session_timers: {expires: 30min, min_se: 2min}
media: {hosts: [127.0.0.1, "::1"], first_port: 30000, last_port: 30999}
history: {calls: 1000, age: 7d, messages: {octets: 1.5 GB, age: 1d, all_below: 5, sample: off}}
tls:
  certificate: own.pem
  key: /etc/own.key
  certificates: [{certificate: other.pem}, {certificate: third.pem, key: third.key}]
  ca: ca.pem
  client_ca: clients.pem
  require_client: yes
  client_certificate: trunk.pem
  client_key: trunk.key
  unverified: [GW.example, 192.0.2.1]
  minimum: 1.3
  handshake: 3s
reload: {watch: off, percent: 5, max_age: 12h}
security:
  failures: 3
  within: 10min
  bans: [5min, 1h]
  tries: 6
  account_bans: off
  trusted: [10.0.0.0/8]
  contacts: [192.0.2.64/28]
  registers: 20
  strangers: off
http: {listen: "[::1]:9560"}
records: {csv: Master.csv, webhook: "https://crm.example/calls?a=b", secret: /etc/key}
hep: {to: 192.0.2.9:9060, capture_id: 7, password: secret}
grace: 1.5
max_call: 1d
user_agent: acme 1.0
"""


SECURE = (Listener("TLS", "127.0.0.1", 5061),)
OURS = Tls("own.pem")


def read(folder: Path, text: str) -> Settings:
    path = folder / "settings.yaml"
    path.write_text(text)
    return read_settings(path)


def wrong(folder: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        read(folder, text)
    return str(error.value).replace(f"{folder}/", "").splitlines()


def test_every_field_can_be_set(tmp_path: Path) -> None:
    assert read(tmp_path, EVERYTHING) == Settings(
        listen=(Listener("UDP", "127.0.0.1", 5060), Listener("TCP", "::1", 5062)),
        advertise="203.0.113.5",
        advertise_in=(("10.0.0.0/8", "10.1.2.3"), ("2001:db8::/32", "2001:db8::5")),
        proxies=("10.0.0.64/28", "2001:db8::9/128"),
        name_servers=(
            NameServer("192.0.2.53"),
            NameServer("127.0.0.1", 5353),
            NameServer("::1", 5353),
            NameServer("2001:db8::53"),
        ),
        algorithms=("SHA-256", "MD5"),
        nonce_lifetime=300.0,
        timers=Timers(0.5, 4.0, 5.0),
        registration=Registration(60, 7200, 600, 3),
        limits=Limits(100, 50, 20, MessageLimits(header_octets=8192, values=40)),
        session_timers=SessionTimers(1800, 120),
        media=Media(("127.0.0.1", "::1"), 30_000, 30_999),
        history=History(1000, 604_800.0, Messages(1_500_000_000, 86_400.0, 5, 0)),
        tls=Tls(
            certificate=f"{tmp_path}/own.pem",
            key="/etc/own.key",
            certificates=(
                Certificate(f"{tmp_path}/other.pem"),
                Certificate(f"{tmp_path}/third.pem", f"{tmp_path}/third.key"),
            ),
            ca=f"{tmp_path}/ca.pem",
            client_ca=f"{tmp_path}/clients.pem",
            require_client=True,
            client_certificate=f"{tmp_path}/trunk.pem",
            client_key=f"{tmp_path}/trunk.key",
            unverified=("gw.example", "192.0.2.1"),
            minimum="1.3",
            handshake=3.0,
        ),
        security=Security(3, 600.0, (300.0, 3600.0), 6, (), ("10.0.0.0/8",), ("192.0.2.64/28",), 20, 0),
        reload=Reload(0.0, 5, 43_200.0),
        http=Http(Host("::1", 9560)),
        records=Records(f"{tmp_path}/Master.csv", "https://crm.example/calls?a=b", "/etc/key"),
        hep=Hep(Host("192.0.2.9", 9060), 7, "secret"),
        grace=1.5,
        max_call=86_400.0,
        user_agent="acme 1.0",
    )
    assert {field.name for field in msgspec.structs.fields(Settings)} == {
        line.partition(":")[0] for line in EVERYTHING.splitlines() if not line.startswith(" ")
    }


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Settings(DEFAULT_LISTEN)
    assert read(tmp_path, "session_timers: {expires: off}").session_timers == SessionTimers(0, 90)
    assert read(tmp_path, "timers: {t1: 1}") == Settings(DEFAULT_LISTEN, timers=Timers(t1=1.0))


def test_an_unknown_key_is_shown_with_the_nearest_one(tmp_path: Path) -> None:
    assert wrong(tmp_path, "grase: 30s") == [
        "settings.yaml:1:1: error: `grase` is unknown here",
        "  grase: 30s",
        "  ^^^^^ did you mean `grace`?",
    ]


def test_a_wrong_unit_is_shown_at_its_place(tmp_path: Path) -> None:
    assert wrong(tmp_path, "registration:\n  min_expires: 5 minutes\n") == [
        "settings.yaml:2:16: error: `5 minutes` is no duration",
        "  min_expires: 5 minutes",
        "               ^^^^^^^^^ write seconds, or such as `30s`, `5min` or `1h`",
    ]


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """\
listen: [udp:127.0.0.1, udp:localhost:5060, udp:127.0.0.1:70000, udp:127.0.0.1:5060, udp:127.0.0.1:5060]
advertise: example.com
advertise_in: {10.0.0.1/8: 10.1.2.3, nowhere: 10.1.2.3, 10.0.0.0/8: "::1", 10.0.0.0/9: 10.1.2.3}
proxies: [10.0.0.0/40]
name_servers: [dns.example, 192.0.2.53:0, "[::1"]
algorithms: [sha-1]
timers: 5
limits: {max_calls: many, max_calls: 0, retry_after: 1.5s}
registration: {max_expires: -1}
session_timers: {expires: never, min_se: 1.5}
media: {hosts: [here], first_port: 80, last_port: none}
user_agent: "a\\nb"
reload: {watch: seldom, percent: 0, max_age: none}
tls: {certificate: [], require_client: maybe, unverified: ["gw.example:5061"], minimum: 1.1, certificates: [a.pem]}
"""
    assert [line.split(": error: ")[1] for line in wrong(tmp_path, text) if ": error: " in line] == [
        "`udp:127.0.0.1` is no listen address",
        "`localhost` is no IP address",
        "`70000` is no port: 1 to 65535",
        "this stands here twice",
        "`example.com` is no IP address",
        "`10.0.0.1/8` has bits beyond its length",
        "`nowhere` is no network",
        "`::1` cannot be reached from 10.0.0.0/8",
        "`10.0.0.0/40` is no network",
        "`dns.example` is no IP address",
        "`0` is no port: 1 to 65535",
        "`[::1` is no name server",
        "`sha-1` is no algorithm here",
        "`name: value` is wanted for `timers`",
        "`many` is no count",
        "`max_calls` stands here twice",
        "`retry_after` is counted in whole seconds",
        "`-1` is no duration",
        "`never` is no duration",
        "`min_se` is counted in whole seconds",
        "`here` is no IP address",
        "`80` is no port for media",
        "`none` is no port for media",
        "this cannot stand in a header",
        "`seldom` is no duration",
        "`0` is no percentage",
        "`none` is no duration",
        "`certificate` is a text, not a list or a mapping",
        "`maybe` is neither yes nor no",
        "`gw.example:5061` is no host",
        "`1.1` is no version of TLS here",
        "`name: value` is wanted for a certificate",
    ]


def test_what_is_no_yaml_is_told_at_its_place(tmp_path: Path) -> None:
    assert wrong(tmp_path, "grace: 30s\nlisten: [udp\n")[0].startswith(
        "settings.yaml:2:9: error: this bracket is not closed"
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (Settings(DEFAULT_LISTEN), None),
        (Settings((Listener("UDP", "0.0.0.0", 5060),), advertise="192.0.2.1"), None),
        (Settings((Listener("UDP", "0.0.0.0", 5060),)), "phones cannot send to `0.0.0.0`"),
        (Settings(DEFAULT_LISTEN, media=Media(first_port=0, last_port=0)), None),
        (Settings(DEFAULT_LISTEN, media=Media(first_port=30_000, last_port=30_000)), "`last_port` has to be above"),
        (Settings(SECURE, tls=OURS), None),
        (Settings(SECURE), "who listens on `tls:127.0.0.1` needs a certificate"),
        (Settings(DEFAULT_LISTEN, tls=OURS), "`tls` is set, but nothing listens by it"),
        (Settings(SECURE, tls=Tls("own.pem", require_client=True)), "`require_client` needs `client_ca`"),
        (Settings(SECURE, tls=Tls("own.pem", client_key="a")), "`client_key` needs its `client_certificate`"),
        (Settings(SECURE, tls=Tls("own.pem", certificates=(Certificate(),))), "each of `certificates` needs"),
        (Settings(DEFAULT_LISTEN, limits=Limits(messages=MessageLimits(1000))), "`header_octets` has to be at least"),
        (Settings(DEFAULT_LISTEN, security=Security(bans=(60.0, 30.0))), "each of `bans` has to be longer"),
        (Settings(DEFAULT_LISTEN, security=Security(account_bans=(2.0, 1.0))), "each of `account_bans` has to be"),
        (Settings(DEFAULT_LISTEN, timers=Timers(t1=5.0)), "`t1` cannot be longer than `t2`"),
        (Settings(DEFAULT_LISTEN, session_timers=SessionTimers(0)), None),
        (Settings(DEFAULT_LISTEN, session_timers=SessionTimers(60)), "`expires` of `session_timers` cannot be below"),
        (Settings(DEFAULT_LISTEN, registration=Registration(default_expires=30)), "`default_expires` has to lie"),
    ],
)
def test_what_does_not_fit_together_is_told(settings: Settings, sentence: str | None) -> None:
    said = unusable(settings)
    assert said is None if sentence is None else said is not None and said.startswith(sentence)


def test_calls_need_not_be_kept(tmp_path: Path) -> None:
    assert read(tmp_path, "history: {calls: off}\n").history == History(calls=0)


def test_how_much_is_kept_of_messages_is_a_size(tmp_path: Path) -> None:
    for text, octets in (("off", 0), ("800", 800), ("1kB", 1000), ("500 MB", 500_000_000), ("0.5GB", 500_000_000)):
        messages = read(tmp_path, f"history: {{messages: {{octets: {text}}}}}\n").history.messages
        assert messages == Messages(octets=octets)
    for text in ("0", "many", "5 TB", "-1"):
        [said] = wrong(tmp_path, f"history: {{messages: {{octets: {text}}}}}\n")[0::3]
        assert said == f"settings.yaml:1:30: error: `{text}` is no size"


def test_contacts_may_lead_anywhere_and_nobody_need_be_banned(tmp_path: Path) -> None:
    found = read(tmp_path, "security: {contacts: any, bans: off, tries: off}\n").security
    assert (found.contacts, found.bans, found.tries) == (("any",), (), 0)
    assert wrong(tmp_path, "security: {contacts: [any], bans: [soon], failures: off}\n")[0::3] == [
        "settings.yaml:1:23: error: `any` is no network",
        "settings.yaml:1:36: error: `soon` is no duration",
        "settings.yaml:1:53: error: `off` is no count",
    ]
