"""What compiling writes: ir.json, scripts, the Dockerfile, and the context that they copy from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from bic.engine import context
from bic.ir.definition import Definition
from bic.ir.encode import encode
from bic.lower import dockerfile, shell
from bic.lower.lower import lower
from bic.spec.model import Spec
from bic.spec.workspace import Workspace


def emit(kind: str, spec: Spec, definitions: tuple[Definition, ...]) -> str:
    """One of the outputs as text: `ir`, `script` (all platforms, one after the other) or `dockerfile`."""
    match kind:
        case "ir":
            return ir(spec, definitions)
        case "script":
            return "".join(shell.text(lower(each)) for each in definitions)
        case _:
            return dockerfile.text(definitions)


def ir(spec: Spec, definitions: Iterable[Definition]) -> str:
    """The step IR of all platforms as stable JSON, a line for each vertex."""
    data = encode(spec.name, definitions)
    platforms = [f"{_json(name)}: {_platform(each)}" for name, each in data.pop("platforms").items()]
    head = _json(data).removesuffix("}")
    return head + ', "platforms": {\n' + ",\n".join(platforms) + "\n}}\n"


def _platform(data: dict[str, Any]) -> str:
    rows = ",\n".join(_json(each) for each in data["vertices"])
    return f'{{\n"digest": {_json(data["digest"])},\n"vertices": [\n{rows}\n]}}'


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def write(workspace: Workspace, spec: Spec, definitions: tuple[Definition, ...]) -> Path:
    """Write everything below out/build/<spec>; the folder. Files of an earlier compilation are replaced."""
    folder = workspace.build_dir(spec.name)
    folder.mkdir(parents=True, exist_ok=True)
    context.stage(definitions, workspace.root, folder / "context")
    write_text(folder / "ir.json", ir(spec, definitions))
    for definition in definitions:
        write_text(folder / f"{definition.platform.slug}.sh", shell.text(lower(definition)), mode=0o755)
    write_text(folder / "Dockerfile", dockerfile.text(definitions))
    write_text(folder / "context" / dockerfile.LIBRARY, shell.library("tree.sh"))
    return folder


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file at once, so that a reader never sees half of it; one that is the same is left alone."""
    with suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8", newline="")
    temporary.chmod(mode)
    temporary.replace(path)
