"""A family of specs that uses every step kind which needs no package manager, and the image it must yield."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from typing import Any

from attrs import evolve

from .files import FileServer
from .layout import Entry, Tree
from .workspace import Workspace

NAME = "family/everything"
SECRET = "tok$en with 'quotes' \"and\" \\ more"
EPOCH = 1700000000

ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "FROM_PARENT": "yes",
    "SPEC_CMD": "/airbyte/javabase.sh --spec",
    "DOLLARS": "$HOME ${HOME} $$ $1 $(id) \\$x",
    "QUOTES": "say \"hi\" and 'bye' `date`",
    "BACKSLASHES": 'C:\\temp\\new \\\\ \\" \\',
    "BLANKS": "  two  words ",
    "EQUALS": "a=b=c",
    "EMPTY": "",
    "HASH": "# no comment",
    "UNICODE": "grüße ✓",
    "LONGER": "/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LATE": "set by a step",
}
LABELS = {
    "org.opencontainers.image.description": 'Says "$HOME", C:\\dir and it\'s so',
    "io.example.dollar": "$HOME ${x}",
    "io.example.quotes": "\"double\" 'single' `tick` \\",
    "io.example.spaced": "a b  c=d",
}
CONFIG = {
    "User": "svc:staff",
    "WorkingDir": "/srv/app",
    "Entrypoint": ["/bin/sh", "-c", 'echo "$0" \'$HOME\' \\ "$@"', "--spec", ""],
    "Cmd": ["a b", "$c", "it's", '"q"', "", "\\"],
    "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
    "Volumes": {"/data": {}, "/srv/with space": {}},
    "StopSignal": "SIGUSR1",
}

PARENT = """
bic = 1
[image]
name = "tests/parent"
platforms = ["linux/amd64", "linux/arm64"]
labels = { "io.example.spaced" = "the child says better" }
[base]
image = "docker.io/library/tiny:1"
[env]
FROM_PARENT = "yes"
[config]
cmd = ["sleep", "1"]
workdir = "/tmp"
[[step]]
directory = { path = "/from/parent", mode = "0750", owner = "7:8" }
[[step]]
run = ["sh", "-c", "echo made > /from/parent/made; touch /from/parent/gone"]
"""

SPEC = r"""
bic = 1
include = ["../fragments/service.toml"]

[image]
name = "tests/everything"
description = '''Says "$HOME", C:\dir and it's so'''
platforms = ["linux/amd64", "linux/arm64"]
annotations = { "org.example.note" = '''"$HOME" it's \ here''' }

[image.labels]
"io.example.dollar" = '$HOME ${x}'
"io.example.quotes" = '''"double" 'single' `tick` \'''
"io.example.spaced" = "a b  c=d"

[base]
spec = "family/parent"

[vars]
who = "svc"

[env]
SPEC_CMD = "/airbyte/javabase.sh --spec"
DOLLARS = '$HOME ${HOME} $$ $1 $(id) \$x'
QUOTES = '''say "hi" and 'bye' `date`'''
BACKSLASHES = 'C:\temp\new \\ \" \'
BLANKS = "  two  words "
EQUALS = "a=b=c"
EMPTY = ""
HASH = "# no comment"
UNICODE = "grüße ✓"
LONGER = "/opt/bin:${env.PATH}"

[config]
user = "svc:staff"
workdir = "/srv/app"
entrypoint = ["/bin/sh", "-c", '''echo "$0" '$HOME' \ "$@"''', "--spec", ""]
cmd = ["a b", "$c", "it's", '"q"', "", '\']
ports = ["8080", "53/udp"]
volumes = ["/data", "/srv/with space"]
stop_signal = "SIGUSR1"

[stage.bare]
base = { scratch = true }
[[stage.bare.step]]
file = { path = "/kit/one", content = "from scratch\n", mode = "0600", owner = "11:12" }
[[stage.bare.step]]
symlink = { path = "/kit/link", target = "one" }
[[stage.bare.step]]
user = { name = "inner", uid = 77 }

[stage.worked]
base = { image = "docker.io/library/tiny:1" }
env = { STAGE_ONLY = "yes" }
[[stage.worked.step]]
shell = '''
mkdir -p /result/sub; echo "$STAGE_ONLY" > /result/sub/said; ln /result/sub/said /result/hard
chmod 4755 /result/hard; touch /result/left.tmp; chown 5:6 /result/sub
'''

[stage.built]
base = { spec = "family/parent" }
[[stage.built.step]]
file = { path = "/from/parent/more", content = "more" }

[[step]]
use = "service"
with = { name = "${vars.who}", uid = 1234 }

[[step]]
group = { name = "staff", gid = 50 }

[[step]]
[step.user]
name = "daemon1"
uid = 900
group = "staff"
gid = 50
groups = ["tty"]
system = true
comment = "A daemon"

[[step]]
directory = { path = "/srv/app/deep/er", mode = "2770", owner = "svc:staff" }

[[step]]
file = { path = "/etc/inline.conf", content = '''who=${vars.who} $HOME "q" 'q' \n \
last line without end''', mode = "0640", owner = "svc" }

[[step]]
file = { path = "/srv/app/config.ini", source = "files/config.ini" }

[[step]]
symlink = { path = "/srv/app/current", target = "deep/er with space" }

[[step]]
copy.source = "files/assets"
copy.path = "/srv/assets"
copy.owner = "svc:staff"
copy.exclude = ["node_modules", "build/*.tmp"]

[[step]]
copy = { source = "files/tool.sh", path = "/usr/local/bin/tool", mode = "0700" }

[[step]]
copy = { from = "stage:bare", source = "/kit", path = "/srv/kit" }

[[step]]
copy = { from = "stage:bare", source = "/etc/passwd", path = "/srv/passwd", owner = "svc:staff" }

[[step]]
copy = { from = "stage:worked", source = "/result", path = "/srv/result", exclude = ["*.tmp"] }

[[step]]
copy = { from = "stage:built", source = "/from/parent", path = "/srv/parents", owner = "1:1" }

[[step]]
copy.from = "image:docker.io/library/tiny:1"
copy.source = "/etc/os-release"
copy.path = "/srv/os"
copy.mode = "0444"

[[step]]
fetch = { url = "@FILES@/plain.txt", path = "/srv/fetched/plain", mode = "0755", owner = "svc:staff" }

[[step]]
fetch.url = "@FILES@/packed.tar.gz"
fetch.sha256 = "@SHA256@"
fetch.path = "/srv/fetched/packed"
fetch.extract = true
fetch.strip = 1

[[step]]
env = { LATE = "set by a step" }

[[step]]
timezone = "UTC"

[[step]]
title = "arguments reach the program as they are"
run = [
  "sh", "-c", 'printf "%s\n" "$@" > /srv/argv', "sh",
  "a b", "$HOME", '\', '"', "it's", "", "--", "-e", "*", "ü",
]

[[step]]
title = "what a step sees"
shell = '''
umask > /srv/umask
hostname > /srv/hostname
env | grep -v -e ^HOSTNAME= -e =/run/bic/ca.crt$ | sort > /srv/env
id > /srv/id
pwd > /srv/pwd
# "quotes", 'quotes', $dollars and \backslashes
cat <<'END' > /srv/heredoc
$HOME \ "x" 'y' `z`
END
'''

[[step]]
title = "as somebody else, elsewhere"
shell = 'id > id; pwd > pwd; printf "%s\\n" "$STEP" > step; printf "%s\\n" "$DOLLARS" > dollars'
user = "svc:staff"
workdir = "/srv/app/deep/er"
env = { STEP = '''only $HERE "q" 'q' \ ''', DOLLARS = "replaced" }

[[step]]
run = ["printf", "%s", "ran by another interpreter"]
[[step]]
shell = "{ print $1 > \"/srv/awk\" }"
interpreter = ["/bin/sh", "-c", 'echo "first second" | awk "$0"']

[[step]]
title = "without a network"
shell = "tail -n +3 /proc/net/dev | sed 's/:.*//; s/ //g' > /srv/interfaces"
network = "none"

[[step]]
title = "fills caches"
shell = '''
cat /var/cache/thing/runs > /srv/runs 2>/dev/null || :
echo again >> /var/cache/thing/runs
touch "/opt/new+cache/x"
'''
cache = ["/var/cache/thing", "/opt/new+cache"]

[[step]]
title = "reads the caches"
shell = 'test -s /var/cache/thing/runs; test ! -e "/opt/new+cache/x"'
cache = ["/var/cache/thing"]

[[step]]
title = "reads binds"
shell = '''
cp /mnt/assets/plain.txt /srv/bound
cat /mnt/one > /srv/bound-one
! touch /mnt/assets/new 2>/dev/null
! sh -c 'echo more >> /mnt/one' 2>/dev/null
'''
bind = { "/mnt/assets" = "files/assets", "/mnt/one" = "files/config.ini" }

[[step]]
title = "reads a secret"
shell = 'sha256sum < /run/secrets/token > /srv/token.sha256; cat /run/secrets/token'
secrets = ["token"]

[[step]]
title = "reads a secret as somebody else, without a network"
shell = 'cat /run/secrets/token | wc -c > /srv/app/deep/er/count'
secrets = ["token"]
user = "svc"
network = "none"

[[step]]
shell = "uname -m > /srv/machine"

[[step]]
file = { path = "/srv/arm", content = "arm64 alone" }
platforms = ["linux/arm64"]

[[step]]
remove = { paths = ["/bin/vi", "/bin/ar*", "/from/parent/gone", "/srv/parents/m?re"] }

[[step]]
permissions = { path = "/srv/kit", mode = "go+r,u-x", recursive = true }

[[step]]
permissions = { path = "/srv/result/sub", mode = "0711", owner = "svc" }
"""

SERVICE = """
[fragment.service]
params.name = { type = "string" }
params.uid = { type = "integer", default = 1000 }
[[fragment.service.step]]
user.name = "${with.name}"
user.uid = "${with.uid}"
user.home = "/srv/home"
user.create_home = true
user.shell = "/bin/sh"
"""

FILES: dict[str, str | bytes] = {
    ".bicignore": "*.ignored\n",
    "files/config.ini": "[section]\nkey = value\n",
    "files/tool.sh": "#!/bin/sh\necho tool\n",
    "files/assets/plain.txt": "plain\n",
    "files/assets/secret.ignored": "never",
    "files/assets/.hidden": "hidden",
    "files/assets/name with  blanks": "blanks",
    'files/assets/it\'s $odd "name" \\ *': "odd",
    "files/assets/deep/node_modules/x.js": "x",
    "files/assets/deep/kept": "kept",
    "files/assets/build/a.tmp": "a",
    "files/assets/build/a.out": "a",
    "files/assets/run.sh": "#!/bin/sh\n",
}

FAMILY = ("family/parent", "family/everything")


def write(workspace: Workspace, files: FileServer) -> None:
    """The family and its files in the workspace; nothing is locked yet."""
    archive = packed()
    files.put("plain.txt", b"plain text from afar\n")
    files.put("packed.tar.gz", archive)
    text = SPEC.replace("@FILES@", files.url).replace("@SHA256@", hashlib.sha256(archive).hexdigest())
    workspace.write(FILES)
    for name in ("files/tool.sh", "files/assets/run.sh"):
        (workspace.root / name).chmod(0o755)
    for name, target in (("link", "deep/kept"), ("dangling", "/no/where")):
        (workspace.root / "files/assets" / name).symlink_to(target)
    (workspace.root / "files/assets/empty").mkdir()
    workspace.account.own(workspace.root / "files")
    workspace.write({"specs/fragments/service.toml": SERVICE, "secret": SECRET})
    workspace.spec("family/parent", PARENT)
    workspace.spec("family/everything", text)


def packed() -> bytes:
    """An archive with odd owners and modes, which unpacking drops."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, mode in (("top/read.me", 0o600), ("top/bin/run", 0o4777)):
            member = tarfile.TarInfo(name)
            member.mode, member.uid, member.size, member.mtime = mode, 4711, 3, EPOCH
            archive.addfile(member, io.BytesIO(b"abc"))
    return gzip.compress(target.getvalue(), mtime=0)


# What must come out


def expected_tree(base: Tree, platform: str) -> Tree:
    """The base with what the steps must have done to it."""
    removed = {"/bin/vi", *(path for path in base if path.startswith("/bin/ar"))}
    made = {**_accounts(base), **dict(_made(platform))}
    tree = {path: entry for path, entry in base.items() if path not in removed}
    return dict(sorted({**tree, **made}.items()))


def _file(content: str | bytes, mode: int = 0o644, owner: str = "0:0", links: int = 1) -> Entry:
    data = content.encode() if isinstance(content, str) else content
    uid, gid = (int(part) for part in owner.split(":"))
    return Entry("file", mode, uid, gid, len(data), hashlib.sha256(data).hexdigest(), links=links)


def _folder(mode: int = 0o755, owner: str = "0:0") -> Entry:
    uid, gid = (int(part) for part in owner.split(":"))
    return Entry("directory", mode, uid, gid)


def _link(target: str, owner: str = "0:0") -> Entry:
    uid, gid = (int(part) for part in owner.split(":"))
    return Entry("symlink", 0o777, uid, gid, target=target)


PASSWD = """\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
svc:x:1234:1234::/srv/home:/bin/sh
daemon1:x:900:50:A daemon:/nonexistent:/usr/sbin/nologin
"""
GROUP = "root:x:0:\ntty:x:5:daemon1\nnogroup:x:65534:\nsvc:x:1234:\nstaff:x:50:\n"
SHADOW = """\
root:*:19000:0:99999:7:::
nobody:*:19000:0:99999:7:::
svc:!:::::::
daemon1:!:::::::
"""


def _accounts(base: Tree) -> Tree:
    return {
        "/etc/passwd": evolve(base["/etc/passwd"], **_content(PASSWD)),
        "/etc/group": evolve(base["/etc/group"], **_content(GROUP)),
        "/etc/shadow": evolve(base["/etc/shadow"], **_content(SHADOW)),
    }


def _content(text: str) -> dict[str, Any]:
    entry = _file(text)
    return {"size": entry.size, "sha256": entry.sha256}


def _made(platform: str) -> Iterator[tuple[str, Entry]]:
    yield from _files()
    yield from _copies()
    yield from _said(platform)


def _files() -> Iterator[tuple[str, Entry]]:
    svc, staff = "1234:1234", "1234:50"
    yield "/etc/inline.conf", _file("who=svc $HOME \"q\" 'q' \\n \\\nlast line without end", 0o640, svc)
    yield "/etc/localtime", _link("/usr/share/zoneinfo/Etc/UTC")
    yield "/srv", _folder()
    yield "/srv/home", _folder(0o700, svc)
    yield "/srv/app", _folder()
    yield "/srv/app/deep", _folder()
    yield "/srv/app/deep/er", _folder(0o2770, staff)
    yield "/srv/app/config.ini", _file(FILES["files/config.ini"])
    yield "/srv/app/current", _link("deep/er with space")
    yield "/from", _folder()
    yield "/from/parent", _folder(0o750, "7:8")
    yield "/from/parent/made", _file("made\n")
    yield "/data", _folder()
    yield "/srv/with space", _folder()
    yield "/usr/local/bin", _folder()
    yield "/usr/local/bin/tool", _file(FILES["files/tool.sh"], 0o700)


def _copies() -> Iterator[tuple[str, Entry]]:
    staff = "1234:50"
    yield "/srv/assets", _folder(owner=staff)
    for name in ("deep", "build", "empty"):
        yield f"/srv/assets/{name}", _folder(owner=staff)
    prefix = "files/assets/"
    for name, content in FILES.items():
        kept = not name.endswith((".ignored", ".tmp", ".js"))
        if name.startswith(prefix) and kept:
            mode = 0o755 if name.endswith(".sh") else 0o644
            yield f"/srv/assets/{name.removeprefix(prefix)}", _file(content, mode, staff)
    yield "/srv/assets/link", _link("deep/kept", staff)
    yield "/srv/assets/dangling", _link("/no/where", staff)
    yield "/srv/kit", _folder(0o655)
    yield "/srv/kit/one", _file("from scratch\n", 0o644, "11:12")
    yield "/srv/kit/link", _link("one")
    yield "/srv/passwd", _file("inner:x:77:77::/home/inner:/usr/sbin/nologin\n", 0o644, staff)
    yield "/srv/result", _folder()
    yield "/srv/result/sub", _folder(0o711, "1234:1234")
    for name in ("sub/said", "hard"):
        yield f"/srv/result/{name}", _file("yes\n", 0o4755, links=2)
    yield "/srv/parents", _folder(owner="1:1")
    yield "/srv/parents/made", _file("made\n", owner="1:1")
    yield "/srv/parents/gone", _file("", owner="1:1")
    yield "/srv/os", _file('ID=tiny\nNAME="tiny"\nVERSION_ID="1"\n', 0o444)
    yield "/srv/fetched", _folder()
    yield "/srv/fetched/plain", _file("plain text from afar\n", 0o755, staff)
    yield "/srv/fetched/packed", _folder()
    yield "/srv/fetched/packed/bin", _folder()
    yield "/srv/fetched/packed/read.me", _file("abc")
    yield "/srv/fetched/packed/bin/run", _file("abc", 0o755)


def _said(platform: str) -> Iterator[tuple[str, Entry]]:
    """What the executed steps wrote."""
    er, staff = "/srv/app/deep/er", "1234:50"
    odd = ["a b", "$HOME", "\\", '"', "it's", "", "--", "-e", "*", "ü"]
    said = {
        "argv": "".join(f"{word}\n" for word in odd),
        "umask": "0022\n",
        "hostname": "bic\n",
        "env": "".join(f"{line}\n" for line in sorted(step_environment())),
        "id": "uid=0(root) gid=0(root) groups=0(root)\n",
        "pwd": "/\n",
        "heredoc": "$HOME \\ \"x\" 'y' `z`\n",
        "awk": "first\n",
        "interfaces": "lo\n",
        "runs": "",
        "bound": "plain\n",
        "bound-one": str(FILES["files/config.ini"]),
        "token.sha256": f"{hashlib.sha256(SECRET.encode()).hexdigest()}  -\n",
        "machine": {"linux/amd64": "x86_64\n", "linux/arm64": "aarch64\n"}[platform],
    }
    yield from ((f"/srv/{name}", _file(text)) for name, text in said.items())
    yield f"{er}/id", _file("uid=1234(svc) gid=50(staff) groups=50(staff)\n", owner=staff)
    yield f"{er}/pwd", _file(f"{er}\n", owner=staff)
    yield f"{er}/step", _file("only $HERE \"q\" 'q' \\ \n", owner=staff)
    yield f"{er}/dollars", _file("replaced\n", owner=staff)
    yield f"{er}/count", _file(f"{len(SECRET)}\n", owner="1234:50")
    if platform == "linux/arm64":
        yield "/srv/arm", _file("arm64 alone")


def step_environment() -> set[str]:
    """All that a step sees: the image's variables, bic's few, and what the shell itself sets."""
    own = {
        "LANG": "C.UTF-8",
        "PERL_HASH_SEED": "0",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "HOME": "/root",
        "PWD": "/",
        "SHLVL": "1",
    }
    return {f"{name}={value}" for name, value in {**ENV, **own}.items()}
