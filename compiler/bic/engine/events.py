"""What the engine tells while it works; the command line shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from bic.ir.definition import Origin
from bic.oci.digest import Digest
from bic.oci.platform import Platform


@frozen
class Task:
    """One image for one platform."""

    name: str
    platform: Platform

    def __str__(self) -> str:
        return f"{self.name} {self.platform}"


@frozen
class Started:
    task: Task
    steps: int
    log: Path


@frozen
class StepStarted:
    """`command` is what runs, in short, for people."""

    task: Task
    index: int
    origin: Origin
    command: str


@frozen
class StepDone:
    task: Task
    index: int
    duration_s: float


@frozen
class Output:
    task: Task
    line: str


@frozen
class Finished:
    """`digest` is the manifest's; `cached` says that nothing had to be done."""

    task: Task
    digest: Digest
    duration_s: float
    cached: bool


@frozen
class Failed:
    task: Task
    message: str


Event = Started | StepStarted | StepDone | Output | Finished | Failed
Reporter = Callable[[Event], None]
