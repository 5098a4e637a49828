"""The scripts of a spec's `shell` steps as they are written, for tools that look at shell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from bic.engine.lint.literal import Located, located
from bic.engine.lint.subject import Place, Subject
from bic.errors import Fault, Position, Severity, Span
from bic.spec.model import Shell

REFERENCE = re.compile(r"\$?\$\{(?:vars|with)\.[^{}]*\}")
DIALECTS = {"sh": "sh", "dash": "dash", "ash": "dash", "bash": "bash"}


@frozen(eq=False)
class Script:
    """A script, the dialect that its interpreter speaks (None: not a shell), and where it stands.

    In `text`, each reference of bic's is a word of the same length: columns stay true.
    """

    place: Place
    located: Located
    interpreter: tuple[str, ...]

    @property
    def text(self) -> str:
        return REFERENCE.sub(lambda match: "x" * len(match[0]), self.located.text)

    @property
    def has_references(self) -> bool:
        return REFERENCE.search(self.located.text) is not None

    @property
    def dialect(self) -> str | None:
        words = [word.rsplit("/", 1)[-1] for word in self.interpreter]
        name = words[1] if words[0] == "env" and len(words) > 1 else words[0]
        return DIALECTS.get(name)

    @property
    def options(self) -> str:
        """The one-letter options that the interpreter is given, `c` apart."""
        flags = "".join(word[1:] for word in self.interpreter[1:] if re.fullmatch(r"-[a-zA-Z]+", word))
        return "".join(sorted(set(flags) & set("eu")))

    def fault(
        self, start: Position, end: Position, message: str, hint: str | None, severity: Severity
    ) -> Fault:
        document = self.place.document
        span = Span(document.file, start, max(start, end))
        return Fault(message, span, hint, excerpt=document.excerpt(span), severity=severity)


def scripts(subject: Subject) -> Iterator[Script]:
    """Each script of the spec once, those of the fragments that it uses included."""
    seen: set[int] = set()
    for step, place in subject.steps:
        raw = place.raw("shell")
        if not isinstance(step.kind, Shell) or id(raw) in seen or not isinstance(raw, str):
            continue
        seen.add(id(raw))
        span = place.document.value_span((*place.path, "shell"))
        text = step.kind.shell if REFERENCE.fullmatch(raw) else raw
        yield Script(place, located(place.document, span, text), step.kind.interpreter)
