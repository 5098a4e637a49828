"""The user's page on the linter, written from the rules themselves."""

from __future__ import annotations

from bic.engine.lint.examine import RULES

HEAD = """\
# bic lint

`bic lint` loads specs as all commands do, and reports all faults of all files at once: exit code 2. What
loads is then looked through for doubtful places:

```
bic lint                 # all specs of the workspace
bic lint python          # one of them, and the fragments that it uses
bic lint --strict        # exit code 1 when there is a warning
bic lint --json          # an array of findings, for programs
```

Exit codes: 0 nothing worse than warnings · 1 warnings, with `--strict` · 2 a spec does not load.

A finding names its rule in brackets. A *warning* is most likely a mistake; a *note* is worth knowing, and
`--strict` passes it.

## Rules of bic

| id | severity | finds |
|---|---|---|
"""

TAIL = """
A package without a version is no finding: the lock pins what is installed.

## ShellCheck

The scripts of `shell` steps for sh, dash and bash are looked through by ShellCheck, and its findings
(`SC2086`) stand at their line and column in the TOML file, those of fragments too. Its errors and warnings
are warnings here, the rest are notes. `${vars.x}` and `${with.x}` count as plain words. To accept a
finding, say so in the script:

```toml
[[step]]
shell = \"\"\"
# shellcheck disable=SC2086
install $PACKAGES
\"\"\"
```

ShellCheck comes with bic's extra `lint` (`pip install '.[lint]'` in a checkout); another one on `PATH` is
taken, too. Without any, bic says so and goes on.
"""


def page() -> str:
    """The page as Markdown."""
    rows = (
        f"| `{rule.id}` | {rule.severity} | {rule.meaning.replace('|', chr(92) + '|')} |\n" for rule in RULES
    )
    return HEAD + "".join(rows) + TAIL
