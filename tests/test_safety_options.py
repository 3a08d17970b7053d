"""Hostile values on the command line: a usage error or a finding, never a traceback."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from resspec.cli import main

VALUES = [
    "²",
    "٣",
    "9" * 19,
    "9" * 5000,
    "-1",
    "1e999",
    "[",
    "\x1b[31m",
    "&a 1",
    "!!python/name:os.system",
    "",
    " ",
    "\udcff",
    "0",
    "{}",
]
OPTIONS = [
    ("summary", "--at", "H="), ("summary", "--at", ""), ("sizes", "--near", ""), ("sizes", "--near", "H="),
    ("sizes", "--most", ""), ("show", "--depth", ""), ("summary", "-p", "depth="), ("summary", "-p", "base="), ("summary", "-p", ""),
    ("summary", "-i", "image="), ("summary", "-i", "image=1,"), ("summary", "-i", ""), ("expand", "-o", "nowhere/"),
    ("summary", "--plugin", ""), ("check", "-p", "depth="), ("build", "--max-params", ""), ("build", "--dtype=x", "--seed="),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: ascii(value)[:14])
@pytest.mark.parametrize("option", OPTIONS, ids=" ".join)
def test_whatever_an_option_holds_ends_without_a_traceback(
    option: tuple[str, str, str], value: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    command, flag, before = option
    if command == "build":  # what is right must not start to build
        monkeypatch.setattr("resspec.building.run", lambda *_, **__: (_ for _ in ()).throw(SystemExit(3)))
    result = CliRunner().invoke(main, [command, "unet", flag, before + value])
    assert result.exit_code in (0, 1, 2, 3)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
