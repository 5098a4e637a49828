import subprocess
import sys

import pytest

SLOW = {
    "asyncio",
    "cattrs",
    "click",
    "difflib",
    "hashlib",
    "http",
    "rich",
    "shutil",
    "subprocess",
    "tempfile",
}
MODULES = ["config", "descriptor", "digest", "index", "json", "layout", "manifest", "platform", "reference"]


@pytest.mark.parametrize("module", MODULES)
def test_importing_a_module_loads_nothing_slow_and_no_other_package_of_bic(module: str) -> None:
    # `site` may load anything for editable installs: only what the import adds counts.
    code = (
        f"import sys; before = set(sys.modules); import bic.oci.{module}; print(*(set(sys.modules) - before))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(shown.split())
    assert not loaded & SLOW
    packages = {name.split(".")[1] for name in loaded if name.startswith("bic.")}
    assert packages == {"errors", "oci"}
