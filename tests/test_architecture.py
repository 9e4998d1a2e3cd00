"""The shape of the code: who may import whom, and the way of an INVITE."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each layer imports from those before it in this order, and from itself. What stands in one line are neighbours.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("sip", "sdp", "effects", "settings"),
    ("transaction",),
    ("dialog",),
    ("registrar", "media"),
    ("routing",),
    ("call",),
    ("core",),
    ("io",),
    ("operator",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# What may import the language: routing asks it, the edge loads it, the core is handed what was loaded.
ASKS_THE_LANGUAGE = {"routing", "core", "io", "operator"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by the full name"
            found.append((node.lineno, node.module or ""))
    return found


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", modules("b2bua"), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_layer_imports_only_what_stands_before_it(path: Path) -> None:
    own = path.relative_to(ROOT).with_suffix("").parts[1]
    if own == "__init__":
        return
    for line, module in imports(path):
        where = f"{path.relative_to(ROOT)}:{line}: imports {module}"
        if module.split(".")[0] == "dsl":
            assert own in ASKS_THE_LANGUAGE, where
        if module.split(".")[0] == "b2bua" and layer(module) and layer(module) != "__version__":
            assert RANK[layer(module)] <= RANK[own], where


@pytest.mark.parametrize("path", modules("dsl"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_language_knows_nothing_of_the_engine(path: Path) -> None:
    for line, module in imports(path):
        assert module.split(".")[0] != "b2bua", f"{path.relative_to(ROOT)}:{line}"


def test_the_readme_names_the_six_calls_of_an_invite_and_they_are_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\d\. `([\w/.]+\.py)` `([\w.]+)`", text, flags=re.MULTILINE)
    assert len(steps) == 6
    for file, name in steps:
        names = defined(ROOT / file)
        assert name in names, f"{file} has no {name}"
    for (file, _), (_, called) in itertools.pairwise(steps):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert f"{called.rpartition('.')[2]}(" in source, f"{file} does not call {called}"


def defined(path: Path) -> set[str]:
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
            names |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.AsyncFunctionDef)}
    return names
