"""Which modules scripts/compile compiles, as pyproject.toml says."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def compiled_modules() -> list[Path]:
    """Their files below ROOT."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        hook = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
    included, excluded = [
        {path for pattern in hook[key] for path in ROOT.glob(pattern.lstrip("/"))} for key in ("include", "exclude")
    ]
    return sorted(path for path in included - excluded if path.name != "__init__.py")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)
