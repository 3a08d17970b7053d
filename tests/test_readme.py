"""The README, and pages with a tour: every command and every line of Python in them runs, and prints what is shown."""

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
PAGES = {"README": README, "weights": (ROOT / "docs" / "weights.md").read_text()}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent


def blocks(page: str, *kinds: str) -> Iterator[tuple[str, str]]:
    """(kind, content) of the fenced blocks, in order."""
    for match in BLOCK.finditer(PAGES[page]):
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


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_a_page_shows_runs(page: str, tmp_path: Path) -> None:
    """From top to bottom in one folder: files whose first line names them, commands with what they print, Python."""
    ran = 0
    python: list[str] = []
    for kind, text in [*blocks(page, "yaml", "console", "python"), ("console", "")]:
        if kind == "yaml":
            name = re.match(r"# (\w+\.yaml)\b", text)
            if name:
                (tmp_path / name[1]).write_text(text)
        elif kind == "python":
            python += text.splitlines()
        else:
            if python and python[-1] != RAN:
                run([sys.executable, "-W", "ignore", "-c", program(python)], tmp_path)
                python.append(RAN)
            for command, shown in commands(text):
                assert re.match(r"resspec |python -c ", command), command
                printed = run(["bash", "-c", command], tmp_path)
                if shown.strip():
                    assert fits(shown, printed), f"$ {command}\n{printed}"
                ran += 1
    assert ran > 5


RAN = "# what stands above has run; its imports hold below"


def program(lines: list[str]) -> str:
    """The blocks since the last run as one program; a comment `# -> text` says what a line's value prints."""
    done = max((k for k, line in enumerate(lines) if line == RAN), default=-1)
    found = [line for line in lines[: done + 1] if line.startswith(("import ", "from "))]
    for line in lines[done + 1 :]:
        code, arrow, wanted = line.partition("  # -> ")
        found.append(f"assert str({code.rstrip()}) == {wanted!r}, str({code.rstrip()})" if arrow else line)
    return "\n".join(found)


PROSE = "\n".join(line for line in BLOCK.sub("", README).splitlines() if not line.startswith("|"))
INLINE = re.findall(r"`resspec ([a-z]+)((?: [^`]*)?)`", PROSE)


@pytest.mark.parametrize(("name", "rest"), INLINE, ids=lambda part: part.strip())
def test_commands_in_the_prose_are_understood(name: str, rest: str) -> None:
    """Their names, options and arguments; those in blocks are run."""
    command = main.get_command(click.Context(main), name)
    assert command is not None
    if rest:
        command.make_context(name, rest.split())


def test_the_tables_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    from readme_tables import filled

    assert filled(README) == README, "run `make docs`"


def test_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE):
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
