"""The helpers of these tests, tried themselves: a helper that says nothing is worse than none."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from support import probes
from support import registry as registries
from support.accounts import Account, Completed
from support.layout import (
    Entry,
    LayoutWriter,
    diff_trees,
    directory_tree,
    image_config,
    image_tree,
    manifests,
    merged,
    read_file,
    read_layer,
)
from support.proxy import Fault, FaultyProxy
from support.registry import Registry
from support.tiny_base import PLATFORMS, TinyBase, push_layout
from support.tiny_base import tiny_base as make_tiny_base
from support.workspace import Workspace

FILE = Entry("file", 0o644, 0, 0, size=1, sha256="aa")
FOLDER = Entry("directory", 0o755, 0, 0)


def skopeo(*words: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    argv = [probes.program("skopeo"), "--insecure-policy", *words]
    return subprocess.run(argv, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)


# Probes


def test_a_probe_that_fails_skips_by_its_name() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"^lacks such-a-tool: "):
        probes.tool("such-a-tool").require()


def test_a_probe_that_holds_lets_the_test_go_on() -> None:
    probes.tool("sh").require()


# Image trees


def test_a_whiteout_hides_a_file_and_all_below_a_folder() -> None:
    lower = {"/a": FOLDER, "/a/b": FILE, "/c": FILE, "/d": FILE}
    assert merged(lower, {"/.wh.a": FILE, "/.wh.c": FILE}).keys() == {"/d"}


def test_a_whiteout_does_not_hide_what_its_own_layer_brings() -> None:
    lower = {"/a": FOLDER, "/a/old": FILE}
    assert merged(lower, {"/.wh.a": FILE, "/a": FOLDER, "/a/new": FILE}).keys() == {"/a", "/a/new"}


def test_an_opaque_folder_keeps_only_what_its_layer_brings() -> None:
    lower = {"/a": FOLDER, "/a/old": FILE, "/b": FILE}
    layer = {"/a": FOLDER, "/a/.wh..wh..opq": FILE, "/a/new": FILE}
    assert merged(lower, layer).keys() == {"/a", "/a/new", "/b"}


def test_a_file_in_the_place_of_a_folder_replaces_all_of_it() -> None:
    assert merged({"/a": FOLDER, "/a/b": FILE}, {"/a": FILE}) == {"/a": FILE}


def test_a_folder_over_a_folder_keeps_what_is_below() -> None:
    private = evolve(FOLDER, mode=0o700)
    assert merged({"/a": FOLDER, "/a/b": FILE}, {"/a": private}) == {"/a": private, "/a/b": FILE}


def test_a_layer_is_read_with_types_modes_owners_links_and_xattrs(tmp_path: Path) -> None:
    tree = read_layer(_layer_of_all_types(tmp_path))
    assert tree["/file"].mode == 0o4755 and (tree["/file"].uid, tree["/file"].gid) == (7, 8)
    assert tree["/file"].size == 5 and tree["/file"].xattrs == (("user.note", "x"),)
    assert tree["/link"].target == "file" and tree["/hard"].inode == tree["/file"].inode
    assert tree["/null"].type == "character" and tree["/null"].device == (1, 3)
    assert tree["/pipe"].type == "fifo" and tree["/folder"].type == "directory"


def test_names_of_one_file_are_counted(tmp_path: Path) -> None:
    writer = LayoutWriter(tmp_path / "layout")
    data = _layer_of_all_types(tmp_path).read_bytes()
    writer.finish([writer.image("linux/amd64", data, {"Env": ["A=1"]})])
    tree = image_tree(writer.directory, "linux/amd64")
    assert tree["/file"].links == tree["/hard"].links == 2
    assert image_config(writer.directory, "linux/amd64")["config"]["Env"] == ["A=1"]
    assert read_file(writer.directory, "linux/amd64", "/hard") == b"hello"


def _layer_of_all_types(directory: Path) -> Path:
    file = tarfile.TarInfo("./file")
    file.mode, file.uid, file.gid, file.size = 0o4755, 7, 8, 5
    file.pax_headers = {"SCHILY.xattr.user.note": "x"}
    others = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "null": tarfile.CHRTYPE}
    others |= {"pipe": tarfile.FIFOTYPE, "folder/": tarfile.DIRTYPE}
    path = directory / "layer.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(file, io.BytesIO(b"hello"))
        for name, kind in others.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "file"
            member.devmajor, member.devminor = 1, 3
            archive.addfile(member)
    return path


def test_equal_trees_have_no_difference() -> None:
    assert diff_trees({"/a": FILE}, {"/a": evolve(FILE, mtime=9)}) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"mode": 0o600}, "/a: mode 0644 → 0600"),
        ({"uid": 5}, "/a: uid 0 → 5"),
        ({"sha256": "bb"}, "/a: sha256 aa → bb"),
        ({"links": 2}, "/a: links 1 → 2"),
        ({"xattrs": (("k", "v"),)}, "/a: xattrs () → (('k', 'v'),)"),
    ],
)
def test_each_kind_of_difference_is_a_line(change: dict[str, object], line: str) -> None:
    assert diff_trees({"/a": FILE}, {"/a": evolve(FILE, **change)}) == [line]  # type: ignore[arg-type]


def test_paths_of_one_side_are_told_unless_ignored() -> None:
    assert diff_trees({"/a": FILE}, {"/b": FILE}) == ["/a: only in the first", "/b: only in the second"]
    assert diff_trees({"/a": FILE}, {}, ignore=lambda path: path == "/a") == []


def test_times_count_where_asked_for() -> None:
    assert diff_trees({"/a": FILE}, {"/a": evolve(FILE, mtime=9)}, fields=["mtime"]) == ["/a: mtime 0 → 9"]


def test_a_folder_of_this_machine_is_read_in_the_same_form(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    (tmp_path / "hard").hardlink_to(tmp_path / "file")
    (tmp_path / "link").symlink_to("file")
    tree = directory_tree(tmp_path)
    assert tree["/hard"].links == 2 and tree["/link"].target == "file" and tree["/"].type == "directory"


def test_a_blob_with_other_bytes_than_its_name_says_is_refused(tmp_path: Path) -> None:
    writer = LayoutWriter(tmp_path / "layout")
    writer.finish([writer.image("linux/amd64", b"\0" * 1024, {})])
    digest = manifests(writer.directory)["linux/amd64"]
    (writer.directory / "blobs" / digest.replace(":", "/")).write_bytes(b"{}")
    with pytest.raises(ValueError, match="other bytes"):
        image_tree(writer.directory, "linux/amd64")


# The tiny base


def test_the_tiny_base_holds_a_shell_for_both_platforms(tiny_base: TinyBase) -> None:
    for platform in PLATFORMS:
        tree = image_tree(tiny_base.layout, platform)
        assert tree["/bin/sh"].target == "busybox"
        assert tree["/bin/busybox"].mode == 0o755 and tree["/tmp"].mode == 0o1777
        assert tree["/etc/passwd"].type == tree["/etc/group"].type == "file"
    machines = {platform: read_file(tiny_base.layout, platform, "/bin/busybox")[18] for platform in PLATFORMS}
    assert machines == {"linux/amd64": 0x3E, "linux/arm64": 0xB7}


@pytest.mark.network
def test_the_tiny_base_is_the_same_however_often_it_is_made(tiny_base: TinyBase, tmp_path: Path) -> None:
    assert make_tiny_base(tmp_path).digest == tiny_base.digest


def test_an_arm64_program_really_runs(arm64: str, tiny_base: TinyBase, tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(read_file(tiny_base.layout, arm64, "/bin/busybox"))
    busybox.chmod(0o755)
    done = subprocess.run([busybox, "uname", "-m"], capture_output=True, text=True)
    assert done.stdout.strip() == "aarch64"


# Registries


def test_a_pushed_layout_keeps_its_digest(registry: Registry, tiny_base: TinyBase) -> None:
    push_layout(tiny_base.layout, f"{registry.host}/support/kept:1")
    assert registry.digest("support/kept", "1") == tiny_base.digest
    assert registry.tags("support/kept") == ("1",)
    assert "support/kept" in registry.repositories()
    assert registry.digest("support/kept", "2") is None and registry.tags("support/none") == ()


def test_a_registry_with_a_password_refuses_strangers(
    password_registry: Registry, tiny_base: TinyBase
) -> None:
    reference = f"{password_registry.host}/support/secret:1"
    auth = ("--authfile", str(password_registry.auth_file))
    push_layout(tiny_base.layout, reference, "--dest-tls-verify=false", *auth)
    assert password_registry.digest("support/secret", "1") == tiny_base.digest
    refused = skopeo(
        "inspect", "--raw", "--tls-verify=false", "--authfile=/nonexistent", f"docker://{reference}"
    )
    assert refused.returncode != 0 and "unauthorized" in refused.stderr


def test_a_registry_with_tls_is_trusted_by_its_own_ca_alone(
    tls_registry: Registry, tiny_base: TinyBase
) -> None:
    reference = f"{tls_registry.host}/support/tls:1"
    push_layout(tiny_base.layout, reference, "--dest-cert-dir", str(tls_registry.cert_dir))
    assert tls_registry.digest("support/tls", "1") == tiny_base.digest
    refused = skopeo("inspect", "--raw", f"docker://{reference}")
    assert refused.returncode != 0 and "x509" in refused.stderr


def test_two_registries_can_run_side_by_side(registry: Registry, tmp_path: Path) -> None:
    with registries.serve(tmp_path) as second:
        assert second.port != registry.port and second.repositories() == ()


def test_docker_io_is_served_by_the_loopback_registry(
    tiny_reference: str, tiny_base: TinyBase, registries_conf: Callable[..., dict[str, str]]
) -> None:
    # skopeo 1.9 knows the file by this option alone, and without --raw it lists tags past the mirror.
    option = f"--registries-conf={registries_conf('docker.io')['CONTAINERS_REGISTRIES_CONF']}"
    done = skopeo(option, "inspect", "--raw", f"docker://{tiny_reference}")
    assert f"sha256:{hashlib.sha256(done.stdout.encode()).hexdigest()}" == tiny_base.digest, done.stderr


def test_buildah_pulls_docker_io_from_the_loopback_registry(
    tiny_reference: str,
    registries_conf: Callable[..., dict[str, str]],
    account: Account,
    shared_directory: Path,
) -> None:
    done = _buildah_pull(tiny_reference, registries_conf("docker.io"), account, shared_directory)
    assert len(done.check().stdout.strip()) == 64


def test_what_the_mirror_lacks_is_never_asked_of_the_real_registry(
    registries_conf: Callable[..., dict[str, str]], account: Account, shared_directory: Path
) -> None:
    reference = "docker.io/library/absent:1"
    done = _buildah_pull(reference, registries_conf("docker.io"), account, shared_directory)
    assert done.code != 0 and "127.0.0.1:1" in done.stderr and "docker.io/v2" not in done.stderr


def _buildah_pull(reference: str, env: dict[str, str], account: Account, directory: Path) -> Completed:
    storage = directory / "storage"
    storage.mkdir()
    account.own(storage)
    where = ("--root", storage / "root", "--runroot", storage / "run", "--storage-driver", "vfs")
    return account.run([probes.program("buildah"), *where, "pull", "--quiet", reference], storage, env)


# The proxy


@pytest.fixture
def proxied(faulty_proxy: FaultyProxy, registry: Registry, tiny_base: TinyBase) -> FaultyProxy:
    """The proxy, with `support/proxied:1` behind it."""
    push_layout(tiny_base.layout, f"{registry.host}/support/proxied:1")
    return faulty_proxy


def pull(proxy: FaultyProxy, target: Path) -> subprocess.CompletedProcess[str]:
    source = f"docker://{proxy.host}/support/proxied:1"
    return skopeo("copy", "--quiet", "--all", "--src-tls-verify=false", source, f"oci:{target}:1")


def test_a_faultless_proxy_passes_pulls_on_and_remembers_them(
    proxied: FaultyProxy, tiny_base: TinyBase, tmp_path: Path
) -> None:
    assert pull(proxied, tmp_path / "pulled").returncode == 0
    for platform in PLATFORMS:
        assert (
            diff_trees(image_tree(tiny_base.layout, platform), image_tree(tmp_path / "pulled", platform))
            == []
        )
    assert len(proxied.requests("GET", "/manifests/1$")) == 1
    assert len(proxied.requests("GET", "/blobs/")) == 4


def test_a_faultless_proxy_passes_pushes_on(
    faulty_proxy: FaultyProxy, registry: Registry, tiny_base: TinyBase
) -> None:
    push_layout(tiny_base.layout, f"{faulty_proxy.host}/support/through:1")
    assert registry.digest("support/through", "1") == tiny_base.digest
    assert faulty_proxy.requests("PUT", "/manifests/1$")


def test_the_proxy_answers_with_a_status_for_as_long_as_told(proxied: FaultyProxy) -> None:
    proxied.inject(Fault.answer(429, "/manifests/", times=2, retry_after=7))
    through = Registry(proxied.port, Path("/nonexistent"))
    answers = [through.request("GET", "/v2/support/proxied/manifests/1") for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert [request.fault for request in proxied.requests()] == ["status", "status", None]


def test_the_proxy_spoils_the_nth_request_only(proxied: FaultyProxy) -> None:
    proxied.inject(Fault.answer(500, first=2, times=1))
    through = Registry(proxied.port, Path("/nonexistent"))
    assert [through.request("GET", "/v2/").status for _ in range(3)] == [200, 500, 200]


def test_the_proxy_resets_a_connection(proxied: FaultyProxy) -> None:
    proxied.inject(Fault("reset", times=1))
    with pytest.raises(ConnectionError):
        Registry(proxied.port, Path("/nonexistent")).request("GET", "/v2/")


def test_the_proxy_closes_in_the_middle_of_a_blob(proxied: FaultyProxy, tmp_path: Path) -> None:
    proxied.inject(Fault("truncate", path="/blobs/", method="GET"))
    done = pull(proxied, tmp_path / "pulled")
    assert done.returncode != 0 and "EOF" in done.stderr


def test_the_proxy_answers_slowly(proxied: FaultyProxy) -> None:
    proxied.inject(Fault("slow", seconds=0.02))
    before = time.monotonic()
    assert Registry(proxied.port, Path("/nonexistent")).digest("support/proxied", "1")
    assert Registry(proxied.port, Path("/nonexistent")).request("GET", "/v2/support/proxied/manifests/1").body
    assert time.monotonic() - before >= 0.3


def test_the_proxy_forgets_when_told(proxied: FaultyProxy) -> None:
    proxied.inject(Fault.answer(500))
    proxied.clear()
    assert Registry(proxied.port, Path("/nonexistent")).request("GET", "/v2/").status == 200
    assert len(proxied.requests()) == 1


# Accounts and workspaces


def test_an_account_runs_commands_as_itself_in_its_own_home(account: Account) -> None:
    script = 'id -u; echo "$HOME"; pwd; echo "${XDG_RUNTIME_DIR-none}"; echo "$EXTRA"'
    done = account.run(["sh", "-c", script], cwd=Path("/usr"), env={"EXTRA": "a b"}).check()
    assert done.stdout.splitlines() == [str(account.uid), str(account.home), "/usr", "none", "a b"]


def test_an_account_tells_exit_codes_and_both_outputs(account: Account) -> None:
    done = account.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (done.code, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_the_ordinary_account_is_no_root_and_maps_many_ids(builder_user: Account) -> None:
    assert not builder_user.is_root
    done = builder_user.run([probes.program("buildah"), "unshare", "cat", "/proc/self/uid_map"]).check()
    assert sum(int(line.split()[2]) for line in done.stdout.splitlines()) > 65536


def test_bic_can_be_executed_by_each_account(account: Account) -> None:
    python = account.bic.parent / "python"
    done = account.run([python, "-c", "import bic; print(bic.__version__)"]).check()
    assert done.stdout.strip()


def test_a_workspace_belongs_to_its_account(account: Account, workspace: Callable[..., Workspace]) -> None:
    made = workspace(account)
    path = made.spec("team/base", "bic = 1\n")
    assert path.stat().st_uid == path.parent.stat().st_uid == account.uid
    account.run(["sh", "-c", "cat specs/team/base.toml && touch specs/team/other"], cwd=made.root).check()


def test_two_workspaces_of_a_test_are_apart(workspace: Callable[..., Workspace]) -> None:
    assert workspace().root != workspace().root
