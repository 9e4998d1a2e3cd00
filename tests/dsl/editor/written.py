"""A small policy with its files, and what somebody writes into it: `|` is where they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dsl.editor.view import View, inspect
from dsl.files import Files

OFFICE = """\
policy  "office"
domain  office.example
country +49
emergency 112
users   staff  from "users.yaml"
group   desk   = alice, carol
group   first  in turn = alice, carol
net     office = 10.20.0.0/16
sound   jazz   = "jazz.wav"
hours   open   = mon-fri 08:00-18:00 except "holidays.yaml"
limit   toll   = 40 per 1h for each caller
table   dids   from "dids.csv" key number
numbers bad    from "bad.txt"
numbers vips   = 200 to 299

trunk pstn {
  uri      "sip:gw.carrier.example"
  channels 30
}
trunk backup { uri "sip:gw.other.example" }
trunks out in turn = pstn, backup

on register {
  when not authenticated -> challenge
  otherwise              -> accept max 3 contacts expires 60s to 1h
}

on call {
  when dialed is emergency and (source in office or authenticated) -> dial dialed via pstn
  when not authenticated           -> challenge
  when lookup dids dialed as line  -> do ring(line.user)
  when dialed matches `9{n:X(3-9)}` and not within open -> dial e164(n) via pstn for 20s then bob
  when dialed matches `8{n:X(3-9)}` -> dial e164(n) via out
  when dialed in bad or caller in (desk, bob) -> reject 403 "not you"
  when over toll                   -> reject 503
  otherwise                        -> do ring(callee)
}

sub ring(who: user) {
  also when who == user "anna.m"   -> tag team "{who.mobile}"
  when who == alice                -> dial alice for 20s { busy -> reject 486 }
  otherwise                        -> dial who
}

on hold { otherwise -> play jazz to held loop }

test "alice rings" {
  given first begins with carol
  given out begins with pstn
  call from alice to bob
  expect dial bob
}
"""

USERS = """\
# Everybody
alice: {password: wonderland, extension: 201, number: "+4930123201", display: Alice, mobile: "+49171"}
bob:
  password: builder
"carol": {password: singer}
anna.m: {password: secret, mobile: "+49172"}
"""

FILES = {
    "office.route": OFFICE,
    "users.yaml": USERS,
    "holidays.yaml": "- 2026-12-24\n",
    "dids.csv": "number,user\n+4930123201,alice\n",
    "bad.txt": "+4930555001\n",
}


def write(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    """Put the files into a folder; the office's path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "office.route"


def place(marked: str) -> tuple[str, int, int]:
    """A text without its `|`, and the line and column where that stood."""
    before, _, after = marked.partition("|")
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")


def view(path: Path, text: str) -> View:
    """The policy at a path while this is written in it."""
    return inspect(path, Files({path: text})).view


def found(text: str, marked: str) -> tuple[int, int]:
    """Line and column of the `|` in words that stand in the text once."""
    before, _, after = marked.partition("|")
    assert text.count(before + after) == 1, marked
    _, line, column = place(text.replace(before + after, marked))
    return line, column
