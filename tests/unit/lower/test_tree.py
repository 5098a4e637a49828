"""Every function of tree.sh, carried out and failing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bic.lower.shell import library

from .conftest import Tree

ODD = [
    "with space",
    "quo'te",
    'dou"ble',
    "new\nline",
    "-rf",
    "*",
    "[a]",
    "?",
    "$HOME",
    "back\\slash",
    ".hidden",
    "..two",
    "ünï",
]

PASSWD = "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n"
GROUP = "root:x:0:\napp:x:1001:\nstaff:x:50:root\n"


@pytest.fixture
def accounts(tree: Tree) -> Tree:
    tree.write("/etc/passwd", PASSWD)
    tree.write("/etc/group", GROUP)
    return tree


def test_a_directory_is_made_with_its_parents(accounts: Tree) -> None:
    accounts.run(["make_directory", "/a/b/c", "0750", "app:staff"])
    assert (accounts.mode("/a/b/c"), accounts.owner("/a/b/c")) == ("0750", (1000, 50))
    assert (accounts.mode("/a/b"), accounts.owner("/a/b")) == ("0755", (0, 0))


def test_a_directory_that_is_there_gets_mode_and_owner(tree: Tree) -> None:
    tree.write("/a/file", "kept")
    tree.path("/a").chmod(0o2777)
    tree.run(["make_directory", "/a", "0755", "7:8"])
    assert (tree.mode("/a"), tree.owner("/a")) == ("0755", (7, 8))
    assert tree.path("/a/file").read_text() == "kept"


def test_a_set_group_id_directory_hands_nothing_down(tree: Tree) -> None:
    above = tree.path("/above")
    above.mkdir()
    os.chown(above, 0, 50)
    above.chmod(0o2775)
    tree.run(
        ["make_directory", "/above/a/b", "0755", "0:0"], ["put_file", __file__, "/above/c/d", "0644", "0:0"]
    )
    for name in ("/above/a", "/above/a/b", "/above/c"):
        assert (tree.mode(name), tree.owner(name)) == ("0755", (0, 0)), name


def test_special_bits_are_set_when_asked_for(tree: Tree) -> None:
    tree.run(["make_directory", "/t", "1777", "0:0"], ["make_directory", "/g", "2755", "0:0"])
    assert (tree.mode("/t"), tree.mode("/g")) == ("1777", "2755")


def test_a_directory_is_made_where_a_dangling_link_points(tree: Tree) -> None:
    tree.link("/var/run", "/run/deep")
    tree.run(["make_directory", "/var/run/app", "0755", "0:0"])
    assert tree.path("/run/deep/app").is_dir()
    assert tree.path("/var/run").is_symlink()


def test_a_file_in_the_way_of_a_directory_is_told(tree: Tree) -> None:
    tree.write("/a")
    assert (
        tree.fails(["make_directory", "/a", "0755", "0:0"])
        == "there is a file in the way of the directory /a"
    )
    assert (
        tree.fails(["make_directory", "/a/b", "0755", "0:0"])
        == "there is a file in the way of the directory /a"
    )


@pytest.mark.parametrize(
    ("owner", "ids"),
    [("app:staff", (1000, 50)), ("app:", (1000, 1001)), ("5:app", (5, 1001)), ("app:7", (1000, 7))],
)
def test_owners_are_names_or_numbers(accounts: Tree, owner: str, ids: tuple[int, int]) -> None:
    accounts.run(["make_directory", "/a", "0755", owner])
    assert accounts.owner("/a") == ids


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ("nobody:staff", "there is no user called nobody in the image"),
        ("app:wheel", "there is no group called wheel in the image"),
        ("ap:staff", "there is no user called ap in the image"),
        ("a*:staff", "there is no user called a* in the image"),
    ],
)
def test_unknown_owners_are_told_before_anything_is_made(accounts: Tree, owner: str, message: str) -> None:
    assert accounts.fails(["make_directory", "/a", "0755", owner]) == message
    assert not accounts.path("/a").exists()


def test_an_owner_by_name_needs_account_files(tree: Tree) -> None:
    assert tree.fails(["make_directory", "/a", "0755", "app:"]) == "there is no user called app in the image"


def test_a_file_replaces_what_was_there(tree: Tree, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"new\0\n\xff")
    outside = tmp_path / "outside"
    outside.write_text("kept")
    tree.write("/etc/a", "old", 0o4755)
    tree.link("/etc/b", str(outside))
    tree.run(
        ["put_file", str(source), "/etc/a", "0640", "3:4"], ["put_file", str(source), "/etc/b", "0644", "0:0"]
    )
    assert tree.path("/etc/a").read_bytes() == source.read_bytes()
    assert (tree.mode("/etc/a"), tree.owner("/etc/a")) == ("0640", (3, 4))
    assert not tree.path("/etc/b").is_symlink()
    assert outside.read_text() == "kept"


def test_a_directory_in_the_way_of_a_file_or_link_is_told(tree: Tree) -> None:
    tree.path("/a").mkdir()
    assert (
        tree.fails(["put_file", __file__, "/a", "0644", "0:0"])
        == "there is a directory in the way of the file /a"
    )
    assert (
        tree.fails(["make_symlink", "/a", "x"]) == "there is a directory in the way of the symbolic link /a"
    )


@pytest.mark.parametrize("target", ["/usr/bin/python3", "../x", "-rf", "with space", "*", "$HOME"])
def test_a_link_says_what_it_was_given(tree: Tree, target: str) -> None:
    tree.run(["make_symlink", "/a/link", "old"], ["make_symlink", "/a/link", target])
    assert str(tree.path("/a/link").readlink()) == target


def test_odd_names_are_names(tree: Tree) -> None:
    tree.write("/other/kept")
    tree.run(
        *(["make_directory", f"/d/{name}/{name}", "0755", "0:0"] for name in ODD),
        *(["put_file", __file__, f"/d/{name}/f{name}", "0644", "0:0"] for name in ODD),
        *(["make_symlink", f"/l/{name}", name] for name in ODD),
        *(["set_permissions", f"/d/{name}", "0700", "5:6", "yes"] for name in ODD),
    )
    for name in ODD:
        assert str((tree.path(f"/l/{name}")).readlink()) == name
        assert (tree.mode(f"/d/{name}/{name}"), tree.owner(f"/d/{name}/f{name}")) == ("0700", (5, 6))
    assert tree.names("/d") == tree.names("/l") == sorted(ODD)
    assert tree.names("/") == ["d", "l", "other"]


def content(folder: Path) -> Path:
    """A directory of the context with everything that a checkout can hold."""
    (folder / "sub/deep").mkdir(parents=True)
    (folder / "plain").write_text("1")
    (folder / "tool").write_text("2")
    (folder / "tool").chmod(0o755)
    (folder / ".dot").write_text("3")
    (folder / "..two").write_text("4")
    (folder / "sub/.hidden").write_text("5")
    (folder / "sub/link").symlink_to("/nowhere")
    (folder / "empty").mkdir()
    for name in ODD:
        (folder / "sub/deep" / name).write_text(name)
    return folder


def test_a_tree_is_put_as_it_is(tree: Tree, tmp_path: Path) -> None:
    source = content(tmp_path / "content")
    tree.run(["put_tree", str(source), "/opt/app", "9:10"])
    put = tree.path("/opt/app")
    names = sorted(str(path.relative_to(source)) for path in source.rglob("*"))
    assert sorted(str(path.relative_to(put)) for path in put.rglob("*")) == names
    assert (tree.mode("/opt/app/tool"), tree.mode("/opt/app/plain")) == ("0755", "0644")
    assert str((put / "sub/link").readlink()) == "/nowhere"
    assert {path.lstat().st_uid for path in [put, *put.rglob("*")]} == {9}
    assert tree.owner("/opt") == (0, 0)
    for name in ODD:
        assert (put / "sub/deep" / name).read_text() == name


def test_a_tree_merges_through_links_to_directories(tree: Tree, tmp_path: Path) -> None:
    source = tmp_path / "content"
    (source / "lib").mkdir(parents=True)
    (source / "lib/new").write_text("new")
    (source / "bin").write_text("a file now")
    tree.write("/usr/lib/old", "old")
    os.chown(tree.path("/usr/lib"), 0, 50)
    tree.link("/lib", "usr/lib")
    tree.link("/bin", "usr/bin")
    tree.run(["put_tree", str(source), "/", "1:2"])
    assert tree.path("/lib").is_symlink()
    assert tree.path("/usr/lib/new").read_text() == "new"
    assert tree.path("/usr/lib/old").read_text() == "old"
    assert tree.owner("/usr/lib") == (0, 50)
    assert tree.path("/bin").read_text() == "a file now"


def test_a_tree_does_not_replace_directories_by_files_nor_files_by_directories(
    tree: Tree, tmp_path: Path
) -> None:
    source = tmp_path / "content"
    (source / "a").mkdir(parents=True)
    (source / "b").write_text("")
    tree.write("/x/a")
    assert (
        tree.fails(["put_tree", str(source), "/x", "0:0"])
        == "there is a file in the way of the directory /x/a"
    )
    tree.path("/x/a").unlink()
    tree.path("/x/b").mkdir()
    assert (
        tree.fails(["put_tree", str(source), "/x", "0:0"])
        == "there is a directory in the way of the file /x/b"
    )


def test_paths_and_patterns_are_removed(tree: Tree) -> None:
    for name in ("a/x1", "a/x2", "a/y", "a/.x", "b/c/x1", "b/d/x1", "b/d/y", ".b/x1", "z/keep"):
        tree.write(name)
    tree.link("/l", "/z")
    tree.run(["remove", "/a/x*", "/b/*/x?", "/l"], ["remove", "/none*/there", "/a/[yz]"])
    assert sorted(str(path.relative_to(tree.root)) for path in tree.root.rglob("*") if path.is_file()) == [
        ".b/x1", "a/.x", "b/d/y", "z/keep"
    ]  # fmt: skip
    assert not tree.path("/l").is_symlink()


def test_hidden_names_need_a_pattern_with_a_dot(tree: Tree) -> None:
    for name in ("a/.x", "a/..y", "a/z"):
        tree.write(name)
    tree.run(["remove", "/a/*"])
    assert tree.names("/a") == ["..y", ".x"]
    tree.run(["remove", "/a/.*"])
    assert tree.names("/a") == []


def test_a_pattern_follows_links_to_directories_inside_the_image_only(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("")
    tree.write("/real/x")
    tree.link("/in", "/real")
    tree.link("/out", str(outside))
    tree.run(["remove", "/in/x*", "/out/x*"])
    assert not tree.path("/real/x").exists()
    assert (outside / "x").exists()


def test_a_pattern_removes_odd_names(tree: Tree) -> None:
    for name in ODD:
        tree.write(f"/a/{name}/{name}")
    tree.run(["remove_matching", "/a", "*/*"])
    assert tree.names("/a") == sorted(ODD)
    assert [tree.names(f"/a/{name}") for name in ODD] == [[] for _ in ODD]


def test_removing_what_is_not_there_is_an_error(tree: Tree) -> None:
    tree.write("/a")
    assert tree.fails(["remove", "/a", "/b"]) == "cannot remove what is not there: /b"
    tree.run(["remove_all", "/b", "/c*", "/d/e"])


def test_removing_with_patterns_leaves_word_splitting_alone(tree: Tree) -> None:
    tree.write("/a/b/c")
    done = tree.script("remove '/a/*/c*'; words='one two'; set -- $words; echo $#")
    assert done.stdout == "2\n"


def test_patterns_of_a_copy_match_names_at_any_depth_or_paths(tree: Tree) -> None:
    for name in (
        "s/a.pyc",
        "s/x/b.pyc",
        "s/x/keep.py",
        "s/x/.cache/f",
        "s/.git/config",
        "s/x/.git/config",
        "t/a.pyc",
    ):
        tree.write(name)
    tree.run(["remove_matching", "/s", "*.pyc", ".git/", "x/.c*", "/none"])
    left = sorted(str(path.relative_to(tree.root)) for path in tree.root.rglob("*") if path.is_file())
    assert left == ["s/x/keep.py", "t/a.pyc"]


def test_all_files_get_one_mode(tree: Tree) -> None:
    tree.write("/a/b/file", "", 0o755)
    tree.write("/lone", "", 0o755)
    tree.link("/a/link", "/outside")
    tree.run(["set_file_modes", "/a", "0600"], ["set_file_modes", "/lone", "0640"])
    assert (tree.mode("/a/b/file"), tree.mode("/a/b"), tree.mode("/lone")) == ("0600", "0755", "0640")
    assert tree.fails(["set_file_modes", "/none", "0600"]) == "there is no /none in the image"


def test_permissions_follow_a_link_only_when_it_is_named(accounts: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    target = accounts.write("/real/file", "", 0o644)
    accounts.link("/named", "/real")
    accounts.link("/real/inner", "/target")
    accounts.link("/real/out", str(outside))
    accounts.write("/target", "", 0o644)
    accounts.run(["set_permissions", "/named", "0700", "app:staff", "yes"])
    assert accounts.mode("/real") == accounts.mode("/real/file") == "0700"
    assert accounts.owner("/real/file") == accounts.owner("/real/inner") == (1000, 50)
    assert (accounts.mode("/target"), accounts.owner("/target")) == ("0644", (0, 0))
    assert accounts.owner("/named") == (0, 0)
    assert outside.stat().st_mode & 0o7777 == 0o755
    assert target.exists()


def test_permissions_change_what_they_say_alone(tree: Tree) -> None:
    tree.write("/a/file", "", 0o644)
    tree.run(
        ["set_permissions", "/a/file", "-", "5:6", "no"], ["set_permissions", "/a/file", "u+x,o-r", "-", "no"]
    )
    assert (tree.mode("/a/file"), tree.owner("/a/file")) == ("0740", (5, 6))
    tree.path("/a").chmod(0o2775)
    tree.run(["set_permissions", "/a", "0755", "-", "no"])
    assert tree.mode("/a") == "0755"
    assert tree.fails(["set_permissions", "/none", "0755", "-", "no"]) == "there is no /none in the image"


def test_a_group_is_added_once(accounts: Tree) -> None:
    accounts.write("/etc/gshadow", "root:*::\n")
    call = ["add_group", "web", "80"]
    accounts.run(call, call)
    assert accounts.path("/etc/group").read_text() == GROUP + "web:x:80:\n"
    assert accounts.path("/etc/gshadow").read_text() == "root:*::\nweb:!::\n"


def test_a_group_of_another_number_or_a_number_of_another_group_is_told(accounts: Tree) -> None:
    assert (
        accounts.fails(["add_group", "staff", "51"]) == "the group staff is there with the number 50, not 51"
    )
    assert accounts.fails(["add_group", "web", "50"]) == "the group number 50 belongs to staff"
    assert accounts.path("/etc/group").read_text() == GROUP


ADD_APP = ["add_user", "web", "80", "81", "www", "/home/web", "/bin/sh", "Web server", "yes", "staff", "app"]


def test_a_user_is_added_once(accounts: Tree) -> None:
    accounts.write("/etc/shadow", "root:*:19000:0:99999:7:::\n", 0o640)
    accounts.run(ADD_APP)
    once = {name: accounts.path(f"/etc/{name}").read_text() for name in ("passwd", "group", "shadow")}
    assert once["passwd"] == PASSWD + "web:x:80:81:Web server:/home/web:/bin/sh\n"
    assert once["group"] == "root:x:0:\napp:x:1001:web\nstaff:x:50:root,web\nwww:x:81:\n"
    assert once["shadow"] == "root:*:19000:0:99999:7:::\nweb:!:::::::\n"
    assert (accounts.mode("/home/web"), accounts.owner("/home/web")) == ("0700", (80, 81))
    assert accounts.mode("/etc/shadow") == "0640"
    accounts.run(ADD_APP)
    assert once == {name: accounts.path(f"/etc/{name}").read_text() for name in once}


def test_account_files_are_made_where_there_are_none(tree: Tree) -> None:
    tree.run(["add_user", "web", "80", "80", "web", "/nonexistent", "/usr/sbin/nologin", "", "no"])
    assert tree.path("/etc/passwd").read_text() == "web:x:80:80::/nonexistent:/usr/sbin/nologin\n"
    assert tree.path("/etc/group").read_text() == "web:x:80:\n"
    assert not tree.path("/etc/shadow").exists()
    assert (tree.mode("/etc/passwd"), tree.owner("/etc/passwd")) == ("0644", (0, 0))


def test_a_missing_final_newline_is_mended(accounts: Tree) -> None:
    accounts.write("/etc/passwd", PASSWD.rstrip("\n"))
    accounts.write("/etc/group", GROUP.rstrip("\n"))
    accounts.run(["add_user", "web", "80", "81", "www", "/n", "/s", "", "no", "staff"])
    assert accounts.path("/etc/passwd").read_text() == PASSWD + "web:x:80:81::/n:/s\n"
    assert (
        accounts.path("/etc/group").read_text() == "root:x:0:\napp:x:1001:\nstaff:x:50:root,web\nwww:x:81:\n"
    )


def test_users_in_the_way_are_told(accounts: Tree) -> None:
    def add(name: str, uid: str, *groups: str) -> list[str]:
        return ["add_user", name, uid, "1001", "app", "/n", "/s", "", "no", *groups]

    assert accounts.fails(add("app", "5")) == "the user app is there with the number 1000, not 5"
    assert accounts.fails(add("web", "1000")) == "the user number 1000 belongs to app"
    assert accounts.fails(add("web", "5", "wheel")) == "there is no group called wheel in the image"


def test_a_link_beside_an_account_file_is_not_written_through(accounts: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("kept")
    for name in ("passwd", "group", "shadow"):
        accounts.link(f"/etc/{name}.bic", str(outside))
    accounts.run(ADD_APP)
    assert outside.read_text() == "kept"


def test_names_of_accounts_are_no_patterns(accounts: Tree) -> None:
    accounts.write("/etc/group", "a.b:x:7:\nacb:x:8:\n")
    accounts.run(["add_user", "u", "9", "8", "acb", "/n", "/s", "a\\b %s $x", "no", "a.b"])
    assert accounts.path("/etc/group").read_text() == "a.b:x:7:u\nacb:x:8:\n"
    assert "u:x:9:8:a\\b %s $x:/n:/s\n" in accounts.path("/etc/passwd").read_text()


def test_the_time_zone_is_set(tree: Tree) -> None:
    tree.write("/usr/share/zoneinfo/Europe/Paris")
    tree.write("/etc/debian_version")
    tree.run(["set_timezone", "Europe/Paris"])
    assert str(tree.path("/etc/localtime").readlink()) == "/usr/share/zoneinfo/Europe/Paris"
    assert tree.path("/etc/timezone").read_text() == "Europe/Paris\n"
    tree.run(["set_timezone", "UTC"])
    assert str(tree.path("/etc/localtime").readlink()) == "/usr/share/zoneinfo/Etc/UTC"
    assert "install its time zone database" in tree.fails(["set_timezone", "Europe/Rome"])


def test_the_time_zone_leaves_other_distributions_without_a_file(tree: Tree) -> None:
    tree.run(["set_timezone", "UTC"])
    assert not tree.path("/etc/timezone").exists()


def test_stubs_are_removed_and_content_is_kept(tree: Tree, tmp_path: Path) -> None:
    note = str(tmp_path / "note")
    tree.path("/there").mkdir()
    tree.link("/linked", "/else")
    tree.run(["remember", note, "/stub/deep", "/stub", "/filled", "/empty", "/there", "/linked", "/grown"])
    tree.path("/stub/deep").mkdir(parents=True)
    tree.write("/filled/file")
    tree.write("/empty")
    tree.write("/grown", "content")
    tree.run(["tidy", note])
    assert tree.names("/") == ["filled", "grown", "linked", "there"]


def test_a_copy_between_trees_keeps_what_files_are(tree: Tree, tmp_path: Path) -> None:
    if tree.shell[0] == "busybox":
        pytest.skip("lacks GNU tar: busybox sh prefers its own")
    other = tmp_path / "other"
    source = content(other / "data")
    os.chown(source / "plain", 3, 4)
    os.link(source / "plain", source / "twin")
    tree.run(
        ["copy_in", str(other), "/data", "/opt/copy", "-"],
        ["copy_in", str(other), "/data/tool", "/bin/tool", "5:6"],
    )
    assert tree.owner("/opt/copy/plain") == (3, 4)
    assert tree.path("/opt/copy/plain").stat().st_nlink == 2
    assert (tree.mode("/bin/tool"), tree.owner("/bin/tool")) == ("0755", (5, 6))
    assert str(tree.path("/opt/copy/sub/link").readlink()) == "/nowhere"
    assert tree.fails(["copy_in", str(other), "/none", "/x", "-"]) == "there is no /none to copy"


def test_a_copy_of_a_whole_tree_refuses_to_merge_into_a_link(tree: Tree, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "lib").mkdir(parents=True)
    tree.path("/usr/lib").mkdir(parents=True)
    tree.link("/lib", "usr/lib")
    message = tree.fails(["copy_in", str(other), "/", "/", "-"])
    assert message == "/lib is a symbolic link in the image: copy to where it points"


@pytest.mark.skipif(os.geteuid() != 0, reason="lacks root: chroot")
def test_an_empty_root_means_the_running_system(tree: Tree, tmp_path: Path) -> None:
    """The same calls with R=/… from outside and R="" from inside make the same tree."""
    calls = "\n".join(
        [
            "add_user app 1000 1000 app /home/app /bin/sh '' yes",
            "make_directory /a/b 0750 app:app",
            "make_symlink /l /a",
            "make_directory /l/c 0700 0:0",
            "set_permissions /l 0711 app: yes",
            "set_timezone UTC",
            "remove '/a/b*'",
        ]
    )
    linked = subprocess.run(["sh", "-c", "ldd $(command -v busybox)"], capture_output=True, check=False)
    if shutil.which("busybox") is None or linked.returncode == 0:
        pytest.skip("lacks busybox-static: a shell for a chroot")
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for root in (outside, inside):
        (root / "bin").mkdir(parents=True)
        subprocess.run(["sh", "-c", f'cp "$(command -v busybox)" {root}/bin/'], check=True)
        subprocess.run(["chroot", root, "/bin/busybox", "--install", "-s", "/bin"], check=True)
    Tree(tree.shell, outside).script(calls)
    lines = ["set -eu", "umask 022", library("tree.sh"), "R=", calls]
    within = ["chroot", inside, "/bin/busybox", "env", "PATH=/bin", "/bin/sh", "-c", "\n".join(lines)]
    subprocess.run(within, check=True)
    assert listing(outside) == listing(inside)


def listing(root: Path) -> list[tuple[str, int, int, int, bytes | str]]:
    found: list[tuple[str, int, int, int, bytes | str]] = []
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        held: bytes | str = b""
        if path.is_symlink():
            held = str(path.readlink())
        elif path.is_file():
            held = path.read_bytes()
        name = str(path.relative_to(root))
        found.append((name, status.st_mode, status.st_uid, status.st_gid, held))
    return found
