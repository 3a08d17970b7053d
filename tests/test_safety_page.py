"""SECURITY.md promises what is tested: the tests that it names are there, and all tests of safety are named."""

from __future__ import annotations

import re
from pathlib import Path

from resspec import limits

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "SECURITY.md").read_text()


def test_every_test_that_it_names_is_there() -> None:
    named = re.findall(r"`(test_[a-z_]+\.py|tools/[a-z_]+\.py)`", PAGE)
    assert len(set(named)) > 8
    for name in named:
        assert (ROOT / ("tests" if name.startswith("test_") else ".") / name).is_file(), name


def test_every_test_of_safety_is_named() -> None:
    for path in (ROOT / "tests").glob("test_safety_*.py"):
        assert f"`{path.name}`" in PAGE or path.name == Path(__file__).name


def test_the_limits_are_those_of_the_code() -> None:
    for limit in (limits.YAML_NODES, limits.NODES, limits.STEPS):
        assert f"{limit:,}" in PAGE
    assert f"{limits.YAML_DEPTH} levels" in PAGE
    assert limits.DIMENSION == 2**31 - 1
    assert limits.PARAMETERS == 2 * 10**9
    assert limits.FILE_BYTES == 2**20
