"""The figures as a table for a terminal, and as JSON.

Where a measurement was repeated, the table shows the median.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmark.figures import Highest, Memory
from benchmark.measure import Carried


@dataclass
class Figures:
    """All that was measured of one server, one entry a repetition, and what could not be."""

    name: str
    version: str = ""
    calls: list[Carried] = field(default_factory=list)
    highest: list[Highest] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    registrations: list[Carried] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        """The medians, and the repetitions that they come from."""
        held = [highest.held for highest in self.highest]
        return {
            "name": self.name,
            "version": self.version,
            "cpu_us_per_call": _median(_each(self.calls)),
            "highest_rate": _median([highest.rate for highest in self.highest]),
            "limit": [f"{highest.limit}: {highest.why}" for highest in self.highest],
            "held_rate": _median([carried.rate for carried in held]),
            "held_cpu_us_per_call": _median(_each(held)),
            "held_retransmissions": [(carried.again_caller, carried.again_called) for carried in held],
            "octets_per_held_call": _median([memory.each for memory in self.memory]),
            "cpu_us_per_register": _median(_each(self.registrations)),
            "others_on_the_servers_core": self.disturbed(),
            "failures": self.failures,
        }

    def disturbed(self) -> float:
        """The largest part of the server's core that somebody else had during a measurement."""
        every = [*self.calls, *(highest.held for highest in self.highest), *self.registrations]
        return max((one.window.others for one in every if one.window is not None), default=0.0)


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _each(carried: Sequence[Carried]) -> list[float]:
    return [one.window.each for one in carried if one.window is not None and one.window.server.total]


def _number(value: object, scale: float = 1.0, digits: int = 0) -> str:
    return f"{value * scale:,.{digits}f}" if isinstance(value, int | float) else "-"


def _columns(rate: int) -> dict[str, Callable[[Figures], str]]:
    """Each column's two-line heading, and what stands in it."""

    def median(name: str, scale: float = 1.0, digits: int = 0) -> Callable[[Figures], str]:
        return lambda figures: _number(figures.summary()[name], scale, digits)

    def resent(figures: Figures) -> str:
        held = [highest.held for highest in figures.highest]
        return " ".join(f"{one.again_caller}/{one.again_called}" for one in held) or "-"

    return {
        "server\n": lambda figures: f"{figures.name} {figures.version}".strip(),
        f"us a call\nat {rate}/s": median("cpu_us_per_call"),
        "highest\nrate /s": median("highest_rate"),
        "limited\nby": lambda figures: figures.highest[-1].limit if figures.highest else "-",
        "held\nrate /s": median("held_rate"),
        "us a call\nat that": median("held_cpu_us_per_call"),
        "resent by\ncaller/called": resent,
        "kB a held\ncall": median("octets_per_held_call", 1e-3, 1),
        "us a\nREGISTER": median("cpu_us_per_register"),
        "others on\nits core": lambda figures: f"{figures.disturbed():.0%}",
    }


def render(machine: dict[str, str], rate: int, everyone: Sequence[Figures]) -> str:
    """The table with the machine above it and what went wrong below."""
    columns = _columns(rate)
    lines = list(zip(*(heading.split("\n") for heading in columns), strict=True))
    lines += [tuple(cell(figures) for cell in columns.values()) for figures in everyone]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(2, tuple("-" * width for width in widths))
    text = ["  ".join(f"{key} {value}" for key, value in machine.items()), ""]
    for first, *rest in lines:
        cells = [first.ljust(widths[0]), *(map(str.rjust, rest, widths[1:]))]
        text.append("  ".join(cells).rstrip())
    notes = [f"{figures.name}: {failure}" for figures in everyone for failure in figures.failures]
    return "\n".join([*text, *([""] if notes else []), *notes])
