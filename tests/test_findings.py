"""Specs with their findings, written in Markdown: prose, a spec, `# error: [code]` on the line.

A `yaml` block that begins with `resspec:` is a whole file; any other gets an 8x8x3 image before it.
`# error: [code]` or `# warning: [code]` stands at the end of the line that the finding points at;
`# error: [code] @12` pins the column as well. A block without such comments has no findings.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from speccing import HEAD

from resspec import api, report
from resspec.diagnostics import SpecError
from resspec.language import document

FOLDER = Path(__file__).with_name("findings")
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXPECTED = re.compile(r"# (error|warning): \[([a-z-]+)\](?: @(\d+))?")


def cases() -> list[tuple[str, str]]:
    found = []
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text()
        for number, match in enumerate(BLOCK.finditer(text), 1):
            heading = [line for line in text[: match.start()].splitlines() if line.startswith("#")][-1].strip("# ")
            found.append((f"{path.stem}-{number}-{heading}", match[1]))
    return found


def diagnose(text: str) -> api.Report:
    """Everything that `resspec check` would find."""
    try:
        return api.check_opened(api.Opened(*document.load(text, "spec.yaml", FOLDER), None))
    except SpecError as error:
        return api.Report(error.diagnostics, error.sources)


@pytest.mark.parametrize(("name", "text"), cases(), ids=[name for name, _ in cases()])
def test_findings_are_those_that_the_text_says(name: str, text: str) -> None:
    whole = text if text.lstrip().startswith(("resspec:", "#!")) else HEAD + text
    expected = {
        (number, match[1], match[2], match[3])
        for number, line in enumerate(whole.splitlines(), 1)
        for match in EXPECTED.finditer(line)
    }
    done = diagnose(whole)
    got, shown = done.diagnostics, report.text(done.diagnostics, done.sources)
    places = {(one.span.line if one.span else 0, one.severity, one.code) for one in got}
    assert places == {(line, severity, code) for line, severity, code, _ in expected}, shown
    columns = {(one.span.line, one.code): one.span.column for one in got if one.span}
    for line, _, code, column in expected:
        if column is not None:
            assert columns[line, code] == int(column), shown
