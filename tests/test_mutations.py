"""Shipped specs with one mistake each: nearly every mistake is found, and most on the line that was broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from speccing import findings

from resspec import api, files
from resspec.diagnostics import SpecError
from resspec.language import document

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import mutants  # noqa: E402
import mutate  # noqa: E402

SPEC = "unet"
"""small, and all ten kinds of mistakes can be made in it"""

SOURCE = (files.SHIPPED / f"{SPEC}.yaml").read_text()


@pytest.fixture(scope="module")
def outcomes() -> list[mutate.Outcome]:
    return [mutate.outcome(mutant) for mutant in mutants.mutants(SPEC, SOURCE, most=12)]


def test_all_kinds_are_there(outcomes: list[mutate.Outcome]) -> None:
    assert {one.mutant.kind for one in outcomes if not one.equivalent} == set(mutants.KINDS)


def test_nothing_but_findings_escapes(outcomes: list[mutate.Outcome]) -> None:
    assert [one.escaped for one in outcomes if one.escaped] == []


def test_mistakes_are_found_on_their_lines(outcomes: list[mutate.Outcome]) -> None:
    row = mutate.Row("all", tuple(outcomes))
    assert row.mutants >= 80
    assert row.found >= mutate.FOUND, [str(one.mutant) for one in outcomes if one.missed]
    assert row.on_line >= mutate.ON_LINE, [str(one.mutant) for one in outcomes if one.told and not one.on_line]


def test_a_mutant_is_one_edit_on_its_line() -> None:
    seen = set()
    for one in mutants.mutants(SPEC, SOURCE, most=5):
        seen.add(one.text)
        before, after = SOURCE.splitlines(), one.text.splitlines()
        assert before[: one.line - 1] == after[: one.line - 1]
        assert before[one.line - 1] != after[one.line - 1]
        assert before[one.line :] == after[one.line :]
    assert len(seen) > 40


def test_the_same_spec_gives_the_same_mutants() -> None:
    once, again = (list(mutants.mutants(SPEC, SOURCE, most=5)) for _ in range(2))
    assert once == again


def test_a_mutant_that_computes_the_same_is_equivalent() -> None:
    renamed = SOURCE.replace("as: bottom", "as: ground")
    assert renamed != SOURCE
    mutant = mutants.Mutant(SPEC, "renamed", 1, "bottom", "ground", renamed, in_checks=False)
    assert mutate.outcome(mutant).equivalent


def test_a_mutant_that_no_check_sees_is_missed() -> None:
    wider = SOURCE.replace("default: 0.5", "default: 0.25")
    assert wider != SOURCE
    mutant = mutants.Mutant(SPEC, "wrong rate", 1, "0.5", "0.25", wider, in_checks=False)
    assert mutate.outcome(mutant).missed


def test_the_page_tells_what_is_done() -> None:
    page = mutate.PAGE.read_text()
    assert page.startswith(mutate.ABOUT)
    assert page.endswith(mutate.described())


# -- what the mutants taught the checker ----------------------------------------------------------

HEAD = "resspec: 1\ninputs: {image: [8, 8, 3]}\n"

TAUGHT = {
    "defaults of no op": (
        "defaults: {cnov: {use_bias: false}}\ngraph: [conv: 3]\n",
        [("unknown-op", 3, 12)],
    ),
    "defaults that no step asks for": (
        "defaults: {dense: {unit: 3}}\ngraph: [conv: 3]\n",
        [("unknown-argument", 3, 20)],
    ),
    "defaults of the wrong type, once for all steps": (
        "defaults: {conv: {kernel_size: {a: 1}}}\ngraph: [conv: 3, {conv: 3, when: true}]\n",
        [("bad-value", 3, 32)],
    ),
    "defaults that do not fit the input": (
        "defaults: {max_pool: {pool_size: [2, 2, 2]}}\ngraph: [max_pool]\n",
        [("rank-mismatch", 3, 34)],
    ),
    "settings of a default": (
        "defaults: {conv: {kernel_initializer: {name: he_normal, sead: 1}}}\ngraph: [conv: 3]\n",
        [("unknown-argument", 3, 57)],
    ),
    "a mistyped loop": (
        "graph:\n  - erpeat: 2\n    let: {w: 2*i}\n    do: [conv: w]\n",
        [("unknown-op", 4, 5)],
    ),
    "the odd item of a list": (
        "graph:\n  - for: {n: [1, [2], 3]}\n    do: [{repeat: n, do: [relu]}]\n",
        [("bad-value", 4, 18)],
    ),
    "the odd item of a case": (
        "params: {d: int = 1}\nlet: {ns: {match: d, 1: [1, 2, true], 2: [3]}}\n"
        "graph:\n  - {for: {n: ns}, do: [{repeat: n, do: [relu]}]}\n",
        [("bad-value", 4, 32)],
    ),
    "the odd item in an expression": (
        "graph:\n  - for: {s: [1, [2], 3]}\n    do: [{conv: {filters: 4, kernel_size: s if i > 0 else 1}}, "
        "{dropout: s if i == 1 else 0}]\n",
        [("bad-value", 4, 18)],
    ),
    "a name that is defined twice, once without `when`": (
        "graph:\n  - {relu: , as: a}\n  - {relu: , as: a, when: 1 < 2}\n",
        [("duplicate-name", 4, 18)],
    ),
    "a `let` that is a mapping": (
        "params: {d: int = 1}\nlet: {n: {macth: d, 1: 2}}\ngraph: [{repeat: n, do: [relu]}]\n",
        [("bad-value", 4, 10)],
    ),
    "a number that is a mapping": (
        "graph: [conv: {filters: {a: 1}}]\n",
        [("bad-value", 3, 25)],
    ),
    "of two items none is odd": (
        "graph:\n  - for: {n: [1, [2]]}\n    do: [{repeat: n, do: [relu]}]\n",
        [("bad-value", 5, 19)],
    ),
    "a list that is wrong as a whole": (
        "graph:\n  - for: {n: [[1], [2], [3]]}\n    do: [{repeat: n, do: [relu]}]\n",
        [("bad-value", 5, 19)],
    ),
}


@pytest.mark.parametrize("name", TAUGHT)
def test_places_of_findings(name: str) -> None:
    text, expected = TAUGHT[name]
    got = [(one.code, one.span.line, one.span.column) for one in findings(HEAD + text) if one.span]
    assert got == expected


@pytest.mark.parametrize(
    ("step", "meant"),
    [
        ("{add: {fo: [prev, image]}}", "of"),
        ("{add: {of: [prev, image], prokect: auto}}", "project"),
        ("{conv: 3, sa: a}", "as"),
        ("{conv: 3, from: ni}", "in"),
        ("erlu", "relu"),
    ],
)
def test_what_was_meant(step: str, meant: str) -> None:
    (found,) = findings(f"{HEAD}graph:\n  - {step}\n")
    assert found.help == f"did you mean `{meant}`?"
    assert found.fix is not None
    assert [edit.text for edit in found.fix.edits] == [meant]


def test_a_projection_that_fails_names_who_made_the_sizes() -> None:
    text = (
        "blocks: {wide: [conv: 5]}\ngraph:\n  - {wide: , as: a}\n  - {conv: 4, from: image, as: b}\n"
        "  - add: {of: [b, a], project: pad}\n"
    )
    (found,) = findings(HEAD + text)
    assert found.code == "bad-value"
    assert [label.span.line for label in found.labels] == [6, 3, 5]


CHECKED = {
    "a parameter that a variant mistypes": (
        "params: {deep: int = 1}\nvariants: {a: {depe: 2}}\ngraph: [relu]\n",
        [("unknown-param", 4, 16)],
    ),
    "a parameter that a variant sets to another type": (
        "params: {deep: int = 1}\nvariants: {a: {deep: 2}, b: {deep: [2]}}\ngraph: [relu]\n",
        [("bad-value", 4, 36)],
    ),
    "a parameter that a check sets": (
        "params: {deep: int = 1}\ngraph: [relu]\nchecks:\n  - {with: {dep: 2}, params: 0}\n  - {with: {deep: true}}\n",
        [("unknown-param", 6, 13), ("bad-value", 7, 19)],
    ),
    "a choice that no value can be": (
        "params:\n  n: {type: int, enum: [1, true], default: 1}\ngraph: [{repeat: n, do: [relu]}]\n",
        [("bad-value", 4, 28)],
    ),
    "a check against no number": (
        "graph: [{relu: , as: out, output: true}]\nchecks:\n  - {params: true, out: 8}\n",
        [("bad-value", 5, 14), ("bad-value", 5, 25)],
    ),
}


@pytest.mark.parametrize("name", CHECKED)
def test_places_of_what_check_finds(name: str) -> None:
    text, expected = CHECKED[name]
    try:
        done = api.check_opened(api.Opened(*document.load(HEAD + text, "spec.yaml", Path()), None)).diagnostics
    except SpecError as error:
        done = error.diagnostics
    assert [(one.code, one.span.line, one.span.column) for one in done if one.span] == expected
