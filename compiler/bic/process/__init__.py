"""The one place that starts processes: `run(Command(…))`, and `Cancel` to stop what runs.

A command is data: an argv tuple (never a shell text), its own environment assignments, and what it reads on
stdin. Everything else of its surroundings is fixed here: an environment from an allow-list, umask 022, a
session and process group of its own, no terminal.

Effects: starts and kills processes, reads `os.environ` (through `environment`). Prints nothing.
"""

from __future__ import annotations

from bic.process.cancel import Cancel
from bic.process.command import Command, Completed, ProcessFailed, TimedOut
from bic.process.environment import environment
from bic.process.runner import run

__all__ = ["Cancel", "Command", "Completed", "ProcessFailed", "TimedOut", "environment", "run"]
