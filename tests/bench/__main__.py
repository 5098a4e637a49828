"""Measures bic as people meet it, as whole processes, and prints ratios from one run.

Milliseconds depend on the machine and on what else it does. What can be compared is how many times as long
as `python -c pass` a command takes in the same minutes, and how the time of a workspace grows with its size.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from attrs import asdict, frozen

from .workspace import generate

BIC = Path(sys.executable).with_name("bic")
SIZES = (125, 250, 500, 1000)


@frozen
class Command:
    """The median of several runs; `wanted_ms` is what bic promises on the machine that it is developed on."""

    name: str
    ms: float
    times_python: float
    wanted_ms: float | None = None


@frozen
class Growth:
    """A whole workspace at once; `relative` is its speed as a share of the smallest workspace's."""

    specs: int
    seconds: float
    specs_per_s: float
    relative: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    parser.add_argument("--runs", type=int, default=15, help="runs of each command (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bic-bench-") as folder:
        commands = measure_commands(Path(folder), options.runs)
        growth = measure_growth(Path(folder))
    if options.json:
        print(
            json.dumps({"commands": [asdict(c) for c in commands], "workspaces": [asdict(g) for g in growth]})
        )
    else:
        show(commands, growth)


def measure_commands(folder: Path, runs: int) -> list[Command]:
    one = generate(folder / "one", 1)
    python = median_ms([sys.executable, "-c", "pass"], one, runs)
    wanted = (("bic --help", 80.0), ("bic compile SPEC", 150.0))
    argvs = ([str(BIC), "--help"], [str(BIC), "compile", "image-0000"])
    measured = [Command("python -c pass", python, 1.0)]
    for (name, limit), argv in zip(wanted, argvs, strict=True):
        ms = median_ms(argv, one, runs)
        measured.append(Command(name, ms, ms / python, limit))
    return measured


def measure_growth(folder: Path) -> list[Growth]:
    """The fastest of three rounds over all sizes: a pause of the machine is not bic's."""
    workspaces = {size: generate(folder / str(size), size) for size in SIZES}
    rounds = [
        {size: seconds_of([str(BIC), "compile"], root) for size, root in workspaces.items()} for _ in range(3)
    ]
    seconds = {size: min(each[size] for each in rounds) for size in SIZES}
    first = SIZES[0] / seconds[SIZES[0]]
    return [Growth(size, took, size / took, size / took / first) for size, took in seconds.items()]


def median_ms(argv: Sequence[str], cwd: Path, runs: int) -> float:
    """After one run that nobody counts, which fills the caches of files and bytecode."""
    seconds_of(argv, cwd)
    return 1000 * statistics.median(seconds_of(argv, cwd) for _ in range(runs))


def seconds_of(argv: Sequence[str], cwd: Path) -> float:
    start = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} exited {done.returncode}:\n{done.stderr}")
    return seconds


def show(commands: Sequence[Command], growth: Sequence[Growth]) -> None:
    print(f"{'command':<20} {'median':>9} {'× python':>9}   wanted")
    for each in commands:
        wanted = f"≤ {each.wanted_ms:.0f} ms" if each.wanted_ms else ""
        print(f"{each.name:<20} {each.ms:>6.0f} ms {each.times_python:>9.1f}   {wanted}".rstrip())
    print(f"\n{'bic compile':<20} {'time':>9} {'specs/s':>9}   relative (wanted: ≥ 200 specs/s, constant)")
    for row in growth:
        print(f"{row.specs:>6} specs {row.seconds:>15.2f} s {row.specs_per_s:>9.0f}   {row.relative:.2f}")


if __name__ == "__main__":
    main()
