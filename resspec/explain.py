"""Pages that explain findings: one a code, from the very Markdown that tests the findings.

A page is a heading of first level with the code in backticks, a paragraph on what the finding
means, and cases below headings of second level; a case is prose and a spec (`yaml`) with the
finding, or a command (`console`), and often the same spec mended (`yaml fixed`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from resspec import files

_PAGE = re.compile(r"^# `([a-z-]+)`\n(.*?)(?=^# |\Z)", re.DOTALL | re.MULTILINE)
_CASE = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```(yaml fixed|yaml|console)\n(.*?)^```\n?", re.DOTALL | re.MULTILINE)
_SENTENCE = re.compile(r"((?:`[^`]*`|[^`])*?)[.:](?:\s|\Z)")
_EXPECTED = re.compile(r" *# (?:error|warning): \[[a-z-]+\](?: @\d+)?")


@dataclass(frozen=True, slots=True)
class Case:
    """One way to earn a finding: what was written, and what to write instead."""

    title: str
    prose: str
    spec: str | None = None
    """a spec with `# error: [code]` at the end of the lines that findings point at"""
    fixed: str | None = None
    command: str | None = None
    """`$ resspec ...` and what it says, where the finding is not about the text of a spec"""


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say about one code."""

    code: str
    prose: str
    cases: tuple[Case, ...]

    @property
    def summary(self) -> str:
        """The first sentence; a point or colon inside code ends none."""
        text = self.prose.replace("\n", " ")
        sentence = _SENTENCE.match(text)
        return sentence[1] if sentence else text

    def __str__(self) -> str:
        """The page as Markdown with its first case, without the marks that the tests read."""
        parts = [f"# {self.code}", self.prose]
        for case in self.cases[:1]:
            parts.append(case.prose)
            if case.command is not None:
                parts.append(f"```console\n{case.command}```")
            if case.spec is not None:
                parts.append(f"```yaml\n{_EXPECTED.sub('', case.spec)}```")
            if case.fixed is not None:
                parts += ["Instead:", f"```yaml\n{case.fixed}```"]
        return "\n\n".join(part for part in parts if part) + "\n"


def read(text: str) -> list[Page]:
    """The pages of one Markdown file."""
    return [_page(match[1], match[2]) for match in _PAGE.finditer(text)]


def _page(code: str, text: str) -> Page:
    intro = re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0]
    return Page(code, intro.strip(), tuple(_case(match[1], match[2]) for match in _CASE.finditer(text)))


def _case(title: str, text: str) -> Case:
    blocks = {match[1]: match[2] for match in reversed(list(_BLOCK.finditer(text)))}
    prose = _BLOCK.sub("", text).strip()
    return Case(title, prose, blocks.get("yaml"), blocks.get("yaml fixed"), blocks.get("console"))


def pages(folder: Path = files.EXPLAINED) -> dict[str, Page]:
    """All pages by code."""
    found: dict[str, Page] = {}
    for path in sorted(folder.glob("*.md")):
        found |= {page.code: page for page in read(path.read_text("utf-8"))}
    return found
