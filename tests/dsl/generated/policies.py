"""Whole policies: declarations with their files, events, subs and tests, from a seed."""

import os
from dataclasses import dataclass
from pathlib import Path
from random import Random

from dsl.check import check
from dsl.compile_files import load_setup
from dsl.decision import Facts, Outcome
from dsl.diagnostics import PolicyError
from dsl.include import read_script
from dsl.policy import Policy
from dsl.vocabulary import FACTS, GOES_ON, OUTCOMES

from . import happenings
from .layout import Page, done
from .rules import Rules
from .scenarios import Scenarios
from .vocabulary import DIGITS, EMERGENCY, HOSTS, NETWORKS, TRUNKS, Vocabulary, declare_users, table, wav

_MOST_REPAIRS = 50


@dataclass(frozen=True)
class GeneratedPolicy:
    """A policy's text and its files by name; `words` is what it declares."""

    seed: int
    text: str
    files: dict[str, bytes]
    words: Vocabulary

    def write(self, folder: Path) -> Path:
        """Write everything into a folder; the path of the script."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        if "secrets.yaml" in self.files:
            os.chmod(folder / "secrets.yaml", 0o600)
        script = folder / "generated.route"
        script.write_text(self.text, encoding="utf-8")
        return script

    def compiled(self, folder: Path) -> Policy:
        """The policy made of its files in this folder, whatever the checker's proofs say of it."""
        script = read_script(folder / "generated.route")
        problems: list = []
        loaded = load_setup(script, folder / "generated.route", problems)
        if problems:
            raise PolicyError(problems)
        return Policy(script, folder / "generated.route", loaded.setup, loaded.version, [])

    def facts(self, event: str, random: Random) -> Facts:
        """What may be known when this event fires; for an outcome, what was known of its call."""
        return happenings.facts(self.words, event, random)

    def outcome(self, kind: str, random: Random, target: str | None = None) -> Outcome:
        """How a dial of this policy may have ended."""
        return happenings.outcome(self.words, kind, random, target)


def policy(
    seed: int, folder: Path, *, size: int = 6, accepted: bool = False, tests: bool = False, comments: bool = False
) -> GeneratedPolicy:
    """The policy of a seed, its files written into a folder. `size` is about the number of rules in an event."""
    random = Random(f"{seed} {size} {accepted} {tests} {comments}")
    words = Vocabulary(random)
    declarations = _declarations(words)
    blocks = _blocks(words, size)
    written = Scenarios(words).tests() if tests else []
    page = Page(["what this is for", "see above"] if comments else [])

    def made() -> GeneratedPolicy:
        page.lines[:] = [""]
        page.owners.clear()
        page.heads.clear()
        for declaration in declarations:
            page.write(f"{declaration}\n")
        for block in done(blocks):
            page.block(block)
        for test in written:
            page.write(f"{test}\n")
        return GeneratedPolicy(seed, "\n".join(page.lines), words.files, words)

    generated = made()
    generated.write(folder)
    for _ in range(_MOST_REPAIRS if accepted else 0):
        refused = problems(generated, folder)
        if not refused:
            break
        for problem in sorted(refused, key=lambda problem: problem.line, reverse=True):
            if not page.repair(problem.line):
                raise PolicyError([problem])
        generated = made()
        generated.write(folder)
    return generated


def problems(generated: GeneratedPolicy, folder: Path) -> list:
    """What the checker refuses of it; its files are in the folder."""
    script = read_script(folder / "generated.route")
    found: list = []
    loaded = load_setup(script, folder / "generated.route", found)
    return [*found, *check(script, loaded.setup).problems]


def _declarations(words: Vocabulary) -> list[str]:
    random = words.random
    hosts = words.some(HOSTS, 1, 3)
    made = ['policy "generated"', f"domain {', '.join(hosts)}"]
    if random.random() < 0.7:
        made.append(f'timezone "{random.choice(("Europe/Berlin", "UTC", "America/New_York"))}"')
    made.append(random.choice(("country +49", "country +49", "country +49", "country +44", "")))
    if made[-1] and random.random() < 0.2:
        made += ["national none", "international 00"] if random.random() < 0.5 else ["national 0"]
    words.emergency = tuple(words.some(EMERGENCY)) if random.random() < 0.8 else ()
    if words.emergency:
        made.append(f"emergency {', '.join(words.emergency)}")
    declare_users(words)
    made.append('users staff from "users.yaml"')
    for name in words.some(("desk", "night"), 0, 2):
        members = words.some(list(words.users), 1, 3)
        words.groups.append(name)
        made.append(_group(words, "group", name, [_member(member) for member in members]))
    for name in words.some(("vips", "bad"), 0, 2):
        words.numbers.append(name)
        if random.random() < 0.5:
            made.append(f"numbers {name} = {', '.join(words.some(DIGITS, 1, 5))}")
        else:
            lines = [item.strip('"') for item in words.some(DIGITS, 1, 5)]
            words.files[f"{name}.txt"] = "\n".join(["# one a line", "", *lines]).encode()
            made.append(f'numbers {name} from "{name}.txt"')
    for name in words.some(("office", "lab", "cust-a"), 1, 3):
        words.nets.append(name)
        made.append(f"net {name} = {', '.join(words.some(NETWORKS))}")
    for name in words.some(("jazz", "closed"), 0, 2):
        words.sounds.append(name)
        words.files[f"{name}.wav"] = wav()
        made.append(f'sound {name} = "{name}.wav"')
    made += _hours(words) + _limits(words)
    made += [_trunk(words, name) for name in words.some(TRUNKS, 0, 3)]
    if words.trunks and random.random() < 0.5:
        words.trunk_groups.append("out")
        made.append(_group(words, "trunks", "out", words.some(words.trunks)))
    for name in words.some(("dids", "routes", "blocked"), 0, 3):
        made.append(table(words, name, {"dids": "number", "routes": "prefix", "blocked": "text"}[name]))
    first, *others = made
    random.shuffle(others)
    here = [declaration for declaration in others if declaration]
    if random.random() < 0.2:
        words.files["more.route"] = "\n".join(here[::3]).encode()
        here = [declaration for number, declaration in enumerate(here) if number % 3] + ['include "more.route"']
    return [first, *here]


def _group(words: Vocabulary, word: str, name: str, members: list[str]) -> str:
    """A group of users or trunks, called in one of the ways that there are."""
    ways = ["in order", "in turn", "by weight"]
    way = words.random.choice(ways if word == "trunks" else ["", "", *ways])
    if way in ("in turn", "by weight"):
        words.begins[name] = members
    if not way:
        words.together.append(name)
    weighed = [f"{member} {words.random.randint(1, 9)}" if way == "by weight" else member for member in members]
    return f"{word} {name}{f' {way}' if way else ''} = {', '.join(weighed)}"


def _member(name: str) -> str:
    return name if name.replace("_", "").isalnum() else f'user "{name}"'


_OPENINGS = (
    "mon-fri 08:00-18:00",
    "sat 09:00-12:00",
    "sun-tue 22:00-06:00",
    "fri 00:00-24:00",
    "mon, wed-fri 08:00-12:00 and 13:00-18:00",
    "jun 29",
    "dec 20 to jan 6 10:00-14:00",
    "2026-06-29 to 2026-07-02",
    "2026-06-29 18:00 to 2026-07-01 08:00",
)


def _hours(words: Vocabulary) -> list[str]:
    made = []
    for name in words.some(("open", "lunch"), 0, 2):
        openings = words.some(_OPENINGS)
        holidays = ""
        if words.random.random() < 0.4:
            words.files["holidays.yaml"] = b"- 2026-12-25\n- 06-29\n- jul 1 to jul 3\n"
            known = [f"hours {other}" for other in words.hours]
            exceptions = words.some(('"holidays.yaml"', "dec 24 to jan 6", "jun 30 10:00-12:00", *known), 1, 3)
            holidays = f" except {', '.join(exceptions)}"
        zone = words.random.choice(("", "", "", ' in "America/New_York"'))
        words.hours.append(name)
        made.append(f"hours {name}{zone} = {', '.join(openings)}{holidays}")
    return made


def _limits(words: Vocabulary) -> list[str]:
    made = []
    for name in words.some(("toll", "cps", "chans"), 0, 3):
        who = words.random.choice(
            ("", "", "caller", "user", "source", "dialed", "trunk", "callee", "net", "caller.number")
        )
        each = f" for each {who}" if who else ""
        own = f"{who}.lines or " if who in ("caller", "user", "callee") and words.random.random() < 0.5 else ""
        words.limits.append(name)
        made.append(f"limit {name} = {own}{words.random.choice(('40 per 1h', '5 per 1s', '9 at once'))}{each}")
    return made


def _trunk(words: Vocabulary, name: str) -> str:
    random = words.random
    words.trunks.append(name)
    settings = [
        f"peers {', '.join(words.some(NETWORKS, 1, 2))}",
        f"number {random.choice(('e164', 'plain', 'national', 'as-dialed'))}",
        'caller-id "+49301234"',
        f"allow {', '.join(f'`{words.pattern()}`' for _ in range(random.randint(1, 3)))}",
        f"channels {random.randint(1, 30)}",
        "check every 30s",
        "failover 500, 603",
        "progress 4s",
        "trusted",
        'transit "agreed"',
    ]
    login = random.choice(("", "", "login", "register as"))
    if login:
        words.files["secrets.yaml"] = b"line: {password: secret}\n"
        settings += [f'{login} "acme" secret "line"', f"from {random.choice(('account', 'caller'))}"]
    chosen = ['uri "sip:gw.example"', *words.some(settings, 0, len(settings))]
    if any(setting == "from account" for setting in chosen) and not any("secret" in setting for setting in chosen):
        chosen.remove("from account")
    random.shuffle(chosen)
    return f"trunk {name} {{\n  " + "\n  ".join(chosen) + "\n}"


def _blocks(words: Vocabulary, size: int) -> list:
    """Events and subs; a sub does only subs after it, so that nothing goes round."""
    random = words.random
    rules = Rules(words, size)
    contexts = [*[frozenset({"call"})] * 3, frozenset({"call", *OUTCOMES}), frozenset(OUTCOMES)]
    contexts += [frozenset({"register"}), frozenset(GOES_ON), frozenset({"transfer"}), frozenset({"message"})]
    contexts.append(frozenset({"call", "message"}))
    subs = []
    for number in range(random.randint(0, 3)):
        parameters = words.some((("who", "user"), ("m", "number"), ("t", "text")), 0, 3)
        subs.append((f"part{number}", random.choice(contexts), parameters))
    events = words.some([event for event in FACTS if event not in ("register", "call")], 0, 9)
    alone = ["register", "call", *(event for event in events if event not in OUTCOMES)]
    lists = [*([event] for event in alone), *rules.lists([event for event in events if event in OUTCOMES])]
    blocks = [rules.event(names, subs) for names in lists]
    blocks += [rules.sub(sub, subs[number + 1 :]) for number, sub in enumerate(subs)]
    random.shuffle(blocks)
    return blocks
