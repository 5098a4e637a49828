"""For all tests: an environment that does not tell where they run, fast tests first, skips by name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from bic.spec.workspace import Workspace

IN_CI = bool(os.environ.get("CI"))
NAMED_SKIP = "lacks "

# A busy machine must not fail a property for being slow.
settings.register_profile("bic", deadline=None)
settings.load_profile("bic")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)


Files = Mapping[str, str | bytes]
MakeWorkspace = Callable[[Files], Workspace]


@pytest.fixture
def make_workspace(tmp_path: Path) -> MakeWorkspace:
    """Writes files by their path in a new workspace; text goes through as UTF-8, bytes as they are."""

    return lambda files: _written(tmp_path / "workspace", files)


@pytest.fixture
def ordinary_workspace() -> Iterator[MakeWorkspace]:
    """Like `make_workspace`, for somebody whom modes stop: root becomes another meanwhile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        user = os.geteuid()
        os.seteuid(user or 65534)
        yield lambda files: _written(Path(folder) / "workspace", files)
        os.seteuid(user)


def _written(root: Path, files: Files) -> Workspace:
    (root / "specs").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return Workspace(root.resolve())


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """A list that should be empty is shown whole: it names what is wrong."""
    if op == "==" and right == [] and isinstance(left, list) and left:
        return ["nothing of this should be:", *map(str, left)]
    return None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = ("unit", "golden", "property")
    items.sort(key=lambda item: order.index(_tier(item)) if _tier(item) in order else len(order))


def _tier(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _skip_reasons(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for report in reporter.stats.get("skipped", ()):
        longrepr = report.longrepr
        yield longrepr[2].removeprefix("Skipped: ") if isinstance(longrepr, tuple) else str(longrepr)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test may be left out only for something that this machine is said to lack."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if IN_CI and reporter and any(not reason.startswith(NAMED_SKIP) for reason in _skip_reasons(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, int] = {}
    for reason in _skip_reasons(terminalreporter):
        counts[reason] = counts.get(reason, 0) + 1
    if counts:
        terminalreporter.section("left out")
        for reason, count in sorted(counts.items()):
            named = (
                "" if reason.startswith(NAMED_SKIP) or not IN_CI else " (not allowed in CI: no named probe)"
            )
            terminalreporter.line(f"{count} × {reason}{named}")
