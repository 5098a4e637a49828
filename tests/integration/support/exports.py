"""Building what `bic compile` exports with plain buildah, and comparing images."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from .accounts import Completed
from .layout import Json, Tree, diff_trees, image_config, image_tree
from .probes import program
from .workspace import Workspace

STUBS = (
    "/dev",
    "/proc",
    "/sys",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/hostname",
    "/run",
    "/run/.containerenv",
)
"""What `buildah build` makes in an image that lacks it: mount points of its own steps."""


@frozen
class PlainBuildah:
    """buildah as a user without bic has it: a store of its own in the workspace, `env` on top."""

    workspace: Workspace
    env: Mapping[str, str] = field(factory=dict)

    def script(self, spec: str, platform: str, *words: str) -> Path:
        """Runs the exported script; the layout that it wrote."""
        folder = self.workspace.layout(spec).parent
        target = folder / f"by-script-{platform.replace('/', '-')}"
        argv: tuple[str | Path, ...] = ("sh", folder / f"{platform.replace('/', '-')}.sh")
        argv += (*words, f"oci:{target}")
        self.run(*argv).check()
        return target

    def dockerfile(self, spec: str, platform: str, *words: str | Path) -> Path:
        """Builds the exported Dockerfile; the layout that it wrote."""
        folder = self.workspace.layout(spec).parent
        target = folder / f"by-dockerfile-{platform.replace('/', '-')}"
        name = f"localhost/{spec}-{platform.replace('/', '-')}"
        options: tuple[str, ...] = ("--isolation", "chroot", "--format", "oci", "--platform", platform)
        options += ("--no-cache", "--identity-label=false")
        self.run("buildah", "build", *options, *words, "--tag", name, folder).check()
        self.run("buildah", "push", "--quiet", name, f"oci:{target}").check()
        return target

    def run(self, *argv: str | Path, timeout: float = 900) -> Completed:
        env = {**self.workspace.environment(), **self.environment(), **self.env}
        words = (program(str(argv[0])), *argv[1:])
        return self.workspace.account.run(words, self.workspace.root, env, timeout)

    def environment(self) -> dict[str, str]:
        """A store that no other test and no user of this machine has: by settings as root, by XDG else."""
        state = self.workspace.root / ".state"
        runtime = state / "runtime"
        if not runtime.exists():
            text = (
                f'[storage]\ndriver = "overlay"\ngraphroot = "{state}/plain"\nrunroot = "{state}/plain-run"\n'
            )
            self.workspace.write({".state/storage.conf": text, ".state/runtime/.keep": ""})
            runtime.chmod(0o700)
        own = (
            {"CONTAINERS_STORAGE_CONF": str(state / "storage.conf")} if self.workspace.account.is_root else {}
        )
        return {**own, "XDG_RUNTIME_DIR": str(runtime), "STORAGE_DRIVER": "overlay"}


def differences(
    a: Path, b: Path, platform: str, *, stubs: bool = False, ignore: Container[str] = ()
) -> list[str]:
    """What differs between two images in files and config; times, history and layers do not count.

    With `stubs`, the second may hold what `buildah build` makes in an image that lacks it.
    """
    first, second = (_without_drivers_notes(image_tree(path, platform)) for path in (a, b))
    if stubs:
        second = {path: entry for path, entry in second.items() if path in first or path not in STUBS}
    return diff_trees(first, second, ignore=lambda path: path in ignore) + _config_differences(
        image_config(a, platform)["config"], image_config(b, platform)["config"]
    )


def _without_drivers_notes(tree: Tree) -> Tree:
    """Rootless, buildah 1.28 takes overlayfs' own attributes for the image's."""
    return {
        path: evolve(entry, xattrs=tuple(pair for pair in entry.xattrs if ".overlay." not in pair[0]))
        for path, entry in tree.items()
    }


def _config_differences(a: Json, b: Json) -> list[str]:
    first, second = _known(a), _known(b)
    return [f"{key}: {first[key]!r} → {second[key]!r}" for key in first if first[key] != second[key]]


def _known(config: Json) -> Json:
    user = config.get("User", "")
    return {
        "Env": dict(entry.split("=", 1) for entry in config.get("Env") or ()),
        "Labels": config.get("Labels") or {},
        "User": "" if user in ("root", "0", "0:0", "root:root") else user,
        "WorkingDir": config.get("WorkingDir", "").removesuffix("/"),
        **{key: config.get(key) or [] for key in ("Entrypoint", "Cmd")},
        **{key: set(config.get(key) or ()) for key in ("ExposedPorts", "Volumes")},
        "StopSignal": config.get("StopSignal", ""),
    }
