"""The README: every command and every line of Python in it runs, and prints what is shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from resspec.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent


def blocks(*kinds: str) -> Iterator[tuple[str, str]]:
    """(kind, content) of the fenced blocks, in order."""
    for match in BLOCK.finditer(README):
        if match[1] in kinds:
            yield match[1], match[2]


def commands(text: str) -> list[tuple[str, str]]:
    """(command, what it is said to print) of a console block."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def fits(shown: str, printed: str) -> bool:
    """Whether the output is the one shown; `...` stands for anything, alone on a line for any lines."""
    pattern = ""
    for line in shown.rstrip("\n").split("\n"):
        if line.strip() == "...":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += r"[^\n]*".join(re.escape(part.rstrip()) for part in line.split("...")) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


def run(arguments: list[str], folder: Path) -> str:
    """What a process prints, on both streams in order; like a person in a plain terminal would see it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "PYTEST"))}
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "160"}
    done = subprocess.run(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert done.returncode in ((0, 1) if "error[" in done.stdout else (0,)), done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the README shows: blocks whose first line is a comment with a name."""
    found = tmp_path_factory.mktemp("tour")
    for _, text in blocks("yaml"):
        name = re.match(r"# (\w+\.yaml)\b", text)
        assert name, text
        (found / name[1]).write_text(text)
    return found


def test_every_command_prints_what_is_shown(folder: Path) -> None:
    count = 0
    for _, text in blocks("console"):
        for command, shown in commands(text):
            assert re.match(r"resspec ", command), command
            printed = run(["bash", "-c", command], folder)
            if shown.strip():
                assert fits(shown, printed), f"$ {command}\n{printed}"
            count += 1
    assert count > 5


PROSE = "\n".join(line for line in BLOCK.sub("", README).splitlines() if not line.startswith("|"))
INLINE = re.findall(r"`resspec ([a-z]+)((?: [^`]*)?)`", PROSE)


@pytest.mark.parametrize(("name", "rest"), INLINE, ids=lambda part: part.strip())
def test_commands_in_the_prose_are_understood(name: str, rest: str) -> None:
    """Their names, options and arguments; those in blocks are run."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    if rest:
        command.make_context(name, rest.split())


def test_the_python_runs(folder: Path) -> None:
    """All blocks as one program; a comment `# -> text` behind a line says what its value prints."""
    lines = ["import contextlib, io"]
    for _, text in blocks("python"):
        for line in text.splitlines():
            code, arrow, wanted = line.partition("  # -> ")
            if arrow:
                lines.append(f"assert str({code.rstrip()}) == {wanted!r}, str({code.rstrip()})")
            else:
                lines.append(line)
    run([sys.executable, "-W", "ignore", "-c", "\n".join(lines)], folder)


def test_the_tables_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    from readme_tables import filled

    assert filled(README) == README, "run `make docs`"


def test_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE):
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
