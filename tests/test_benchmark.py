"""The language's benchmark runs to its end: its policies are read by the language as it is now."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_section_of_the_languages_benchmark_has_figures():
    command = [sys.executable, ROOT / "scripts" / "bench", "language"]
    few = ["--most", "10", "--decisions", "20", "--calls", "20", "--json"]
    # Without this one, which the tests of the compiled build set, Python finds what lies beside a command.
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run([*command, *few], capture_output=True, text=True, check=False, cwd=ROOT, env=surroundings)
    assert done.returncode == 0, done.stderr
    sections = json.loads(done.stdout)
    assert [section["title"] for section in sections] == [
        "deciding by rules",
        "reading rules",
        "deciding by tables",
        "loading tables",
        "commands",
    ]
    assert all(section["lines"] for section in sections)
