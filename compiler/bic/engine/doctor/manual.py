"""The user's page on the doctor, written from the probes themselves."""

from __future__ import annotations

from collections.abc import Iterator

from bic.engine.doctor.examine import SECTIONS
from bic.engine.doctor.finding import Probe

HEAD = """\
# bic doctor

`bic doctor` tells whether this machine can build, and which setting to change where it cannot. It needs no
root, asks the network only with `--net`, and builds one tiny image in a temporary store: your own container
store is not touched.

```
bic doctor                          # the table
bic doctor --platform linux/arm64   # also: can this machine run steps for arm64?
bic doctor --net                    # also: registry, clock and certificates
bic doctor --strict                 # wrong-result warnings count as failures
bic doctor --json                   # {"facts": …, "findings": […]}, sorted by id
```

Exit codes: 0 a build can work · 3 it cannot (any F; with `--strict` also any W).

Severity: **F** no build possible · **S** slow or wasteful · **W** a wrong result is possible · **I**
information. Below is the worst that each probe gives. A probe that makes no sense after an earlier F is
reported as not tried, one that does not apply to the machine is left out.
"""

TAIL = """
Not probed here, because they need an image or a spec: the largest id in a base image (told when it is
pulled), short image names (refused in specs and locks), certificates that leak into an image (checked before
publishing).

This page is written from the probes; `bic.engine.doctor.manual.page` gives its text.
"""


def page() -> str:
    """The page as Markdown."""
    return HEAD + "".join(_section(title, probes) for title, probes in SECTIONS) + TAIL


def _section(title: str, probes: tuple[Probe, ...]) -> str:
    head = ("| id | worst | what is well | symptom when it is not | see |", "|---|---|---|---|---|")
    return f"\n## {title}\n\n" + "".join(f"{line}\n" for line in (*head, *_rows(probes)))


def _rows(probes: tuple[Probe, ...]) -> Iterator[str]:
    for probe in probes:
        cells = (f"`{probe.id}`", probe.worst, probe.promise.rstrip("."), probe.symptom, probe.evidence)
        yield "| " + " | ".join(cell.replace("|", "\\|") or "–" for cell in cells) + " |"
