"""Carrying out a script: its commands with the run's values filled in, one after the other."""

from __future__ import annotations

import fcntl
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from attrs import evolve, field, frozen

from bic.engine.events import Output, Reporter, StepDone, StepStarted, Task
from bic.engine.session import Session
from bic.errors import BicError, Fault, WorkFailed
from bic.ir.definition import Origin
from bic.lock.download import download
from bic.lower import shell
from bic.lower.script import (
    Argument,
    Call,
    Changes,
    Command,
    Function,
    Given,
    Prepare,
    Scratchpad,
    Script,
    Var,
    Word,
    root_of,
)
from bic.process import Command as Process
from bic.process import Completed, ProcessFailed, run

TAIL = 20
"""Lines of output that a failure shows."""

MARK = "bic-at "

PULLS = 4
"""How often a registry is asked for an image."""
RETRY_S = 1.0


@frozen(eq=False)
class Executor:
    """Runs one script. `values` grows as commands yield names of containers and mounts."""

    task: Task
    session: Session
    values: dict[str, str]
    log: BinaryIO
    log_path: Path
    report: Reporter
    secrets: tuple[str, ...] = ()
    step: list[int] = field(factory=lambda: [0])

    def execute(self, script: Script) -> None:
        """Prepare and build; the clean-up runs whatever happens."""
        try:
            for command in (*script.prepare, *script.body):
                self.session.cancel.check()
                self.command(command)
        finally:
            self.clean_up(script)

    def clean_up(self, script: Script) -> None:
        for command in script.cleanup:
            assert isinstance(command, Call)
            if all(var.name in self.values for var in _variables(command.argv)):
                run(self.process(command.argv), check=False, capture=False, log=self.log, timeout=120)

    def command(self, command: Command) -> None:
        match command:
            case Call():
                self.call(command)
            case Changes():
                self.changes(command)
            case Prepare(function=function):
                self.prepare(function)
            case Scratchpad(path=path):
                Path(self.word(path)).mkdir(parents=True, exist_ok=True)

    def call(self, call: Call) -> None:
        with self.told(call.origin, _short(call)), self.exclusively(call.exclusive):
            try:
                done = self.pull(call) if call.pulls else self.once(call)
            except ProcessFailed as error:
                raise self.failure(error, call.origin, _short(call), call.pulls) from error
        if call.save is not None:
            self.values[call.save.name] = done.stdout.decode().strip()

    def pull(self, call: Call) -> Completed:
        """Ask the registry again after what may pass."""
        for _ in range(PULLS - 1):
            try:
                return self.once(call)
            except ProcessFailed as error:
                if _is_final(error.completed.tail):
                    raise
            time.sleep(RETRY_S)
        return self.once(call)

    def once(self, call: Call) -> Completed:
        return run(
            self.process(call.argv),
            on_line=self.line,
            log=self.log,
            capture=call.save is not None,
            cancel=self.session.cancel,
        )

    def changes(self, changes: Changes) -> None:
        """All functions in one shell; the last mark on stderr tells which one failed."""
        root = self.values[root_of(changes.container).name]
        lines = [shell.library("tree.sh"), "set -eu", f"R={shlex.quote(root)}"]
        for index, function in enumerate(changes.functions):
            lines.append(f"at={index}")
            lines.append(self.line_of(function))
        script = "\n".join(["at=0", f'trap \'printf "{MARK}%s\\n" "$at" >&2\' EXIT', *lines])
        self.shell(script, changes.functions)

    def prepare(self, function: Function) -> None:
        if function.words[0] == "fetch":
            self.fetch(function)
            return
        lines = [shell.library("prepare.sh"), "set -eu", f"epoch={shlex.quote(self.values['epoch'])}"]
        self.shell("\n".join([*lines, self.line_of(function)]), (function,))

    def fetch(self, function: Function) -> None:
        target, url, sha256 = (self.word(each) for each in function.words[1:4])
        with self.told(function.origin, f"fetch {url}"):
            try:
                download(url, Path(target), None if sha256 == "-" else sha256, self.session.cancel)
            except WorkFailed as error:
                placed = (evolve(each, span=function.origin.span) for each in error.faults)
                raise WorkFailed(*placed) from error

    def shell(self, script: str, functions: tuple[Function, ...]) -> None:
        short = str(functions[0].words[0])
        if len(functions) > 1:
            short = f"{len(functions)} file changes"
        with self.told(functions[0].origin, short):
            try:
                process = self.session.command("sh", "-c", script)
                run(process, on_line=self.line, log=self.log, capture=False, cancel=self.session.cancel)
            except ProcessFailed as error:
                failed = functions[_marked(error.completed.stderr_tail, len(functions))]
                raise self.failure(error, failed.origin, self.line_of(failed)) from error

    def line_of(self, function: Function) -> str:
        return shlex.join(self.word(each) for each in function.words)

    def process(self, argv: tuple[Argument, ...]) -> Process:
        words: list[str] = []
        for argument in argv:
            if isinstance(argument, Given):
                if self.values.get(argument.var.name):
                    words += [self.word(each) for each in argument.words]
            else:
                words.append(self.word(argument))
        return self.session.command(*words, secrets=self.secrets)

    def word(self, word: Word) -> str:
        if isinstance(word, str):
            return word
        return "".join(self.values[each.name] if isinstance(each, Var) else each for each in word)

    def line(self, _stream: str, line: str) -> None:
        if not line.startswith(MARK):
            self.report(Output(self.task, line))

    @contextmanager
    def told(self, origin: Origin, command: str) -> Iterator[None]:
        """Report the beginning and end of what belongs to a step of the spec."""
        index = self.step[0]
        self.step[0] += 1
        place = shell.describe(origin)
        self.log.write(f"\n=== {place or 'bic'}: {command}\n".encode())
        started = time.monotonic()
        self.report(StepStarted(self.task, index, origin, command))
        yield
        self.report(StepDone(self.task, index, time.monotonic() - started))

    @contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        """One holder at a time of a cache that its package manager locks, over threads and processes."""
        if not name:
            yield
            return
        folder = Path(self.values["cache"])
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name.strip('/')}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def failure(self, error: ProcessFailed, origin: Origin, command: str, pulls: str = "") -> BicError:
        done = error.completed
        tail = [line for line in done.tail.splitlines() if not line.startswith(MARK)][-TAIL:]
        how = f"with exit code {done.returncode}" if done.returncode > 0 else f"by signal {-done.returncode}"
        notes = (
            f"command: {command}",
            *_indented("last lines of its output:", tail),
            f"full log: {self.log_path}",
        )
        message = f"cannot pull `{pulls}`" if pulls else f"the step failed {how}"
        hint = _hint(done.tail, PULL_HINTS if pulls else HINTS)
        return WorkFailed(Fault(f"{message} for {self.task.platform}", origin.span, hint, notes))


def _indented(title: str, lines: list[str]) -> tuple[str, ...]:
    return ("\n".join([title, *(f"  {line}" for line in lines)]),) if lines else ("it printed nothing",)


def _hint(output: str, hints: Mapping[str, str]) -> str | None:
    """Symptoms that have one cause and one mend."""
    text = output.lower()
    return next((hint for symptom, hint in hints.items() if symptom in text), None)


def _is_final(output: str) -> bool:
    """Whether asking a registry again would bring the same answer."""
    return any(symptom in output.lower() for symptom in (*GONE, *DENIED, SPACE))


SPACE = "no space left on device"
GONE = ("manifest unknown", "name unknown", "404", "not found")
DENIED = ("unauthorized", "denied", "authentication required")

_FULL = "free space where the container store lies (BIC_HOME moves it), then run again"
_FOREIGN = "the platform's programs do not run here: `bic doctor` shows how to enable emulation"
_NO_NAMES = "the step has no network, or the host's name servers do not answer"

HINTS: Mapping[str, str] = {
    SPACE: _FULL,
    "exec format error": _FOREIGN,
    "certificate verify failed": "the host's CA bundle is not known: set SSL_CERT_FILE to it",
    "temporary failure in name resolution": _NO_NAMES,
    "temporary failure resolving": _NO_NAMES,
}
PULL_HINTS: Mapping[str, str] = {
    SPACE: _FULL,
    **dict.fromkeys(GONE, "what the lock names is gone: `bic lock --upgrade` takes what is there now"),
    **dict.fromkeys(DENIED, "`skopeo login` to the registry, or set REGISTRY_AUTH_FILE"),
    "": "the registry or the network failed: run the command again",
}


def _short(call: Call) -> str:
    """A call as people think of it: what runs in the image, else which buildah command."""
    words = [each for each in call.argv if isinstance(each, str)]
    if call.label:
        return call.label
    if call.executes:
        return shlex.join(words[words.index("--", words.index("--hostname")) + 1 :])
    return " ".join(words[:2])


def _marked(stderr: str, count: int) -> int:
    marks = [line for line in stderr.splitlines() if line.startswith(MARK)]
    index = int(marks[-1].removeprefix(MARK)) if marks else 0
    return min(index, count - 1)


def _variables(argv: tuple[Argument, ...]) -> Iterator[Var]:
    for each in argv:
        if isinstance(each, tuple):
            yield from (piece for piece in each if isinstance(piece, Var))
