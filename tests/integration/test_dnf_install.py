"""The files that a dnf step's lock pins, installed for real by rpm and by dnf, without any network."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import probes, rpms
from support.rpm_root import Installed, install
from support.rpms import Rpm

INSTALL = """\
no_docs() {
  for conf in /etc/dnf/dnf.conf /etc/yum.conf; do
    [ -f "$conf" ] || continue
    while IFS=' =,' read -r key flags || [ -n "$key" ]; do
      case "$key,$flags," in
        tsflags,*nodocs*) return 0 ;;
      esac
    done <"$conf"
    return 1
  done
  return 1
}
if command -v rpm >/dev/null; then
  docs=
  ! no_docs || docs=--excludedocs
  exec rpm -U --replacepkgs --oldpackage --nosignature $docs "$@"
fi
for each in dnf5 dnf microdnf yum; do
  if command -v "$each" >/dev/null; then
    exec "$each" -y --disablerepo='*' --setopt=cachedir=/run/bic/dnf-cache --setopt=keepcache=0 \\
      --setopt=localpkg_gpgcheck=0 --setopt=install_weak_deps=0 install "$@"
  fi
done
echo "bic: the image has none of rpm, dnf5, dnf, microdnf, yum" >&2
exit 127
"""

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("root_user")]

BASE = (Rpm("old", "1.0"), Rpm("lib", "1.0"), Rpm("other", "1.0"), Rpm("newest", "9.0"))
NEW = (
    Rpm("app", "1.0", ("Requires: lib >= 2", "Recommends: weak")),
    Rpm("lib", "2.0", epoch=1),
    Rpm("new", "2.0", ("Obsoletes: old < 2",)),
    Rpm("newest", "8.0"),
)
AFTER = (
    "app-1.0-1.x86_64",
    "lib-1:2.0-1.x86_64",
    "new-2.0-1.x86_64",
    "newest-8.0-1.x86_64",
    "other-1.0-1.x86_64",
)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Path]]:
    rpms.DNF.require()
    folder = tmp_path_factory.mktemp("packages")
    made = [
        [rpms.build(each, "x86_64", folder / name) for each in of] for name, of in (("a", BASE), ("b", NEW))
    ]
    return made[0], made[1]


Packages = tuple[list[Path], list[Path]]

HIDDEN = pytest.mark.parametrize("hidden", ["", "rpm"], ids=["rpm", "dnf"])


@HIDDEN
def test_exactly_the_given_files_are_installed(packages: Packages, tmp_path: Path, hidden: str) -> None:
    done = install(tmp_path, *packages, INSTALL, hidden)
    assert (done.code, done.packages) == (0, AFTER), done.words


@HIDDEN
def test_files_whose_dependencies_are_missing_are_refused(
    packages: Packages, tmp_path: Path, hidden: str
) -> None:
    done = install(tmp_path, packages[0], packages[1][:1], INSTALL, hidden)
    assert done.code != 0
    assert [each.partition("-")[0] for each in done.packages] == ["lib", "newest", "old", "other"]


@HIDDEN
def test_manuals_are_left_out_where_the_base_says_so(packages: Packages, tmp_path: Path, hidden: str) -> None:
    done = install(tmp_path, *packages, INSTALL, hidden, "[main]\ngpgcheck=1\ntsflags = nodocs\n")
    assert done.code == 0, done.words
    assert "/app/manual" not in done.words


def test_manuals_are_installed_where_the_base_does_not_say_otherwise(
    packages: Packages, tmp_path: Path
) -> None:
    done: Installed = install(tmp_path, *packages, INSTALL)
    assert "/usr/share/app/manual" in done.words


def test_an_image_without_rpm_and_dnf_is_told_so(packages: Packages, tmp_path: Path) -> None:
    probes.tool("dnf").require()
    hidden = " ".join(each for each in ("rpm", "dnf5", "dnf", "microdnf", "yum") if probes.which(each))
    done = install(tmp_path, *packages, INSTALL, hidden)
    assert done.code == 127
    assert "the image has none of rpm" in done.words
