"""The names, numbers and files of a generated policy, and the texts from which its values and its facts are drawn."""

import io
import wave
from dataclasses import dataclass, field
from random import Random

NAMES = ("alice", "bob", "carol", "anna.schmidt", "dora", "held", "within", "user", "target")
"""Users; one has a dot, and some are called like words of the language, or like facts of some events."""

ATTRIBUTES = ("mobile", "boss", "site", "lines")
NUMBERS = ("+4930111111", "+4930222222", "030222222", "0301234567", "00491511234567", "+441632960123", "01511234567")
SHORT = ("100", "101", "1012", "201", "202", "203", "*43", "9100", "90301234567")
EMERGENCY = ("110", "112")
TEXTS = ("yes", "no", "b", "anonymous", "support", "1", "2")
DIGITS = (
    "100",
    "101",
    "1012",
    '"202"',
    '"+4930222222"',
    '"*43"',
    "`20X`",
    "`+49X(6-12)`",
    "110 to 199",
    "1000 to 1009",
)
"""Numbers to dial, forms and ranges of them, none in another."""
ADDRESSES = ("10.1.0.9", "10.2.0.9", "192.0.2.1", "198.51.100.3", "203.0.113.77", "2001:db8:20::9", "2001:db8:21::9")
NETWORKS = ("10.0.0.0/8", "10.1.0.0/16", "192.0.2.1", "198.51.100.0/28", "2001:db8:20::/48", "203.0.113.64/26", "::1")
URIS = ("sip:help@partner.example", "sips:desk@partner.example", "tel:+4930999999")
HEADERS = ("X-A", "Subject", "P-Early-Media")
HOSTS = ("acme.example", "pbx.acme.example", "198.51.100.200", "[2001:db8::5]")
TRUNKS = ("pstn", "backup", "partner")
MOMENTS = tuple(1782727200.0 + hours * 3600.0 for hours in (0, 9, 13, 60, 4300))
"""Seconds since the epoch: a Monday in June 2026 and later."""


@dataclass
class Vocabulary:
    """What a policy declares, by kind. `columns` are a table's.

    `together` are groups that ring at once, `begins` those whose order changes, with their members.
    """

    random: Random
    users: dict[str, dict[str, str]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    together: list[str] = field(default_factory=list)
    trunk_groups: list[str] = field(default_factory=list)
    begins: dict[str, list[str]] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    nets: list[str] = field(default_factory=list)
    sounds: list[str] = field(default_factory=list)
    hours: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    trunks: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    emergency: tuple[str, ...] = ()

    def some(self, items, least=1, most=3):
        """A few of these, each once."""
        items = list(items)
        return self.random.sample(items, min(len(items), self.random.randint(least, most)))

    def dialled(self):
        """A text that somebody might dial here."""
        choice = self.random.random()
        if choice < 0.2:
            return self.random.choice(list(self.users))
        if choice < 0.35:
            return self.random.choice(self.emergency or EMERGENCY)
        if choice < 0.4:
            return "urn:service:sos.fire"
        extensions = [user["extension"] for user in self.users.values() if "extension" in user]
        return self.random.choice([*NUMBERS, *SHORT, *extensions, *TEXTS[3:]])

    def callee(self, dialed):
        """The user whose name or extension was dialled."""
        return next((name for name, user in self.users.items() if dialed in (name, user.get("extension", name))), None)

    def number(self):
        return self.random.choice(NUMBERS + SHORT)

    def pattern(self, capture=None):
        """A pattern, often of the form of some number here; `capture` gives names for what it captures."""
        number = self.random.choice(NUMBERS + SHORT)
        kept = self.random.randint(0, min(4, len(number) - 1))
        rest = len(number) - kept
        least = max(1, rest - self.random.randint(0, 3))
        counts = [f"({least}-{rest + self.random.randint(0, 3)})", f"({rest})", "(3)", f"(0-{rest})"]
        tail = self.random.choice(["X"] * 6 + ["N", "Z", "[0-4]", "[1,3,5-9]"]) + self.random.choice(counts)
        if rest == 1 or (tail.endswith(")") and "(0-" in tail and kept == 0):
            tail = "X"
        head = number[:kept]
        if capture is None:
            return head + tail
        whole, part = f"{head}{{{capture[0]}:{tail}}}", f"{head}{{{capture[0]}:X}}"
        return (
            part + (f"{{{capture[1]}:{tail}}}" if len(capture) > 1 else tail) if rest > 1 and len(tail) > 1 else whole
        )


def declare_users(words):
    """`users.yaml` with everybody, and extensions that each belong to one."""
    random = words.random
    extensions = ["201", "202", "203", "204", "*43", "9100"]
    random.shuffle(extensions)
    for name in [*NAMES[:4], *random.sample(NAMES[4:], random.randint(0, 3))]:
        user = {"password": "secret"}
        if random.random() < 0.6 and extensions:
            user["extension"] = extensions.pop()
        for attribute in ("number", "display", *ATTRIBUTES):
            if random.random() < 0.5:
                user[attribute] = _attribute(attribute, random)
        words.users[name] = user
    for attribute in ATTRIBUTES:
        words.users["alice"].setdefault(attribute, _attribute(attribute, random))
    lines = [f"{name}: {_mapping(user.items())}" for name, user in words.users.items()]
    words.files["users.yaml"] = ("\n".join(lines) + "\n").encode()


def _attribute(attribute, random):
    if attribute == "boss":
        return random.choice(NAMES[:5])
    if attribute == "lines":
        return random.choice(("1", "2", "10"))
    if attribute == "site":
        return random.choice(TEXTS)
    if attribute == "display":
        return random.choice(["Alice", "Front desk"])
    return random.choice([*NUMBERS, "sip:away@home.example"] if attribute == "mobile" else NUMBERS)


def _mapping(texts):
    inside = ", ".join(f'{key}: "{text}"' for key, text in texts if text)
    return f"{{{inside}}}"


def table(words, name, kind):
    """A CSV or YAML file of rows, which name trunks where there are any; returns what declares it."""
    random = words.random
    columns = ("via", "user", "code")
    keys = {"number": NUMBERS + SHORT, "prefix": ("+49", "+4930", "10", "101", "0", "9"), "text": TEXTS + NAMES[:3]}[
        kind
    ]
    seen, rows = set(), []
    for key in words.some(keys, 2, 6):
        if _key(key) in seen:
            continue
        seen.add(_key(key))
        ways = [*words.trunks, *words.trunk_groups] or TEXTS
        cells = [
            random.choice(["", *ways] if rows else ways),
            random.choice(["", *NAMES[:5], "203"]),
            random.choice(NUMBERS),
        ]
        rows.append((key, *cells))
    if random.random() < 0.7:
        file = f"{name}.csv"
        lines = [",".join(("key", *columns)), *(",".join(row) for row in rows)]
    else:
        file = f"{name}.yaml"
        lines = [f'"{key}": {_mapping(zip(columns, cells, strict=True))}' for key, *cells in rows]
    words.files[file] = ("\n".join(lines) + "\n").encode()
    words.tables[name] = ("key", *columns)
    return f'table {name} from "{file}" key {kind}'


def _key(text):
    """What is one number, however it is written here."""
    return text.replace("+49", "0", 1) if text.startswith("+49") else text.replace("0049", "0", 1)


def wav():
    """A short sound."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(320))
    return made.getvalue()
