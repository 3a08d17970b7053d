"""Specs with their findings, written in Markdown: prose, a spec, `# error: [code]` on the line.

`# error: [code]` or `# warning: [code]` stands at the end of the line that the finding points at;
`# error: [code] @12` pins the column as well. A spec without such comments has no findings. A
`yaml` block that begins with `resspec:` is a whole file; any other gets an 8x8x3 image before it.

Where every error of a case bears a fix, the fixes are carried out, until none is left, and what
comes out has no errors; it is the `yaml fixed` block that follows, if there is one. Elsewhere that
block was mended by hand as the help says, and has no errors either.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from speccing import HEAD

import resspec
from resspec import api, explain, fixes, report
from resspec.cli import main
from resspec.diagnostics import SpecError
from resspec.explain import Case
from resspec.language import document

FOLDER = Path(__file__).with_name("findings")
EXPECTED = re.compile(r"# (error|warning): \[([a-z-]+)\](?: @(\d+))?")
COMMENT = re.compile(r" *# (?:error|warning): \[.*")

PAGES = explain.pages(FOLDER)
CASES = {f"{page.code}: {case.title}": case for page in PAGES.values() for case in page.cases}
LEGAL = {
    f"legal: {title}": Case(title, "", text)
    for title, text in re.findall(r"^## (.*?)\n.*?^```yaml\n(.*?)^```", (FOLDER / "legal.md").read_text(), re.S | re.M)
}
SPECS = {name: case for name, case in (CASES | LEGAL).items() if case.spec is not None}


def whole(text: str) -> str:
    return text if text.lstrip().startswith(("resspec:", "#!")) else HEAD + text


def diagnose(text: str) -> api.Report:
    """Everything that `resspec check` would find."""
    try:
        return api.check_opened(api.Opened(*document.load(text, "spec.yaml", FOLDER), None))
    except SpecError as error:
        return api.Report(error.diagnostics, error.sources)


def plain(text: str) -> str:
    """Without the marks of this file."""
    return COMMENT.sub("", text)


@pytest.mark.parametrize("name", SPECS)
def test_findings_are_those_that_the_text_says(name: str) -> None:
    text = whole(SPECS[name].spec or "")
    expected = {
        (number, match[1], match[2], match[3])
        for number, line in enumerate(text.splitlines(), 1)
        for match in EXPECTED.finditer(line)
    }
    done = diagnose(text)
    got, shown = done.diagnostics, report.text(done.diagnostics, done.sources)
    places = {(one.span.line if one.span else 0, one.severity, one.code) for one in got}
    assert places == {(line, severity, code) for line, severity, code, _ in expected}, shown
    columns = {(one.span.line, one.code): one.span.column for one in got if one.span}
    for line, _, code, column in expected:  # two of one code on a line have no column in the text
        if column is not None:
            assert columns[line, code] == int(column), shown


def mended(text: str) -> tuple[str, int]:
    """The text after its fixes, those included that are proposals, and how many were carried out."""
    return fixes.mended(text, "spec.yaml", lambda one: diagnose(one).diagnostics, unsafe=True)


REMEDIED = [
    name
    for name, case in SPECS.items()
    if (found := diagnose(whole(case.spec or "")).diagnostics)
    and all(one.fix or one.severity == "warning" for one in found)
    and any(one.fix for one in found)
]


@pytest.mark.parametrize("name", REMEDIED)
def test_a_remedy_mends_the_spec(name: str) -> None:
    case = SPECS[name]
    text, _ = mended(plain(whole(case.spec or "")))
    done = diagnose(text)
    assert not done.failed, f"{text}\n{report.text(done.diagnostics, done.sources)}"
    if case.fixed is not None:
        assert text == whole(case.fixed)


@pytest.mark.parametrize("name", [name for name, case in SPECS.items() if case.fixed is not None])
def test_a_mended_spec_passes(name: str) -> None:
    done = diagnose(whole(SPECS[name].fixed or ""))
    assert not done.diagnostics, report.text(done.diagnostics, done.sources)


def test_there_are_as_many_cases_as_promised() -> None:
    assert len(SPECS) >= 150
    assert len(REMEDIED) >= 40


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.command is not None])
def test_findings_of_commands(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in an empty folder with the starter spec `net.yaml`; the last one says what the page says."""
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(main, ["new", "net.yaml"]).exit_code == 0
    lines = (CASES[name].command or "").splitlines()
    code, output = 0, ""
    for line in lines:
        if line.startswith("$ resspec "):
            done = runner.invoke(main, line.removeprefix("$ resspec ").split())
            code, output = done.exit_code, done.output
        elif line.startswith("$ "):
            code, output = shell(line.removeprefix("$ "), tmp_path)
    assert code in (1, 2), output
    for line in lines:
        if not line.startswith("$ "):
            assert line in output
    assert f"error[{name.partition(':')[0]}]" in output


def shell(line: str, folder: Path) -> tuple[int, str]:
    """What a line of the shell prints, with the `resspec` of this Python before all others."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["sh", "-c", line], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def codes() -> set[str]:
    """Every code that the package's source gives to a finding."""
    found = set()
    makers = {"Problem", "Diagnostic", "OpError", "FileProblem", "ExpressionError", "error", "warning", "stop"}
    for path in Path(resspec.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                first = node.args[:1] if name in makers and name != "OpError" else []
                for value in [*first, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]:
                    for part in ast.walk(value):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str) and "-" in part.value:
                            found.add(part.value)
    return found


def strings() -> set[str]:
    """Every constant text in the package's source."""
    trees = [ast.parse(path.read_text()) for path in Path(resspec.__file__).parent.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_code_has_its_page_and_every_page_its_code() -> None:
    words = {text for text in strings() if text in PAGES}
    assert codes() <= set(PAGES) == words


@pytest.mark.parametrize("code", PAGES)
def test_a_page_says_what_it_means_and_shows_it(code: str) -> None:
    page = PAGES[code]
    assert len(page.prose) > 40
    assert page.cases
    for case in page.cases:
        assert case.command or f"[{code}]" in (case.spec or ""), case.title
