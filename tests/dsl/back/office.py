"""A small policy to ask, its files, and an ambient that says what it was told to say."""

import msgspec

from dsl.compile_files import load_setup
from dsl.decision import Facts
from dsl.parser import parse
from dsl.policy import Policy, load
from tests.dsl.ambient import Asked

USERS = """\
alice: {password: wonderland, extension: 201, number: "+4930111111"}
bob: {password: builder, extension: 202, mobile: "015112345678"}
carol: {password: christmas}
"""

SCRIPT = """\
policy "acme-office"
domain acme.example, pbx.acme.example
timezone "Europe/Berlin"
country +49
emergency 110, 112
users staff from "users.yaml"
group desk = alice, carol
net office = 10.20.0.0/16, 2001:db8:20::/48
hours open = mon-fri 08:00-18:00 except "holidays.yaml"
limit toll = 40 per 1h for each caller
limit doors = 5 at once for each source
table dids from "dids.csv" key number

trunk pstn {
  uri "sip:gw.carrier.example"
  peers 198.51.100.0/28
  login "acme" secret "pstn"
  number e164
  from account
  allow `+49X(6-12)`
  failover 603
}
trunk plain { uri "sip:plain.example" number plain }
trunk pbx { uri "sip:pbx.example" peers 198.51.100.0/24 }

on register {
  when not authenticated -> challenge
  otherwise              -> accept max 3 contacts expires 60s to 1h
}

on call {
  when dialed is emergency and (source in office or authenticated) -> dial dialed via pstn
  when from trunk pstn {
    also when caller.number is not absent -> tag from caller.number
    when lookup dids dialed as line -> do ring(line.user)
    otherwise -> reject 404
  }
  when over doors and not authenticated -> reject 486
  when not authenticated -> challenge
  also when caller in desk -> tag team "desk", set header "X-Said" to header "X-Says", log dialed
  when dialed == "carol" -> dial carol for 20s then alice and bob else bob.mobile via pstn progress 4s {
    busy -> dial alice
    no-answer { when target == bob -> reject 486
      otherwise -> forward bob.mobile via pstn notify 180 }
  }
  when callee in staff -> do ring(callee)
  when dialed matches `0X(6-14)` {
    when over toll -> reject 403 "hourly limit reached"
    otherwise      -> dial e164(dialed) via pstn for 60s
  }
  when dialed matches `9{rest:X(3-9)}` -> dial e164(rest) via pstn
  when dialed == "away" -> redirect 302 alice
  when dialed == "gone" -> redirect 302 caller.mobile
  otherwise -> reject 404
}

sub ring(who: user) {
  when who == bob -> forward bob.mobile via pstn for 25s
  when who is absent -> reject 480
  when who is busy and not within open -> reject 480 "we are closed"
  otherwise -> dial who { failure -> forward who.number via pstn }
}

on redirect {
  when dialed == "alice" -> redirect 302 redirected
  otherwise              -> dial redirected
}
"""


class Ambient(Asked):
    """Says yes to what it was given, and remembers every question."""

    def __init__(self, *true):
        self.true = set(true)
        self.questions = []

    def _say(self, *question):
        self.questions.append(question)
        return question in self.true or question[:2] in self.true


def write(folder, script=SCRIPT, users=USERS):
    (folder / "users.yaml").write_text(users)
    (folder / "holidays.yaml").write_text("- 2026-12-24\n")
    (folder / "dids.csv").write_text("number,user\n030 555001,alice\n030555002,202\n030555003,nobody\n")
    secrets = folder / "secrets.yaml"
    secrets.write_text("pstn: {password: s3cret}\n")
    secrets.chmod(0o600)
    path = folder / "office.route"
    path.write_text(script)
    return path


def unchecked(folder, script):
    """The policy as it decides, without asking whether it is sound: for scripts of a thousand rules."""
    path = write(folder, script)
    tree, problems = parse(script, str(path)), []
    loaded = load_setup(tree, path, problems)
    assert problems == []
    return Policy(tree, path, loaded.setup, loaded.version, [])


def office(folder, script=SCRIPT, users=USERS):
    return load(write(folder, script, users))


NOON = 1782900000.0
"""A Wednesday at noon in Berlin."""

NIGHT = NOON + 12 * 3600


def facts(policy, dialed=None, caller=None, **given):
    plain = Facts(time=NOON, source="192.0.2.7", transport="udp", ambient=Ambient())
    known = {"dialed": dialed, "callee": policy.callee(dialed), "caller": caller, "authenticated": caller is not None}
    return msgspec.structs.replace(plain, **(known | given))
