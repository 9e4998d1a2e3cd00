"""What the figures were measured on, for they mean nothing without it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from benchmark.failure import BenchError

PYTHON = "/usr/bin/python3.11"
"""Debian's own: the interpreter of every server that is written in Python."""


def output(*argv: str) -> str:
    """What a command prints, on either stream, whatever its exit code."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def need(program: str) -> str:
    """The path of a program, or BenchError."""
    path = shutil.which(program)
    if path is None:
        raise BenchError(f"{program} is not installed")
    return path


def describe() -> dict[str, str]:
    """The machine and the versions of what all servers have in common."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    sipp = re.search(r"SIPp v?(\d[\d.]*\d)", output(need("sipp"), "-v"))
    return {
        "cpu": f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores",
        "kernel": platform.release(),
        "sipp": sipp[1] if sipp else "unknown",
        "python": output(PYTHON, "-c", "import platform; print(platform.python_version())").strip(),
    }
