"""A process on its own core: started, weighed through /proc (proc(5)), and ended by its process id.

Owns nothing of what runs in it. A process and its descendants count as one, since Kamailio forks.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmark.failure import BenchError

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Cpu:
    """Processor time spent, in seconds."""

    user: float = 0.0
    system: float = 0.0

    @property
    def total(self) -> float:
        """User and system together."""
        return self.user + self.system

    def __add__(self, other: Cpu) -> Cpu:
        return Cpu(self.user + other.user, self.system + other.system)

    def __sub__(self, other: Cpu) -> Cpu:
        return Cpu(self.user - other.user, self.system - other.system)


@dataclass(frozen=True)
class _Stat:
    """What /proc/PID/stat says of one process. `born` tells two processes of the same id apart."""

    pid: int
    parent: int
    cpu: Cpu
    born: int


def _stat(task: int | str) -> _Stat | None:
    """A process, or a thread as `PID/task/TID`; None when it is gone."""
    try:
        text = Path(f"/proc/{task}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may hold blanks and brackets; what follows it begins with field 3.
    fields = text[text.rindex(")") + 2 :].split()
    user, system, reaped_user, reaped_system = (int(field) * _TICK for field in fields[11:15])
    return _Stat(
        int(text.split(" ", 1)[0]), int(fields[1]), Cpu(user + reaped_user, system + reaped_system), int(fields[19])
    )


def _family(pid: int) -> list[_Stat]:
    """The process and all its living descendants, itself first; empty when it is gone."""
    everyone = [stat for name in os.listdir("/proc") if name.isdigit() and (stat := _stat(int(name)))]
    family = [stat for stat in everyone if stat.pid == pid]
    for member in family:
        family.extend(stat for stat in everyone if stat.parent == member.pid)
    return family


def core_busy(core: int) -> float:
    """Seconds that a core has been at work for anybody since the machine started."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _idle, _wait, irq, softirq, steal = (int(field) for field in line.split()[1:9])
            return (user + nice + system + irq + softirq + steal) * _TICK
    raise BenchError(f"there is no core {core} here")


class Process:
    """One started program with what it forks, on one core; leaving the context ends it.

    Its output goes to `log`, and it inherits `descriptor`. `first` lets it come before others on its core (SCHED_RR,
    sched(7)), where that is allowed. Should this benchmark be killed, the kernel ends the program too.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        core: int,
        log: Path,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        descriptor: int | None = None,
        first: bool = False,
    ) -> None:
        def before_exec() -> None:
            os.sched_setaffinity(0, {core})
            if first:
                with contextlib.suppress(PermissionError):
                    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

        self._seen: dict[int, int] = {}
        """Process ids of the family and when they were born, for a killed parent leaves orphans."""
        self.log = log
        self.core = core
        with log.open("wb") as output:
            try:
                self._popen = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=cwd,
                    env={**os.environ, **(environment or {})},
                    preexec_fn=before_exec,
                    pass_fds=() if descriptor is None else (descriptor,),
                )
            except OSError as error:
                raise BenchError(f"{argv[0]}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """How it ended, None while it runs."""
        return self._popen.poll()

    def wait(self, seconds: float) -> int | None:
        """How it ended, None if it still runs after that time."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def cpu(self) -> Cpu:
        """What it and its descendants have used so far.

        Nothing counts twice: what a process has of its children is only of those that have ended (proc(5), cutime).
        """
        return sum((stat.cpu for stat in self._family()), Cpu())

    def thread_cpu(self) -> Cpu:
        """What its main thread has used so far."""
        stat = _stat(f"{self.pid}/task/{self.pid}")
        return stat.cpu if stat else Cpu()

    def other_threads(self) -> float:
        """Seconds that its threads beside the main one have used so far, without its children (proc(5), schedstat)."""
        used = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            if task.name != str(self.pid):
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    used += int((task / "schedstat").read_text().split()[0])
        return used / 1e9

    def _family(self) -> list[_Stat]:
        family = _family(self.pid)
        self._seen |= {stat.pid: stat.born for stat in family}
        return family

    def memory(self) -> int:
        """Octets of memory that are its own, shared pages divided among those who share them (PSS)."""
        octets = 0
        for stat in self._family():
            try:
                rollup = Path(f"/proc/{stat.pid}/smaps_rollup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            octets += next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
        return octets

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, on one line."""
        text = self.log.read_text(errors="replace")
        return " | ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip()) or "it said nothing"

    def stop(self, seconds: float = 5.0) -> None:
        """Ask it to end, and after that time end it and whatever it has left behind."""
        self._family()
        if self._popen.poll() is None:
            self._popen.terminate()
            if self.wait(seconds) is None:
                self._popen.kill()
                self._popen.wait()
        for pid, born in self._seen.items():
            left = _stat(pid)
            if left is not None and left.born == born:
                os.kill(pid, signal.SIGKILL)


def pause_until(moment: float) -> None:
    """Sleep until that time of the monotonic clock."""
    time.sleep(max(0.0, moment - time.monotonic()))
