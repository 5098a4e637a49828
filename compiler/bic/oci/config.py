"""Image configs (image-spec 1.1, config.md)."""

from __future__ import annotations

from attrs import evolve, field, frozen

from bic.errors import Malformed
from bic.oci import fields, json
from bic.oci.digest import Digest
from bic.oci.fields import Extra, Object, Pairs
from bic.oci.platform import Platform
from bic.oci.refusal import quote


@frozen
class RunConfig:
    """How a container of the image is run; empty values and absent ones are the same, as in the image-spec.

    `exposed_ports` (`80/tcp`) and `volumes` are sorted.
    """

    user: str | None = None
    env: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    working_dir: str | None = None
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Pairs = field(default=(), converter=fields.pairs)
    stop_signal: str | None = None
    extra: Extra = ()

    @classmethod
    def from_json(cls, value: object) -> RunConfig:
        """The member `config` of an image config; raises `Malformed`."""
        obj = fields.as_object(value, "`config`")
        bare = cls(
            user=fields.filled_text(obj, "User"),
            env=fields.texts(obj, "Env"),
            entrypoint=fields.texts(obj, "Entrypoint"),
            cmd=fields.texts(obj, "Cmd"),
            working_dir=fields.filled_text(obj, "WorkingDir"),
            exposed_ports=fields.names(obj, "ExposedPorts"),
            volumes=fields.names(obj, "Volumes"),
            labels=fields.text_map(obj, "Labels"),
            stop_signal=fields.filled_text(obj, "StopSignal"),
        )
        return evolve(bare, extra=fields.extra(obj, bare.to_json()))

    def to_json(self) -> Object:
        """The run config as a JSON object, unknown members included."""
        known: Object = {
            "User": self.user,
            "Env": list(self.env),
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.cmd),
            "WorkingDir": self.working_dir,
            "ExposedPorts": {port: {} for port in self.exposed_ports},
            "Volumes": {path: {} for path in self.volumes},
            "Labels": dict(self.labels),
            "StopSignal": self.stop_signal,
        }
        return fields.restore(self.extra) | fields.present(known)

    def env_map(self) -> dict[str, str]:
        """The environment by name; the last entry of a name counts, and entries without `=` set nothing."""
        split = (entry.partition("=") for entry in self.env)
        return {name: value for name, equals, value in split if equals}

    def label_map(self) -> dict[str, str]:
        """The labels by name."""
        return dict(self.labels)


@frozen
class History:
    """What made a layer; `empty_layer` when it made none."""

    created: str | None = None
    created_by: str | None = None
    author: str | None = None
    comment: str | None = None
    empty_layer: bool = False
    extra: Extra = ()

    @classmethod
    def from_json(cls, value: object) -> History:
        """One entry of `history`; raises `Malformed`."""
        obj = fields.as_object(value, "an entry of `history`")
        bare = cls(
            created=fields.filled_text(obj, "created"),
            created_by=fields.filled_text(obj, "created_by"),
            author=fields.filled_text(obj, "author"),
            comment=fields.filled_text(obj, "comment"),
            empty_layer=fields.flag(obj, "empty_layer"),
        )
        return evolve(bare, extra=fields.extra(obj, bare.to_json()))

    def to_json(self) -> Object:
        """The entry as a JSON object, unknown members included."""
        known: Object = {
            "created": self.created,
            "created_by": self.created_by,
            "author": self.author,
            "comment": self.comment,
            "empty_layer": self.empty_layer,
        }
        return fields.restore(self.extra) | fields.present(known)


@frozen
class ImageConfig:
    """What an image runs on, how, and of which uncompressed layers it consists.

    `created` is the RFC 3339 text as it stands there. Members that have no field here are kept in `extra`.
    """

    architecture: str
    os: str
    variant: str | None = None
    created: str | None = None
    author: str | None = None
    config: RunConfig = RunConfig()
    diff_ids: tuple[Digest, ...] = ()
    history: tuple[History, ...] = ()
    extra: Extra = ()

    @classmethod
    def parse(cls, data: bytes) -> ImageConfig:
        """The config that the bytes encode; raises `Malformed`."""
        return cls.from_json(json.parse(data))

    @classmethod
    def from_json(cls, value: object) -> ImageConfig:
        """The config that a JSON object holds; raises `Malformed`."""
        obj = fields.as_object(value, "an image config")
        bare = cls(
            architecture=fields.text(obj, "architecture"),
            os=fields.text(obj, "os"),
            variant=fields.filled_text(obj, "variant"),
            created=fields.filled_text(obj, "created"),
            author=fields.filled_text(obj, "author"),
            config=RunConfig.from_json(fields.member(obj, "config")),
            diff_ids=_diff_ids(obj),
            history=tuple(map(History.from_json, fields.array(obj, "history"))),
        )
        return evolve(bare, extra=fields.extra(obj, bare.to_json()))

    def to_json(self) -> Object:
        """The config as a JSON object, unknown members included."""
        kept = fields.restore(self.extra)
        layers: Object = {"type": "layers", "diff_ids": [str(diff_id) for diff_id in self.diff_ids]}
        known: Object = {
            "architecture": self.architecture,
            "os": self.os,
            "rootfs": fields.member(kept, "rootfs") | layers,
        }
        optional: Object = {
            "variant": self.variant,
            "created": self.created,
            "author": self.author,
            "config": self.config.to_json(),
            "history": [entry.to_json() for entry in self.history],
        }
        return kept | known | fields.present(optional)

    def to_bytes(self) -> bytes:
        """The config as canonical JSON."""
        return json.canonical(self.to_json())

    @property
    def platform(self) -> Platform:
        """What the image runs on, normalised; raises `Malformed` when unknown."""
        return Platform.of(self.os, self.architecture, self.variant)


def _diff_ids(obj: Object) -> tuple[Digest, ...]:
    if obj.get("rootfs") is None:
        raise Malformed("a required member is missing: `rootfs`")
    rootfs = fields.member(obj, "rootfs")
    if fields.text(rootfs, "type") != "layers":
        raise Malformed(f"`rootfs` is of an unknown type: {quote(rootfs['type'])}")
    return tuple(map(Digest.parse, fields.texts(rootfs, "diff_ids")))
