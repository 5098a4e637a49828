"""What of the host a command may see."""

from __future__ import annotations

from bic.process import environment


def test_only_the_allow_list_reaches_a_command() -> None:
    host = {
        "PATH": "/bin",
        "HOME": "/root",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "de_DE",
        "LANG": "de_DE",
        "SOURCE_DATE_EPOCH": "1",
        "BUILDAH_ISOLATION": "chroot",
        "CI_JOB_TOKEN": "x",
        "https_proxy": "http://p",
        "NO_PROXY": "*",
        "CONTAINERS_STORAGE_CONF": "/s",
        "_CONTAINERS_USERNS_CONFIGURED": "done",
    }
    assert environment(host=host) == {
        "PATH": "/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "https_proxy": "http://p",
        "NO_PROXY": "*",
        "CONTAINERS_STORAGE_CONF": "/s",
        "_CONTAINERS_USERNS_CONFIGURED": "done",
    }


def test_extra_variables_win_over_the_hosts() -> None:
    assert environment({"HOME": "/h", "TZ": "UTC"}, host={"HOME": "/root", "PATH": "/bin"}) == {
        "PATH": "/bin",
        "HOME": "/h",
        "TZ": "UTC",
        "LANG": "C.UTF-8",
    }


def test_a_host_without_path_still_gives_one() -> None:
    assert environment(host={})["PATH"]
