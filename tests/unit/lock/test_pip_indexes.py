"""Indexes as users choose them, and credentials that are never shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bic.lock.pip.indexes import Indexes, masked, without_credentials


def variables(**host: str) -> dict[str, str]:
    return dict(Indexes.of(host).variables)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_variables_of_uv_go_through_and_no_others() -> None:
    chosen = {
        "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_INDEX": "corp=https://b.example/simple",
        "UV_INDEX_CORP_USERNAME": "me",
        "UV_INDEX_CORP_PASSWORD": "s3cret",
        "NETRC": "/home/me/netrc",
    }
    assert variables(**chosen, UV_PYTHON="3.9", UV_CACHE_DIR="/c", PATH="/bin", UV_OFFLINE="") == chosen


def test_variables_of_pip_mean_the_same_to_uv() -> None:
    assert variables(
        PIP_INDEX_URL="https://a.example/simple",
        PIP_EXTRA_INDEX_URL="https://b.example\n  https://c.example",
        PIP_TRUSTED_HOST="a.example",
    ) == {
        "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_INDEX": "https://b.example https://c.example",
        "UV_INSECURE_HOST": "a.example",
    }


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_a_variable_of_uv_wins_over_that_of_pip(name: str) -> None:
    chosen = {name: "https://uv.example"}
    assert variables(**chosen, PIP_INDEX_URL="https://pip.example") == chosen


def test_passwords_and_tokens_are_secret_in_each_form() -> None:
    indexes = Indexes.of(
        {
            "UV_DEFAULT_INDEX": "https://me:p%40ss@a.example/simple",
            "UV_INDEX": "corp=https://token@b.example/simple https://c.example",
            "UV_INDEX_CORP_PASSWORD": "word",
        }
    )
    assert indexes.secrets == ("p%40ss", "p@ss", "token", "word")
    assert "p%40ss" not in repr(indexes)


def test_the_credentials_of_an_index_serve_for_its_host_alone() -> None:
    indexes = Indexes.of({"UV_DEFAULT_INDEX": "https://me:p%40ss@a.example/simple", "NETRC": "/nonexistent"})
    assert indexes.authorization("https://a.example/files/six.whl") == basic("me:p@ss")
    assert indexes.authorization("http://a.example/files/six.whl") is None
    assert indexes.authorization("https://a.example:8443/files/six.whl") is None
    assert indexes.authorization("https://files.example/six.whl") is None


def test_the_credentials_of_a_named_index_may_stand_in_variables_of_its_name() -> None:
    indexes = Indexes.of(
        {
            "UV_INDEX": "my-corp=https://b.example/simple https://c.example/simple",
            "UV_INDEX_MY_CORP_USERNAME": "me",
            "UV_INDEX_MY_CORP_PASSWORD": "s3cret",
            "NETRC": "/nonexistent",
        }
    )
    assert indexes.authorization("https://b.example/files/six.whl") == basic("me:s3cret")
    assert indexes.authorization("https://c.example/files/six.whl") is None


def test_an_address_that_is_none_is_left_to_uv() -> None:
    indexes = Indexes.of({"UV_DEFAULT_INDEX": "https://[/simple", "UV_INDEX": "/a/folder"})
    assert indexes.secrets == ()


def test_netrc_serves_for_hosts_without_other_credentials(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine files.example login me password s3cret\n")
    indexes = Indexes.of({"NETRC": str(file)})
    assert indexes.authorization("https://files.example/six.whl") == basic("me:s3cret")
    assert indexes.authorization("https://other.example/six.whl") is None


def test_addresses_in_locks_have_neither_credentials_nor_fragments() -> None:
    url = "https://me:s3@cret@a.example:8443/files/six.whl?x=1#sha256=ab"
    assert without_credentials(url) == "https://a.example:8443/files/six.whl?x=1"
    assert masked(f"failed: {url}, {url}").count("https://***@a.example") == 2


USERINFO = st.text(st.characters(exclude_characters="/?#@ ", min_codepoint=33, max_codepoint=126), min_size=1)


@given(USERINFO)
def test_whatever_the_credentials_they_are_taken_out(userinfo: str) -> None:
    assert without_credentials(f"https://{userinfo}@a.example/x.whl") == "https://a.example/x.whl"
    assert masked(f"<https://{userinfo}@a.example/>") == "<https://***@a.example/>"
