"""What a script declares, with the files behind it, into a `Setup`: all problems at once, each at its place.

Owns reading users, sounds, tables and holidays, each relative to the file that names it, and secrets beside the main
file; and which of their contents belong to the policy's version. Names in the rules are `resolve`'s and `check`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dsl import tree
from dsl.compile_hours import HoursReader
from dsl.compile_numbers import declared_numbers
from dsl.compile_setup import Limit, Setup
from dsl.compile_trunks import compiled_trunk, read_networks
from dsl.diagnostics import Problem, Source
from dsl.files import Files
from dsl.holidays import load_holidays
from dsl.hours import Days, Hours
from dsl.hunt_groups import HuntGroup
from dsl.include import beside
from dsl.networks import Network
from dsl.number_sets import NumberSet, load_numbers
from dsl.numbers import NumberPlan, UnknownCountryError, plan_for, without_separators
from dsl.secrets_file import Entry, read_secrets
from dsl.sounds import Sound, SoundError, read_sound
from dsl.tables import Kind, Table, load_table
from dsl.users import Directory, Earlier, read_users

_KINDS: dict[str, Kind] = {"number": "number", "prefix": "prefix", "text": "text"}

Read = TypeVar("Read")


class Loaded(msgspec.Struct, frozen=True):
    """A setup, and the hash of all that makes up its version: script, tables, hours, sounds and users without
    credentials.
    """

    setup: Setup
    version: str


def load_setup(script: tree.Script, path: Path, problems: list[Problem], files: Files | None = None) -> Loaded:
    """Read everything that the script at `path` declares, noted in `files`; what is wrong is added to `problems`."""
    reader = _Reader(script, path, problems, files or Files())
    setup = reader.setup()
    digest = hashlib.sha256(script.source.encode())
    for included in script.included:
        digest.update(f"\0{included.name}\0{len(included.source)}\0{included.source}".encode())
    for name, content in sorted(reader.contents.items()):
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    for user in setup.directory.users.values():
        # One by one: all at once would hold up whatever else goes on in this process.
        digest.update(msgspec.json.encode(user, order="sorted"))
    return Loaded(setup, digest.hexdigest()[:16])


class _Reader:
    def __init__(self, script: tree.Script, path: Path, problems: list[Problem], files: Files) -> None:
        self.script = script
        self.files = files
        self.folder = path.parent
        self.source = Source.of(script)
        self.problems = problems
        self.contents: dict[str, bytes] = {}
        self.plan = NumberPlan()
        self.zone = ZoneInfo("UTC")

    def all_of(self, kind: type[Read]) -> list[Read]:
        return [declaration for declaration in self.script.declarations if isinstance(declaration, kind)]

    def setup(self) -> Setup:
        self.plan = self._plan()
        self.zone = self._zone()
        domains = tuple(host.value for domain in self.all_of(tree.Domain) for host in domain.hosts)
        directory, groups = self._users(domains[0] if domains else "")
        numbers = [number.value for declared in self.all_of(tree.Emergency) for number in declared.numbers]
        callees = {user.extension: user.name for user in directory.users.values() if user.extension is not None}
        for name in directory.users:
            callees[name] = name
        secrets = self._secrets()
        return Setup(
            directory=directory,
            plan=self.plan,
            zone=self.zone,
            domains=domains,
            emergency=frozenset(without_separators(number) for number in numbers),
            groups=groups,
            hunt_groups={group.name.text: _hunt_group(group) for group in self.all_of(tree.Group)},
            trunk_groups={group.name.text: _hunt_group(group) for group in self.all_of(tree.Trunks)},
            numbers={numbers.name.text: self._numbers(numbers) for numbers in self.all_of(tree.Numbers)},
            nets={net.name.text: self.networks(net.networks) for net in self.all_of(tree.Net)},
            sounds={sound.name: sound for sound in map(self._sound, self.all_of(tree.Sound)) if sound is not None},
            hours=self._hours(),
            limits={limit.name.text: self._limit(limit, directory) for limit in self.all_of(tree.Limit)},
            tables={table.name.text: self._table(table) for table in self.all_of(tree.Table)},
            trunks={
                trunk.name.text: compiled_trunk(trunk, secrets, self.source, self.problems)
                for trunk in self.all_of(tree.Trunk)
            },
            callees=callees,
        )

    def wrong(self, node: tree.Node, message: str, advice: str | None = None) -> None:
        self.problems.append(self.source.problem(node.span, message, advice))

    def file(self, text: tree.Text, read: Callable[[Path], Read]) -> Read | None:
        """Read a file that the script names; one that cannot be read is a problem where it is named."""
        try:
            return read(self.files.note(self.folder / beside(text)))
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            looked_in = self.folder / Path(text.span.included).parent
            self.wrong(text, f"`{text.value}` cannot be read: {reason}", f"looked in {looked_in}")
            return None

    def versioned(self, text: tree.Text, read: Callable[[Path], Read]) -> Read | None:
        """The same for a file whose content is part of the version."""

        def read_both(path: Path) -> Read:
            self.contents[beside(text)] = path.read_bytes()
            return read(path)

        return self.file(text, read_both)

    def networks(self, nodes: tuple[tree.Network, ...]) -> tuple[Network, ...]:
        return read_networks(nodes, self.source, self.problems)

    def _plan(self) -> NumberPlan:
        countries = self.all_of(tree.Country)
        national = [item.digits.value for item in self.all_of(tree.NationalPrefix)]
        international = [item.digits.value for item in self.all_of(tree.InternationalPrefix)]
        country = countries[0].code if countries else None
        try:
            return plan_for(
                country.value if country is not None else None,
                national[0] if national else None,
                international[0] if international else None,
            )
        except UnknownCountryError:
            advice = "write `national ...` and `international ...`, or `none`, below it"
            self.wrong(countries[0], f"no prefixes are known for `{countries[0].code.value}`", advice)
            return NumberPlan()

    def _zone(self) -> ZoneInfo:
        declared = self.all_of(tree.Timezone)
        return self._zone_of(declared[0].zone) if declared else ZoneInfo("UTC")

    def _zone_of(self, written: tree.Text) -> ZoneInfo:
        try:
            return ZoneInfo(written.value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.wrong(written, f"there is no time zone `{written.value}`", "such as `Europe/Berlin`")
            return ZoneInfo("UTC")

    def _users(self, realm: str) -> tuple[Directory, dict[str, frozenset[str]]]:
        directory = Directory({}, {})
        groups: dict[str, frozenset[str]] = {}
        earlier = Earlier()
        declarations = self.all_of(tree.Users)
        for declared in declarations:
            found = self.file(declared.file, lambda path: read_users(path, realm, self.problems, earlier))
            if found is None:
                found = Directory({}, {})
            groups[declared.name.text] = frozenset(found.users)
            if len(declarations) > 1:
                earlier.add(found, beside(declared.file))
            if directory.users:
                found = Directory(directory.users | found.users, directory.credentials | found.credentials)
            directory = found
        for group in self.all_of(tree.Group):
            groups[group.name.text] = frozenset(member.text for member in group.members)
        return directory, groups

    def _secrets(self) -> dict[str, Entry]:
        logins = [
            setting.secret
            for trunk in self.all_of(tree.Trunk)
            for setting in trunk.settings
            if isinstance(setting, tree.Login) and setting.secret is not None
        ]
        if not logins:
            return {}
        path = self.files.note(self.folder / "secrets.yaml")
        try:
            return read_secrets(path, self.problems)
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            self.wrong(logins[0], f"`secrets.yaml` cannot be read: {reason}", f"looked in {self.folder}")
            return {name.value: Entry(None, "") for name in logins}

    def _sound(self, declared: tree.Sound) -> Sound | None:
        """The sound; None for one that cannot be played. The content hash stands for it in the policy's own."""
        name, text = declared.name.text, declared.file
        try:
            sound = self.file(text, lambda path: read_sound(name, path))
        except SoundError as error:
            self.wrong(text, f"`{text.value}` {error.message}", error.advice)
            return None
        if sound is not None:
            self.contents[f"sound {beside(text)}"] = sound.version.encode()
        return sound

    def _hours(self) -> dict[str, Hours]:
        def holidays(file: tree.Text) -> tuple[Days, ...]:
            return self.versioned(file, lambda path: load_holidays(path, self.problems)) or ()

        def zone(written: tree.Text | None) -> ZoneInfo:
            return self.zone if written is None else self._zone_of(written)

        return HoursReader(self.all_of(tree.Hours), zone, holidays, self.wrong).all()

    def _numbers(self, declared: tree.Numbers) -> NumberSet:
        if declared.file is not None:
            read = self.versioned(declared.file, lambda path: load_numbers(path, self.plan, self.problems))
            return read if read is not None else NumberSet(self.plan, (), ())
        return declared_numbers(declared, self.plan, self.source, self.problems)

    def _table(self, table: tree.Table) -> Table:
        kind = _KINDS.get(table.key.text)
        if kind is None:
            self.wrong(
                table.key,
                f"`{table.key.text}` is no kind of key",
                "write `number`, `prefix` or `text`; the key itself is the first column",
            )
            return Table("text", (), {})
        found = self.versioned(table.file, lambda path: load_table(path, kind, self.plan, self.problems))
        return found if found is not None else Table(kind, (), {})

    def _limit(self, limit: tree.Limit, directory: Directory) -> Limit:
        per = None if limit.per is None else limit.per.seconds
        each = None if limit.each is None else limit.each.text
        own = {} if limit.own is None else self._own_counts(limit.own, directory)
        return Limit(limit.name.text, limit.count.value, per, each, own)

    def _own_counts(self, own: tree.Attribute, directory: Directory) -> dict[str, int]:
        attribute = own.attribute.text
        counts: dict[str, int] = {}
        for user in directory.users.values():
            written = user.attribute(attribute)
            if written is not None and written.isascii() and written.isdigit():
                counts[user.name] = int(written)
            elif written is not None:
                message = f"`{user.name}` has `{written}` as `{attribute}`, which is no whole number"
                self.wrong(own, message, f"write `{attribute}: 2` in the users file")
        return counts


def _hunt_group(group: tree.Group | tree.Trunks) -> HuntGroup:
    members = tuple(member.text for member in group.members)
    return HuntGroup(group.name.text, members, group.way, tuple(weight.value for weight in group.weights))
