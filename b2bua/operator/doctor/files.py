"""Whether the files of a server are good: its certificates, its policy with users, secrets and sounds.

Owns what is said of each. Leaves reading them to those who read them in a server.
"""

from __future__ import annotations

import stat
import time
from pathlib import Path

from b2bua.io.certificate_watch import ALARM_DAYS
from b2bua.io.failure import ServerError
from b2bua.operator.doctor.findings import Finding, failure, first_told, ok, refused, warning
from b2bua.operator.policy_file import load_policy
from b2bua.settings import Certificate, Settings
from dsl import tree
from dsl.diagnostics import PolicyError, Problem
from dsl.include import beside
from dsl.policy import Policy

_DAY = 86_400.0
_SHARED = stat.S_IRWXG | stat.S_IRWXO


def certificates(settings: Settings) -> list[Finding]:
    """Each certificate that we show, with what is left of it, and who may read its key."""
    if not any(listener.transport == "TLS" for listener in settings.listen):
        return []
    from b2bua.io.tls import Tls

    now = time.time()
    try:
        shown = dict.fromkeys(Tls(settings.tls, now).contexts.shown)
    except ServerError as error:
        return [refused("certificate", error, "see `tls` in the settings")]
    found = []
    for each in shown:
        days = int((each.expires - now) // _DAY)
        told = f"{each.file} for {', '.join(each.names) or 'no name'}: {days} days left"
        late = f"renew it, and put the new one there before {time.strftime('%Y-%m-%d', time.gmtime(each.expires))}"
        found.append(ok("certificate", told) if days > ALARM_DAYS else warning("certificate", told, late))
    pairs = (Certificate(settings.tls.certificate, settings.tls.key), *settings.tls.certificates)
    keys = dict.fromkeys(pair.key or pair.certificate for pair in pairs if pair.certificate)
    return found + [_private("certificate", Path(key), "its key") for key in keys if _is_shared(Path(key))]


def policy(path: Path | None) -> tuple[list[Finding], Policy | None]:
    """Whether the policy may be used, and the policy."""
    if path is None:
        told = "none is named: users, trunks and sounds are not looked at"
        return [warning("policy", told, "name it: b2bua doctor POLICY.route")], None
    try:
        loaded = load_policy(path)
    except PolicyError as error:
        by_file: dict[str, list[Problem]] = {}
        for problem in error.problems:
            by_file.setdefault(problem.file, []).append(problem)
        advice = f"mend it: `b2bua check {path}` shows everything"
        return [failure("policy", first_told(problems), advice) for problems in by_file.values()], None
    return [ok("policy", f"{path}: {loaded.name}, version {loaded.hash}")], loaded


def users(loaded: Policy) -> list[Finding]:
    """Each users file: how many it has, and who may read it. Secrets that others may read refuse the policy itself."""
    folder = loaded.path.parent
    files = [folder / beside(each.file) for each in loaded.script.declarations if isinstance(each, tree.Users)]
    found = [_private("users", file, "its passwords or digests") for file in files if _is_shared(file)]
    if files and not found:
        found.append(ok("users", f"{len(loaded.users):,} in {', '.join(map(str, files))}, for its owner to read"))
    return found


def sounds(loaded: Policy) -> list[Finding]:
    """Whether each sound can be decoded."""
    if not loaded.sounds:
        return []
    from b2bua.io.sounds import SoundError, encode

    found = []
    for sound in loaded.sounds.values():
        try:
            encode(sound.path, ["PCMU"])
        except SoundError as error:
            found.append(failure("sounds", f"{sound.name}, {sound.path}: {error}", "put another file there"))
    return found or [ok("sounds", f"{', '.join(loaded.sounds)}: can be played")]


def _is_shared(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & _SHARED)


def _private(what: str, path: Path, which: str) -> Finding:
    return warning(what, f"others on this machine may read {path}, with {which}", f"run `chmod 600 {path}`")
