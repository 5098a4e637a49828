"""The direction of imports, and who may start processes, print, exit or read the environment."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from attrs import frozen

SOURCES = Path(__file__).resolve().parents[2] / "compiler/bic"

_ORDER = ("errors", "oci", "spec", "process", "lock", "ir", "passes", "lower", "engine")

# Package → the packages of bic that it may import.
ALLOWED: Mapping[str, frozenset[str]] = {
    **{name: frozenset(_ORDER[:rank]) for rank, name in enumerate(_ORDER)},
    "check": frozenset({"errors", "oci"}),
    "release": frozenset({*_ORDER, "check"}),
    "fleet": frozenset({*_ORDER, "check"}),
    "cli": frozenset({*_ORDER, "check", "release", "fleet"}),
}

# Patterns of names → packages that may use them.
STARTERS = (
    *("subprocess.*", "pty.*", "multiprocessing.*", "concurrent.futures.ProcessPoolExecutor"),
    *("asyncio.create_subprocess_*", "os.exec*", "os.fork*", "os.spawn*", "os.posix_spawn*"),
    *("os.popen", "os.system"),
)
RESERVED: Mapping[tuple[str, ...], frozenset[str]] = {
    STARTERS: frozenset({"process"}),
    ("os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv"): frozenset({"cli", "process"}),
    ("print", "input", "sys.stdout", "sys.stderr", "sys.stdin", "click.*"): frozenset({"cli"}),
    ("sys.exit", "exit", "quit", "os._exit", "os.abort", "SystemExit"): frozenset({"cli"}),
}

# (file, name) → why this one use is right where it is.
EXCEPTIONS: Mapping[tuple[str, str], str] = {
    ("process/inside.py", "os._exit"): "the build dies with whoever started it, even from a waiting thread",
}


@frozen(order=True)
class Violation:
    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@frozen
class Module:
    """A source file: its path below the package and the dotted name of the package that it is in."""

    file: str
    tree: ast.Module

    @property
    def package(self) -> str | None:
        """The part of bic that it belongs to; None for `bic/__init__.py` and `bic/__main__.py`."""
        first, _, rest = self.file.partition("/")
        return first if rest else None

    @property
    def parents(self) -> tuple[str, ...]:
        return ("bic", *self.file.split("/")[:-1])


def violations(root: Path) -> list[Violation]:
    """Everything below `root` (a copy of compiler/bic) that goes against the rules above."""
    found: list[Violation] = []
    for path in sorted(root.rglob("*.py")):
        module = Module(path.relative_to(root).as_posix(), ast.parse(path.read_bytes()))
        found += [*_wrong_imports(module), *_wrong_uses(module)]
    return sorted(found)


def _wrong_imports(module: Module) -> Iterator[Violation]:
    if module.package is not None and module.package not in ALLOWED:
        yield Violation(module.file, 1, f"package {module.package} has no place in the order")
        return
    for line, target in _bic_imports(module):
        if target != module.package and not _may_import(module, target):
            yield Violation(module.file, line, f"{module.package or 'bic'} imports {target}")


def _may_import(module: Module, target: str) -> bool:
    if module.package is None:
        return module.file == "__main__.py" and target == "cli"
    return target in ALLOWED[module.package]


def _bic_imports(module: Module) -> Iterator[tuple[int, str]]:
    """(line, package of bic) for each import, wherever it stands, also by `import_module("bic.…")`."""
    for node in ast.walk(module.tree):
        for name in _imported(module, node):
            parts = name.split(".")
            if parts[0] == "bic" and len(parts) > 1 and not _is_constant(parts[1]):
                yield getattr(node, "lineno", 1), parts[1]


def _is_constant(name: str) -> bool:
    """Whether `bic.NAME` is a value of `bic/__init__.py` and no package."""
    return name.isupper() or name.startswith("__")


def _imported(module: Module, node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=name, names=names, level=level):
            start = [*module.parents[: len(module.parents) - level + 1]] if level else []
            return [".".join([*start, *([name] if name else []), alias.name]) for alias in names]
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if _called(function) in (
            "import_module",
            "__import__",
        ):
            return [name]
    return []


def _called(function: ast.expr) -> str | None:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return None


def _wrong_uses(module: Module) -> Iterator[Violation]:
    for line, name in sorted(set(_uses(module.tree))):
        if not _may_use(module, name):
            yield Violation(module.file, line, f"{module.package or 'bic'} uses {name}")


def _may_use(module: Module, name: str) -> bool:
    if (module.file, name) in EXCEPTIONS:
        return True
    reserved = (allowed for patterns, allowed in RESERVED.items() if _covers(patterns, name))
    return all(module.package in allowed for allowed in reserved)


def _covers(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, full name) of each global name that is read, imported names under what they stand for."""
    known = dict(_bindings(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=base), attr=attribute, lineno=line) if base in known:
                yield line, f"{known[base]}.{attribute}"
            case ast.Name(id=name, ctx=ast.Load(), lineno=line):
                yield line, known.get(name, name)
            case ast.ImportFrom(module=str(source), names=names, level=0, lineno=line):
                yield from ((line, f"{source}.{alias.name}") for alias in names)
            case _:
                pass


def _bindings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    top = alias.name.split(".")[0]
                    yield (alias.asname, alias.name) if alias.asname else (top, top)
            case ast.ImportFrom(module=str(source), names=names, level=0):
                for alias in names:
                    yield alias.asname or alias.name, f"{source}.{alias.name}"
            case _:
                pass


def test_bic_keeps_its_direction() -> None:
    assert [str(v) for v in violations(SOURCES)] == []


def test_every_exception_is_still_used() -> None:
    used = {
        (path.relative_to(SOURCES).as_posix(), name)
        for path in SOURCES.rglob("*.py")
        for _, name in _uses(ast.parse(path.read_bytes()))
    }
    assert EXCEPTIONS.keys() <= used


def _tree(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("oci/a.py", "import bic.spec.model", "oci imports spec"),
        ("oci/a.py", "from bic.spec import model", "oci imports spec"),
        ("oci/a.py", "from bic import spec", "oci imports spec"),
        ("oci/a.py", "from ..spec import model", "oci imports spec"),
        ("oci/deep/a.py", "from ...spec.model import Spec", "oci imports spec"),
        ("oci/a.py", "from .. import spec", "oci imports spec"),
        ("oci/a.py", "def f():\n    from bic import spec", "oci imports spec"),
        ("oci/a.py", "if TYPE_CHECKING:\n    import bic.cli", "oci imports cli"),
        ("oci/a.py", "importlib.import_module('bic.spec.model')", "oci imports spec"),
        ("spec/a.py", "import bic.process.runner", "spec imports process"),
        ("check/a.py", "import bic.spec", "check imports spec"),
        ("engine/a.py", "import bic.check", "engine imports check"),
        ("engine/a.py", "import bic.release", "engine imports release"),
        ("release/a.py", "import bic.fleet", "release imports fleet"),
        ("fleet/a.py", "import bic.release", "fleet imports release"),
        ("fleet/a.py", "import bic.cli.main", "fleet imports cli"),
        ("__init__.py", "import bic.errors", "bic imports errors"),
        ("other/a.py", "", "package other has no place in the order"),
        ("engine/a.py", "import subprocess\nsubprocess.run([])", "engine uses subprocess.run"),
        ("engine/a.py", "import subprocess as sp\nsp.run([])", "engine uses subprocess.run"),
        ("lock/a.py", "from subprocess import Popen", "lock uses subprocess.Popen"),
        ("cli/a.py", "import os\nos.execvp('a', [])", "cli uses os.execvp"),
        ("engine/a.py", "import os\nos.fork()", "engine uses os.fork"),
        ("engine/a.py", "from os import system as s\ns('a')", "engine uses os.system"),
        ("engine/a.py", "import os\nos.environ['A']", "engine uses os.environ"),
        ("ir/a.py", "from os import getenv", "ir uses os.getenv"),
        ("ir/a.py", "print(1)", "ir uses print"),
        ("ir/a.py", "f = print", "ir uses print"),
        ("ir/a.py", "import sys\nsys.stdout.write('')", "ir uses sys.stdout"),
        ("ir/a.py", "import click\nclick.echo('')", "ir uses click.echo"),
        ("process/a.py", "import sys\nsys.exit(1)", "process uses sys.exit"),
        ("engine/a.py", "raise SystemExit(1)", "engine uses SystemExit"),
        ("engine/a.py", "import os\nos._exit(1)", "engine uses os._exit"),
    ],
)
def test_a_step_against_the_direction_is_found(tmp_path: Path, file: str, text: str, what: str) -> None:
    assert what in [violation.what for violation in violations(_tree(tmp_path, {file: text}))]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("spec/a.py", "from bic.oci import digest\nfrom bic.errors import Fault\nfrom .model import Spec"),
        ("spec/a.py", "from . import model\nfrom bic.spec.model import Spec"),
        ("check/a.py", "import bic.oci, bic.errors"),
        ("release/a.py", "import bic.check, bic.engine.run"),
        ("fleet/a.py", "import bic.check, bic.lower"),
        ("cli/a.py", "import bic.fleet, bic.release, sys, os\nprint(os.environ)\nsys.exit(0)"),
        ("ir/a.py", "from bic import COMPATIBILITY, __version__"),
        ("process/a.py", "import os, subprocess\nsubprocess.Popen([], env=os.environ)"),
        ("engine/a.py", "import os\nos.path.join('a')\nself.print()\nos.environment"),
        ("__main__.py", "from bic.cli.main import main"),
        ("__init__.py", "__version__ = '1'"),
    ],
)
def test_a_step_with_the_direction_is_left_alone(tmp_path: Path, file: str, text: str) -> None:
    assert violations(_tree(tmp_path, {file: text})) == []


def test_a_violation_names_file_and_line(tmp_path: Path) -> None:
    (violation,) = violations(_tree(tmp_path, {"oci/a.py": "\n\nimport bic.cli"}))
    assert str(violation) == "oci/a.py:3: oci imports cli"
