"""Slips that are known: what somebody meant who wrote this where it cannot stand.

Owns signs of other languages and of word processors, words of other languages and systems, and values in another form
than theirs; whole phrases are `wordings`'. `syntax` asks here first, and says else what could stand there.
"""

from __future__ import annotations

import re

import msgspec

from dsl.language import beginnings, words
from dsl.networks import NetworkError, parse_network
from dsl.vocabulary import OUTCOMES
from dsl.wordings import wording

_SIGNS = {
    "===": "compare with `==`",
    "<>": "write `!=`",
    "&&": "write `and`",
    "&": "write `and`",
    "||": "write `or`",
    "|": "write `or`",
    "!": "write `not`",
    "=>": "write `->`",
    "→": "write `->`",
    "–": "write a plain `-`",
    "—": "write a plain `-`",
    "−": "write a plain `-`",
    ";": "leave it out: statements need no sign between them",
    "'": "texts stand between double quotes",
    "//": "comments begin with `#`",
    "/*": "comments begin with `#`, and end with their line",
} | dict.fromkeys("“”„«»‘’", 'texts stand between straight quotes: `"..."`')

_INVISIBLE = {
    "\u00a0": "a no-break space",
    "\u202f": "a no-break space",
    "\u200b": "a space without width",
    "\u200c": "a space without width",
    "\u200d": "a space without width",
    "\u2060": "a space without width",
    "\ufeff": "a space without width",
    "\u00ad": "a hyphen that is not shown",
    "\u200e": "a mark of writing direction",
    "\u200f": "a mark of writing direction",
    "\u2028": "a line end of another kind",
    "\u3000": "a wide space",
}

_WORDS = {
    "if": "when",
    "elif": "when",
    "case": "when",
    "unless": "when not",
    "else": "otherwise",
    "default": "otherwise",
    "goto": "do",
    "gosub": "do",
    "call": "dial",
    "ring": "dial",
    "hangup": "reject",
    "deny": "reject",
    "return": "reject",
}
"""Words of other languages and systems, and what is written here."""

_BETWEEN = frozenset({*OUTCOMES, "and", "or", "&&", "&", "||", "|", "/", "+"})
"""What is written where a comma goes between outcomes."""

_LOOPS = frozenset({"while", "for", "foreach", "repeat", "loop"})
_UNITS = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "min": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
}
_UNIT_OF = {word: unit for unit, spelt in _UNITS.items() for word in spelt}
_AMOUNT = re.compile(r"([0-9]+)([a-z]+)").fullmatch
_CLOCK = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?([ap]m)?").match
_MASKED = re.compile(r"([0-9.]+)/([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)").match
_WILD = re.compile(r"(?:[0-9]{1,3}\.){1,3}\*(?:\.\*)*").match
_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\s*=[^=]").match
_ELSE_WHEN = re.compile(r"else\s+(?:when|if)\b").match
_WAITS = re.compile(r"(?:after|sleep|pause|delay)\b\s*([0-9]+[a-z]+)?").match
_HANGS_UP = re.compile(r"(?:hangup|hang-up|bye)\b").match
_WITHIN = re.compile(r"\bwithin\s+[a-z-]*\s*$").search
_UP_TO_THE_BODY = re.compile(r"[^\n{]*?(?=->|\{)").match
_COUNTLESS = re.compile(r"=\s*per\s+$").search
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*").fullmatch


class Slip(msgspec.Struct, frozen=True):
    """What is wrong at an offset, for `length` characters, and what to write.

    `damaged`: without so many characters nothing is wrong; 0 where that cannot be said.
    """

    at: int
    length: int
    message: str
    advice: str
    damaged: int = 0


def slip(text: str, at: int, found: str, last: str, expected: frozenset[str]) -> Slip | None:
    """The slip at this offset, where `found` stands behind the terminal `last` and `expected` could; None for no known
    one.
    """
    phrase = wording(text, at, last, expected)
    if phrase is not None:
        return _stands(phrase.at, text[phrase.at : phrase.at + phrase.length], phrase.advice)
    return (
        _text_in_a_text(text, at, found, last)
        or _between_outcomes(text, at, found, expected)
        or _sign(at, found, last, expected)
        or _word(text, at, found, last, expected)
        or _time(text, at, found, last, expected)
        or _address(text, at, last, expected)
        or _form(at, found, expected)
    )


def _stands(at: int, found: str, advice: str) -> Slip:
    return Slip(at, len(found), f"`{found}` cannot stand here", advice)


def _text_in_a_text(text: str, at: int, found: str, last: str) -> Slip | None:
    if last != "STRING" or text[at - 1] != '"':
        return None
    return Slip(at, len(found), "a text cannot have double quotes in it", "write single quotes inside")


def _between_outcomes(text: str, at: int, found: str, expected: frozenset[str]) -> Slip | None:
    if expected - {"_ARROW"} != {"_COMMA", "_LBRACE"} or found not in _BETWEEN:
        return None
    further = _UP_TO_THE_BODY(text, at)
    damaged = 0 if further is None else len(further[0])
    return Slip(at, len(found), f"`{found}` cannot stand here", "write `,` between outcomes", damaged)


def _sign(at: int, found: str, last: str, expected: frozenset[str]) -> Slip | None:
    if found == "," and "_AND" in expected and "_EXPECT" in expected:
        return _stands(at, found, "write `and`")
    if found[:1] in _INVISIBLE:
        return Slip(
            at, 1, f"{_INVISIBLE[found[0]]} stands here, which cannot be seen", "write a plain space, or nothing"
        )
    if found == "=" and "_EQUAL" in expected:
        return _stands(at, found, "compare with `==`")
    if found in ("=", ":") and words().get(last, "=")[0].isalpha() and "_IS_SET_TO" not in expected:
        return _stands(at, found, "leave it out: the value follows at once")
    if found in (":", ":=") and "_IS_SET_TO" in expected:
        return _stands(at, found, "write `=`")
    if found in ("=", "==") and last == "_NOT":
        return _stands(at, found, "write `!=`")
    if found == "==" and last == "_EQUAL":
        return _stands(at, found, "compare with `==`")
    if found == "(" and last in ("_DIAL", "_FORWARD", "_REJECT", "_REDIRECT", "_ANSWER"):
        return _stands(at, found, "no parentheses: write what follows behind a space")
    return _stands(at, found, _SIGNS[found]) if found in _SIGNS else None


def _word(text: str, at: int, found: str, last: str, expected: frozenset[str]) -> Slip | None:
    if found == "on" and beginnings("outcome") <= expected:
        return Slip(at, 2, "`on` cannot stand here", "leave it out: an outcome is written `busy -> ...`", 2)
    begins_rule = beginnings("_statement") <= expected
    if begins_rule and _ELSE_WHEN(text, at):
        return _stands(at, "else", "leave it out: rules are tried from the top, and the first that holds decides")
    if begins_rule and found in _LOOPS:
        return _stands(at, found, "nothing is repeated here: a rule is written once for each case")
    if begins_rule and _ASSIGNED(text, at):
        return _stands(at, found, "nothing is set here: names are given by declarations, and by `as` in `lookup`")
    if "_ARROW" in expected and found in ("then", "do", ":"):
        return _stands(at, found, "write `->`")
    if "_ARROW" in expected and found in {words()[name] for name in beginnings("_action")}:
        return Slip(at, len(found), f"`->` is missing before `{found}`", f"write `-> {found}`")
    if beginnings("_step") <= expected and (meant := _sentence(text, at)) is not None:
        return _stands(at, found, meant)
    if found == "ring" and "_RINGS" in expected:
        return Slip(at, 4, "unknown word `ring`", "did you mean `rings`?")
    if found == "and" and "_THEN" in expected:
        return _stands(at, found, "who rings together comes before the time; write `then` for who rings afterwards")
    if found == "password" and "_SECRET" in expected:
        return _stands(at, found, 'write `secret "NAME"`, and the password below that name in `secrets.yaml`')
    if expected == {"_COLON"} and found == ")":
        name = text[:at].split("(")[-1].split(",")[-1].strip()
        return Slip(at, 1, f"`{name}` has no type", f"write `{name}: user`, `{name}: number` or `{name}: text`")
    if expected == {"_DOT"} and _COUNTLESS(text[:at]):
        return Slip(at, len(found), "how many is missing before `per`", "write a number, such as `40 per 1h`")
    known = {words()[name] for name in expected if name in words()}
    meant = _WORDS.get(found)
    if meant is not None and meant.split()[0] in known and found not in known:
        return Slip(at, len(found), f"unknown word `{found}`", f"did you mean `{meant}`?")
    return None


def _sentence(text: str, at: int) -> str | None:
    """What to write for a sentence of a test that is known to be written otherwise."""
    if waits := _WAITS(text, at):
        return f"write `wait {waits[1]}`" if waits[1] else "time passes with `wait 20min`"
    return "write `hang up`" if _HANGS_UP(text, at) else None


def _time(text: str, at: int, found: str, last: str, expected: frozenset[str]) -> Slip | None:
    amount = _AMOUNT(found)
    if _WITHIN(text[:at]) and _CLOCK(found) is not None:
        advice = "hours are declared, `hours open = mon-fri 08:00-18:00`, and asked for by name, `within open`"
        return _stands(at, found, advice)
    if "DURATION" in expected and amount is not None and amount[2] in _UNIT_OF:
        return _stands(at, found, f"write `{amount[1]}{_UNIT_OF[amount[2]]}`")
    if "DURATION" in expected and found in _UNIT_OF:
        return _stands(at, found, f"write `1{_UNIT_OF[found]}`")
    if last == "NUMBER" and found in _UNIT_OF and "DURATION" not in expected:
        number = text[:at].split()[-1]
        return _stands(at, found, f"write `{number}{_UNIT_OF[found]}`, without a space")
    if "TIME" in expected and (clock := _CLOCK(text, at)) is not None:
        hour = int(clock[1]) % 12 + 12 * (clock[3] == "pm") if clock[3] else int(clock[1])
        return _stands(at, clock[0], f"write `{hour:02}:{clock[2] or '00'}`")
    if last == "TIME" and found[:2] in ("am", "pm"):
        written, _, minute = text[:at].split("-")[-1].split()[-1].partition(":")
        clock_hour = int(written) % 12 + 12 * (found[0] == "p")
        return Slip(
            at,
            2,
            f"`{found[:2]}` cannot stand here",
            f"times go from `00:00` to `24:00`: write `{clock_hour:02}:{minute}`",
        )
    if "DAY" in expected and _WORD(found):
        days = [day[:3].lower() for day in found.split("-")]
        if all(day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun") for day in days):
            return _stands(at, found, f"write `{'-'.join(days)}`")
    return None


def _address(text: str, at: int, last: str, expected: frozenset[str]) -> Slip | None:
    begins = max(text.rfind(sign, 0, at) for sign in " \t\n,=") + 1
    if last == "NETWORK" and (masked := _MASKED(text, begins)) is not None:
        try:
            advice = f"write `{parse_network(f'{masked[1]}/{_length(masked[2])}')}`"
        except NetworkError as error:
            advice = error.advice
        return Slip(begins, len(masked[0]), f"`{masked[0]}` has a mask", advice)
    wild = _WILD(text, begins)
    if (last == "NETWORK" or "NETWORK" in expected) and wild is not None:
        parts = [part for part in wild[0].split(".") if part != "*"]
        network = f"{'.'.join([*parts, '0', '0', '0', '0'][:4])}/{8 * len(parts)}"
        return Slip(begins, len(wild[0]), f"`{wild[0]}` is no network", f"write `{network}`")
    if last == "HOST" and text[at : at + 1] == ":":
        return Slip(begins, at + 1 - begins, "a host stands alone here", "leave out what is no part of its name")
    return None


def _length(mask: str) -> int:
    return sum(int(part).bit_count() for part in mask.split("."))


def _form(at: int, found: str, expected: frozenset[str]) -> Slip | None:
    quoted = len(found) > 1 and found[0] == found[-1] == '"'
    inside = found.strip('"')
    if quoted and "PATTERN" in expected and "STRING" not in expected:
        return Slip(
            at, len(found), f"`{found}` is a text, and a pattern goes here", f"write it between backticks: `{inside}`"
        )
    if (
        quoted
        and expected & {"HOST", "NUMBER", "NAME", "PLUS_NUMBER"}
        and "STRING" not in expected
        and "_" not in found
    ):
        if "NUMBER" in expected and not inside.isdigit():
            return None
        return Slip(at, len(found), f"`{found}` has quotes", f"write `{inside}`")
    if expected == {"STRING"} and _WORD(found):
        return Slip(at, len(found), f"`{found}` is no text", f'write `"{found}"`')
    if "PLUS_NUMBER" in expected:
        number = found if found.isdigit() else "49"
        return Slip(at, len(found), f"`{found}` is no country code", f"one is written `+{number}`")
    if "NETWORK" in expected and "NAME" not in expected and _WORD(found.split(".")[0]):
        return Slip(
            at, len(found), f"`{found}` is no address", "names are not looked up here: write `192.0.2.10` or a network"
        )
    return None
