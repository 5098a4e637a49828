"""Solves one request with dnf 4, run by the Python that has it: no part of bic is imported here.

`python3 -I solver.py REQUEST ANSWER`: both are JSON files. The request is what `solve` takes; the answer has
`packages`, or `problem` with what `bic.lock.dnf.answer` knows to tell. Nothing is written outside the given
root and cache, and no program of the root is run.

The Python API of dnf, not its command line: it alone gives the checksums and addresses of what would be
installed without downloading it, and says which part of a request is wrong instead of printing it.
"""

# mypy: disable-error-code="import-not-found,unused-ignore"
from __future__ import annotations

import json
import os
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import dnf
import dnf.exceptions
import dnf.rpm
import dnf.util
import rpm

NEAR = 3
NO_SCRIPTS = rpm.RPMTRANS_FLAG_NOSCRIPTS | rpm.RPMTRANS_FLAG_NOTRIGGERS


def main(request: str, answer: str) -> None:
    """Answer the request in one file into the other."""
    try:
        result = solve(json.loads(Path(request).read_text(encoding="utf-8")))
    except Problem as problem:
        result = {"problem": problem.data}
    except (dnf.exceptions.Error, RuntimeError, OSError, rpm.error) as error:
        result = {"problem": {"kind": "other", "text": str(error) or repr(error)}}
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


class Problem(Exception):
    """What stands in the way, in a form that survives JSON."""

    def __init__(self, kind: str, **data: Any) -> None:
        super().__init__(kind)
        self.data = {"kind": kind, **data}


def solve(request: dict[str, Any]) -> dict[str, Any]:
    """What dnf would install: `request` has root, cache, arch, releasever, packages, upgrade, installed."""
    database(request["root"], request["installed"])
    with dnf.Base() as base:
        configure(base, request)
        repositories(base, request["root"])
        load(base)
        mark(base, request)
        decide(base)
        packages = chosen(base)
        download(base, packages)
        return {"packages": [described(each) for each in packages], "keys": keys(base)}


# The database of what is installed


def database(root: str, files: list[str]) -> None:
    """Make the root's rpmdb one that can be written, and enter the files into it as installed.

    librpm is given paths as seen from outside: with a root it would call chroot(2), which is for the
    superuser. Only the database is written, so nothing else of this host is touched.
    """
    rpm.addMacro("_dbpath", f"{root}/var/lib/rpm")
    transaction = rpm.TransactionSet("/")
    if not Path(root, "var/lib/rpm/rpmdb.sqlite").exists():
        transaction.rebuildDB()  # from Berkeley DB, which is only read nowadays
    if files:
        enter(transaction, files)
    del transaction
    rpm.delMacro("_dbpath")


def enter(transaction: Any, files: list[str]) -> None:
    transaction.setVSFlags(-1)  # their sha256 was checked
    transaction.setFlags(rpm.RPMTRANS_FLAG_JUSTDB | NO_SCRIPTS)
    transaction.setProbFilter(~0)  # foreign processors, packages that are there already, disk space
    for file in files:
        with Path(file).open("rb") as stream:
            header = transaction.hdrFromFdno(stream.fileno())
        if all(each["nevra"] != header["nevra"] for each in transaction.dbMatch("name", header["name"])):
            transaction.addInstall(header, file, "u")
    transaction.order()
    opened: dict[str, Any] = {}

    def callback(what: int, _amount: int, _total: int, file: str, _data: object) -> int | None:
        if what == rpm.RPMCALLBACK_INST_OPEN_FILE:
            opened[file] = Path(file).open("rb")  # noqa: SIM115
            return int(opened[file].fileno())
        if what == rpm.RPMCALLBACK_INST_CLOSE_FILE:
            opened.pop(file).close()
        return None

    problems = transaction.run(callback, "")
    if problems:
        raise Problem("other", text=f"earlier packages cannot be entered into the database: {problems}")


# Configuration


def configure(base: Any, request: dict[str, Any]) -> None:
    """The root's own dnf.conf and variables; what decides the outcome and is the host's is set here."""
    conf, root = base.conf, request["root"]
    conf.installroot = root
    owns = [path for path in (Path(root, "etc/dnf/dnf.conf"), Path(root, "etc/yum.conf")) if path.is_file()]
    conf.config_file_path = str(owns[0]) if owns else os.devnull  # may hold repositories as well
    conf.read(conf.config_file_path)
    conf.arch = request["arch"]
    conf.ignorearch = True
    conf.plugins = False
    conf.cachedir = request["cache"]
    conf.keepcache = True
    conf.persistdir = f"{root}/persist"
    conf.logdir = f"{root}/log"
    Path(conf.logdir).mkdir(exist_ok=True)
    conf.reposdir = [f"{root}/etc/yum.repos.d", f"{root}/etc/yum/repos.d", f"{root}/etc/distro.repos.d"]
    conf.reposdir += [f"{root}/usr/share/dnf5/repos.d"]
    conf.install_weak_deps = False
    # Pins say what is installed. What nothing needs any more stays, as it does when files are installed.
    conf.clean_requirements_on_remove = False
    conf.substitutions.update_from_etc(root)
    if conf.releasever is None:
        conf.releasever = dnf.rpm.detect_releasever(root) or request["releasever"]


def repositories(base: Any, root: str) -> None:
    """The root's repositories, each of them needed: leaving one out would change the outcome in silence."""
    base.read_all_repos()
    for repo in base.repos.iter_enabled():
        repo.skip_if_unavailable = False
        repo._repo.expire()  # ask whether what the cache has is current, as `dnf --refresh` does
        repo.gpgkey = [located(url, root) for url in repo.gpgkey]
        inside = [url for url in repo.baseurl if url.startswith("file:")]
        if inside:
            raise Problem("inside", repository=repo.id, address=inside[0])


def located(url: str, root: str) -> str:
    """The address of a key as seen from outside the root."""
    return f"file://{root}{url[len('file://') :]}" if url.startswith("file:///") else url


def load(base: Any) -> None:
    """Read the root's database and what the repositories have."""
    try:
        base.fill_sack()
    except dnf.exceptions.RepoError as error:
        enabled = base.repos.iter_enabled()
        addresses = {repo.id: [*repo.baseurl, repo.metalink or repo.mirrorlist or ""] for repo in enabled}
        raise Problem("repository", text=str(error), addresses=addresses) from error
    if not base.sack.query().installed():
        raise Problem("database")


# The request


def mark(base: Any, request: dict[str, Any]) -> None:
    """Tell dnf what is wanted: upgrades first, and packages without regard to what kind an upgrade is."""
    specs = request["packages"]
    if request["upgrade"] == "safe":
        base.add_security_filters("gte", types=("security",))
    if request["upgrade"] != "none":
        base.upgrade_all()
        base.reset_security_filters()
    if any(each.startswith("@") for each in specs):
        base.read_comps(arch_filter=True)
    try:
        base.install_specs(specs)
    except dnf.exceptions.MarkingErrors as error:
        wrong = [*error.no_match_pkg_specs, *error.error_pkg_specs]
        wrong += [f"@{each}" for each in error.no_match_group_specs]
        wrong += error.error_group_specs
        raise Problem("missing", missing={each: near(base, each) for each in wrong}) from error


def near(base: Any, spec: str) -> list[str]:
    """What is there under that name or under one like it: versions, else names."""
    available = base.sack.query().available()
    same = [each for each in available if spec.startswith(f"{each.name}-")]
    if same:
        longest = max(len(each.name) for each in same)
        return sorted({f"{each.name}-{each.evr}" for each in same if len(each.name) == longest})
    return get_close_matches(spec, {each.name for each in available}, n=NEAR)


def decide(base: Any) -> None:
    try:
        base.resolve(allow_erasing=False)
    except dnf.exceptions.DepsolveError as error:
        raise Problem("unsolvable", text=str(error)) from error


# The answer


def chosen(base: Any) -> list[Any]:
    """Each package that the transaction would bring into the root."""
    return sorted(base.transaction.install_set, key=str)


def download(base: Any, packages: list[Any]) -> None:
    """Fetch what has to be looked into: signed packages, and those whose sha256 no metadata tells."""
    base.download_packages([each for each in packages if is_looked_into(each)])


def is_looked_into(package: Any) -> bool:
    return bool(package.repo.gpgcheck) or package.returnIdSum()[0] != "sha256"


def described(package: Any) -> dict[str, Any]:
    checksum = package.returnIdSum()
    return {
        "name": package.name,
        "version": package.evr,
        "architecture": package.arch,
        "size": package.downloadsize,
        "checksum": {"type": checksum[0], "value": checksum[1]},
        "url": package.remote_location(),
        "signed": bool(package.repo.gpgcheck),
        "file": package.localPkg() if is_looked_into(package) else None,
    }


def keys(base: Any) -> list[str]:
    """The public keys of the repositories whose packages have to be signed."""
    urls = {url: repo for repo in base.repos.iter_enabled() if repo.gpgcheck for url in repo.gpgkey}
    return [dnf.util._urlopen(url, repo=repo).read().decode() for url, repo in sorted(urls.items())]


if __name__ == "__main__":
    main(*sys.argv[1:])
