"""The language reference and the reference of ops: every example is legal, every figure current."""

from __future__ import annotations

import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resspec import api, limits
from resspec.language.expressions import parse_expression
from resspec.tensor import TensorSpec

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = (ROOT / "docs" / "language.md").read_text()
FRAGMENT = "resspec: 1\ninputs: {image: [64, 64, 3]}\n"


def blocks(text: str, kind: str) -> Iterator[tuple[int, str]]:
    """(line, content) of every fenced block of a kind."""
    for match in re.finditer(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 2, match[1]


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, its head left out."""
    section = LANGUAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize(("line", "text"), [pytest.param(*one, id=str(one[0])) for one in blocks(LANGUAGE, "yaml")])
def test_every_example_is_legal(line: int, text: str, tmp_path: Path) -> None:
    if not text.startswith("resspec: 1"):
        text = FRAGMENT + text
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    found = api.check(path)
    assert not found.diagnostics, f"docs/language.md:{line}: {[one.message for one in found.diagnostics]}"


def test_a_comment_on_legal_sizes_says_what_is_found(tmp_path: Path) -> None:
    """`# legal: H = 0 (mod 2), H >= 8` in an example, held against what is found."""
    found = 0
    for line, text in blocks(LANGUAGE, "yaml"):
        said = re.findall(r"# legal: (.*)$", text, re.MULTILINE)
        if said:
            path = tmp_path / f"{line}.yaml"
            path.write_text(text)
            assert set(said) <= set(api.load(path).legal_sizes.values()), line
            found += len(said)
    assert found == 5


def test_certain_fixes_write_what_is_shown(tmp_path: Path) -> None:
    ((_, wrong),) = blocks(LANGUAGE, "yaml wrong")
    ((_, right),) = blocks(LANGUAGE, "yaml fixed")
    path = tmp_path / "spec.yaml"
    path.write_text(FRAGMENT + wrong)
    api.fix(path)
    assert path.read_text() == FRAGMENT + right
    assert not api.check(path).diagnostics


NAMES: dict[str, Any] = {
    "width": 64, "rows": ((1, 16), (6, 24)), "act": "relu", "x": TensorSpec((56, 28, 64), "float32"),
}  # fmt: skip


def plain(text: str) -> Any:
    return {"true": True, "false": False}[text] if text in ("true", "false") else eval(text)  # our own file


@pytest.mark.parametrize(("expression", "value"), rows("Expressions"))
def test_the_table_of_expressions(expression: str, value: str) -> None:
    found = parse_expression(expression.strip("`")).evaluate(NAMES.__getitem__)
    wanted = plain(value.strip("`"))
    assert found == (tuple(wanted) if isinstance(wanted, list) else wanted)
    assert type(found) is (tuple if isinstance(wanted, list) else type(wanted))


def test_the_table_of_limits() -> None:
    said = " ".join(cell.replace(",", "") for row in rows("Limits") for cell in row)
    assert limits.FILE_BYTES == 2**20
    assert limits.MAGNITUDE == 2**53
    assert limits.PARAMETERS == 2 * 10**9
    for limit in (
        limits.YAML_NODES, limits.YAML_DEPTH, limits.FILES, limits.EXPRESSION_CHARS, limits.EXPRESSION_DEPTH,
        limits.LIST_ITEMS, limits.TEXT_CHARS, limits.NODES, limits.STEPS, limits.CALL_DEPTH, limits.BODY_DEPTH,
        limits.CHECKED_NODES, limits.RANK, limits.PERIOD,
    ):  # fmt: skip
        assert re.search(rf"\b{limit}\b", said), limit


def test_the_op_of_the_user_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import numpy as np

    ((_, code),) = blocks(LANGUAGE, "python")
    module = types.ModuleType("square_ops")
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, "square_ops", module)
    path = tmp_path / "spec.yaml"
    path.write_text("resspec: 1\ninputs: {x: [2]}\ngraph: [square]\n")
    model = api.build(path, plugins=["square_ops"])
    np.testing.assert_array_equal(np.asarray(model(np.array([[3.0, -2.0]], "float32"))), [[9.0, 4.0]])


def test_the_reference_of_ops_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    from make_ops_reference import reference

    assert (ROOT / "docs" / "ops.md").read_text() == reference(), "run `make docs`"


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        other = path if not name else path.parent / name
        assert other.exists(), f"{path.name}: {target}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{path.name}: {target}"


def test_the_zoo_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its counts are those of the specs, its differences those that were measured."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    from make_zoo import KEPT, page

    assert (ROOT / "docs" / "zoo.md").read_text() == page(json.loads(KEPT.read_text())), "run `tools/make_zoo.py`"
