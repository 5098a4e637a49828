"""How a build shows itself: live on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from attrs import define, field

from bic.engine.events import (
    Event,
    Failed,
    Finished,
    Output,
    Reporter,
    Started,
    StepDone,
    StepStarted,
    Task,
)
from bic.lower.shell import describe

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 100
SLOW_S = 0.5
"""Plain lines tell the duration of steps that took longer than this, in seconds."""


@contextmanager
def progress() -> Iterator[Reporter]:
    """A reporter for one build."""
    if not sys.stderr.isatty():
        yield Plain().report
        return
    from rich.console import Console
    from rich.live import Live

    state = State()
    console = Console(stderr=True)
    with Live(console=console, refresh_per_second=8, get_renderable=state.render, transient=False):
        yield state.report


@define
class Plain:
    """One line for each beginning and end; output of steps goes to the log alone."""

    titles: dict[tuple[Task, int], str] = field(factory=dict)
    places: dict[Task, str] = field(factory=dict)
    lock: threading.Lock = field(factory=threading.Lock)

    def report(self, event: Event) -> None:
        with self.lock:
            self._report(event)

    def _report(self, event: Event) -> None:
        match event:
            case Started(task=task, log=log):
                self._say(task, f"building, log in {log}")
            case StepStarted(task=task, index=index, origin=origin, command=command):
                place = describe(origin)
                self.titles[task, index] = place or first_line(command)
                if place and self.places.get(task) != place:
                    self.places[task] = place
                    self._say(task, f"{place}: {first_line(command)}")
            case StepDone(task=task, index=index, duration_s=seconds) if seconds > SLOW_S:
                self._say(task, f"{self.titles[task, index]} done in {seconds:.1f} s")
            case Finished(task=task, cached=cached, duration_s=seconds, digest=digest):
                how = "unchanged" if cached else f"built in {seconds:.1f} s"
                self._say(task, f"{how}, {digest}")
            case Failed(task=task, message=message):
                self._say(task, f"failed: {message}")
            case _:
                pass

    def _say(self, task: Task, text: str) -> None:
        click.echo(f"[{task}] {text}", err=True)


def first_line(command: str) -> str:
    line = command.partition("\n")[0]
    shortened = line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
    return shortened if line == command else f"{shortened} …"


@define
class Row:
    """One task as it stands."""

    started: float
    text: str = ""
    line: str = ""
    ended: float | None = None
    mark: str = "…"


@define
class State:
    """All tasks, for a live display; reported from worker threads, rendered by the display's own."""

    rows: dict[Task, Row] = field(factory=dict)
    lock: threading.Lock = field(factory=threading.Lock)

    def report(self, event: Event) -> None:
        with self.lock:
            row = self.rows.setdefault(event.task, Row(time.monotonic()))
            match event:
                case StepStarted(origin=origin, command=command):
                    row.text = describe(origin) or first_line(command)
                    row.line = first_line(command)
                case Output(line=line):
                    row.line = line
                case Finished(cached=cached, digest=digest):
                    row.mark, row.ended, row.line = "✓", time.monotonic(), ""
                    row.text = f"{'unchanged' if cached else 'built'} {digest.short}"
                case Failed(message=message):
                    row.mark, row.ended, row.text, row.line = "✗", time.monotonic(), message, ""
                case Started() | StepDone():
                    pass

    def render(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
        styles = {"✓": "green", "✗": "red", "…": "yellow"}
        with self.lock:
            for task, row in self.rows.items():
                seconds = f"{(row.ended or time.monotonic()) - row.started:.1f}s"
                detail = Text(row.text)
                if row.line:
                    detail.append(f"  {row.line}", style="dim")
                table.add_row(Text(row.mark, styles[row.mark]), str(task), seconds, detail)
        return table
