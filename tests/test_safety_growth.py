"""Few lines that ask for much: expressions, loops, blocks, tensors. Counted, never carried out.

Work is counted, not timed; `tools/bench_safety.py` measures the times.
"""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from collections import Counter as Tally
from pathlib import Path
from typing import Any

import pytest

from resspec import api, limits
from resspec.diagnostics import SpecError
from resspec.language import count, document, evaluation, expand
from resspec.language.builder import GraphBuilder
from resspec.language.expressions import ExpressionError, parse_expression

HEAD = "resspec: 1\ninputs: {image: [8, 8, 3]}\n"
Work = Tally[str]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """How often a step was counted, carried out, an op placed, a part of an expression computed."""
    done: Work = Tally()
    for owner, name, label in (
        (count.Counter, "step", "looks"), (expand.Expander, "step", "steps"), (GraphBuilder, "add", "ops"),
        (evaluation.Evaluation, "value", "values"),
    ):  # fmt: skip
        original = getattr(owner, name)

        def counted(*arguments: Any, _original: Any = original, _label: str = label, **named: Any) -> Any:
            done[_label] += 1
            return _original(*arguments, **named)

        monkeypatch.setattr(owner, name, counted)
    return done


def check(text: str) -> list[str]:
    """The errors of a spec, by their codes."""
    try:
        done = api.check_opened(api.Opened(*document.load(text, "spec.yaml", Path()), None))
    except SpecError as error:
        return [one.code for one in error.diagnostics]
    return [one.code for one in done.diagnostics if one.severity == "error"]


# -- expressions: that they equal Python's on 20,000 random cases is held by test_expressions.py ----


@pytest.mark.parametrize(
    "text",
    ["9**9**9", "9**9*9**9*9**9", "2**99999999", "10**18*10**18", "(2**50)**(2**50)", "-9**9**9", "2.0**9999", "99**99**-1 * 9**99",
     "1e308*10", "9007199254740992 + 1", "sum([9007199254740992, 1])", "2**53 * 2", "round_to(1e300, 1)", "0.1**-400"],
)  # fmt: skip
def test_powers_and_products_are_refused_before_they_are_computed(text: str) -> None:
    with pytest.raises(ExpressionError):  # what is made once, by whoever comes first, is no work of the expression
        parse_expression(text).evaluate({}.__getitem__)
    gc.collect()
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError) as caught:
            parse_expression(text).evaluate({}.__getitem__)
        assert tracemalloc.get_traced_memory()[1] < 200_000  # bytes; 9**9**9 has 370 million digits
    finally:
        tracemalloc.stop()
    assert caught.value.code == "expression-limit"


def test_expressions_are_short_and_flat(work: Work) -> None:
    assert check(HEAD + f"let: {{a: '{'1+' * 100}1'}}\ngraph: [relu]") == ["expression-limit"]
    for opening, closing in (("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("abs(", ")"), ("1 if 1 else ", "")):
        depth = min(limits.EXPRESSION_DEPTH + 2, 190 // (len(opening) + len(closing)))
        text = f"{opening * depth}1{closing * depth}"
        got = check(HEAD + f'let: {{a: "{text}"}}\ngraph: [relu]')
        assert got in ([], ["expression-limit"]) if depth <= limits.EXPRESSION_DEPTH else got == ["expression-limit"]
    assert work["values"] < 200


# -- loops and blocks ------------------------------------------------------------------------------


def nested(turns: int, levels: int, inner: str, let: str = "") -> str:
    for level in range(levels):
        given = f" let: {{v{level}: {let}}}," if let else ""
        inner = f"{{repeat: {turns},{given} do: [{inner}]}}"
    return f"graph: [{inner}]"


def doubled(first: str) -> str:
    more = ", ".join(f"b{i}: [b{i - 1}, b{i - 1}]" for i in range(1, 61))
    return f"blocks: {{b0: [{first}], {more}}}\ngraph: [b60]"


GROWTH = {
    "a billion turns": "graph: [{repeat: 1000000000, do: [relu]}]",
    "a billion turns by an expression": "graph: [{repeat: 10**9, do: [relu]}]",
    "a billion turns of nothing": "graph: [{repeat: 1000000000, do: []}]",
    "a billion turns of taps": "graph: [{repeat: 1000000000, do: [{tap: in}]}]",
    "loops in loops": nested(1000, 3, "relu"),
    "short loops in loops": nested(60, 5, "relu"),
    "short loops of nothing": nested(60, 5, "{tap: in}"),
    "loops that use their variable": nested(60, 5, "relu", "i + 1"),
    "loops over lists": "let: {r: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\ngraph: ["
    + "{for: {a: r}, do: [" * 12 + "relu" + "]}" * 12 + "]",
    "sixty doublings": doubled("relu"),
    "sixty doublings of an empty block": doubled(""),
    "sixty doublings by recursion": "blocks:\n  r:\n    params: {n: int}\n"
    "    graph: [{r: n - 1, when: n > 0}, {r: n - 1, when: n > 0}]\ngraph: [{r: 60}]",
    "a grid of recursions": "blocks:\n  r:\n    params: {n: int, m: int}\n    graph: [{r: {n: n - 1, m: m}, when: n > 0}, "
    "{r: {n: n, m: m - 1}, when: m > 0}]\ngraph: [{r: {n: 30, m: 30}}]",
}  # fmt: skip


@pytest.mark.parametrize("growth", GROWTH)
def test_growth_is_counted_and_refused_with_nothing_made(growth: str, work: Work) -> None:
    text = HEAD + GROWTH[growth]
    tracemalloc.start()
    try:
        (code,) = check(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code in ("too-many-nodes", "too-many-steps")
    assert work["steps"] == work["ops"] == 0
    assert work["looks"] <= count.LOOKS + count.TURNS * limits.CALL_DEPTH
    assert peak < 4_000_000


@pytest.mark.parametrize("inner", ["relu", "{tap: in}"])
def test_counting_itself_ends_where_nothing_repeats(inner: str, work: Work) -> None:
    """Every turn has values of its own, so that no count serves twice."""
    names = ["0"]
    for level in range(8):
        names.append(f"w{level}")
    for level in reversed(range(8)):
        inner = f"{{repeat: 9, let: {{w{level}: {' + '.join(names[: level + 1])} + i}}, do: [{inner}]}}"
    assert check(HEAD + f"graph: [{inner}]") in (["too-many-nodes"], ["too-many-steps"])
    assert work["looks"] <= count.MOST_LOOKS + 1
    assert work["steps"] == 0


def test_what_only_expanding_can_tell_ends_at_the_limits(work: Work) -> None:
    turns = "in.channels*30"
    assert check(HEAD + "graph: [" + f"{{repeat: {turns}, do: [" * 3 + "relu" + "]}" * 3 + "]") == ["too-many-nodes"]
    assert work["ops"] <= limits.NODES + 1
    assert work["steps"] <= limits.STEPS


@pytest.mark.parametrize(
    "body",
    ["[{r: n}]", "[{r: n + 1}]", "[{s: n}]", "[{r: {n: n}, when: n > 0}]", "[{r: in.channels}]"],
)
def test_recursion_without_an_end_is_refused(body: str) -> None:
    blocks = f"  r: {{params: {{n: int}}, graph: {body}}}\n  s: {{params: {{n: int}}, graph: [{{r: n}}]}}\n"
    assert set(check(HEAD + f"blocks:\n{blocks}graph: [{{r: 3}}]")) <= {"endless-recursion", "too-deep"} != set()


@pytest.mark.parametrize(
    ("opening", "closing", "times"), [("[", "]", 50), ("{do: [", "]}", 25), ("{repeat: 1, do: [", "]}", 25)]
)
def test_bodies_in_a_recursive_block_end_in_a_finding_not_in_pythons_stack(
    opening: str, closing: str, times: int
) -> None:
    body = opening * times + "{r: n - 1, when: n > 0}" + closing * times
    codes = check(HEAD + f"blocks:\n  r:\n    params: {{n: int}}\n    graph: [{body}, relu]\ngraph: [{{r: 60}}]")
    assert set(codes) == {"too-deep"} or set(codes) == {"too-many-steps"}


def test_the_deepest_legal_network_leaves_room_in_pythons_stack() -> None:
    deep = "1" + "+1" * 99
    blocks = f"b0: [{{conv: {{filters: '{deep}'}}}}], " + ", ".join(f"b{i}: [{{do: [b{i - 1}]}}]" for i in range(1, 49))
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(900)
    try:
        assert check(HEAD + f"blocks: {{{blocks}}}\ngraph: [b48]") == []
    finally:
        sys.setrecursionlimit(before)


def test_one_mistake_in_many_turns_is_looked_at_few_times(work: Work) -> None:
    assert check(HEAD + "graph: [{repeat: 4000, as: a$i, do: [{relu: , from: zz}]}]") == ["unknown-name"]
    assert work["steps"] <= expand.TRIES + 1


def test_many_small_networks_end_at_the_budget_of_large_ones(work: Work) -> None:
    variants = "".join(f"  v{n}: {{w: {n + 1}}}\n" for n in range(1, 5000))
    text = f"resspec: 1\nparams: {{w: int = 1}}\nvariants:\n{variants}inputs: {{x: [4]}}\ngraph: [{{dense: w}}]\n"
    assert check(text) == ["too-many-networks"]
    assert work["steps"] <= limits.CHECKED_NODES // limits.NETWORK + 1


def test_a_chain_of_five_thousand_is_a_warning() -> None:
    text = HEAD + "graph: [{repeat: 5000, do: [relu]}]"
    done = api.check_opened(api.Opened(*document.load(text, "spec.yaml", Path()), None))
    assert [(one.code, one.severity) for one in done.diagnostics] == [("deep-chain", "warning")]
    assert "setrecursionlimit" in (done.diagnostics[0].help or "")


# -- tensors ---------------------------------------------------------------------------------------


def test_huge_tensors_are_counted_exactly_and_never_made() -> None:
    text = "resspec: 1\ninputs: {x: [2147483647]}\ngraph: [{repeat: 3, do: [{dense: 2147483647}]}]"
    tracemalloc.start()
    try:
        graph = api.network(api.Opened(*document.load(text, "spec.yaml", Path()), None))
        assert graph.summary().params.total == 3 * (2147483647**2 + 2147483647)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "graph",
    ["[{dense: 2147483648}]", "[{flatten: }, {repeat: 900, do: [{upsample: 1000003}]}]", "[{pad: 2147483640}]",
     "[{repeat: 40, do: [{upsample: 1000}]}]", "[{conv: 999999999999}]"],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["[8, 8]", "[T, 8]"])
def test_no_axis_grows_beyond_what_backends_can_count(graph: str, shape: str) -> None:
    assert check(f"resspec: 1\ninputs: {{x: {shape}}}\ngraph: {graph}")


def test_sizes_with_large_factors_are_written_at_once() -> None:
    assert check("resspec: 1\ninputs: {x: [T, 4]}\ngraph: [{upsample: 1000000007}, {expect: [T, 4]}]") == [
        "expect-failed"
    ]


def test_a_graph_beyond_the_budget_is_refused_before_keras_is_imported(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "net.yaml").write_text("resspec: 1\ninputs: {x: [100000]}\ngraph: [{dense: 100000}]")
    code = (
        "import sys; sys.modules['keras'] = None; sys.modules['tensorflow'] = None\n"
        "from resspec.__main__ import main; main(sys.argv[1:])"
    )
    for more in ([], ["--max-params", "10000099999"]):
        command = [sys.executable, "-c", code, "build", "net.yaml", "-o", "net.keras", *more]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ})
        assert done.returncode == 1, done.stderr
        assert "too-many-parameters" in done.stderr
        assert "10,000,100,000 weights" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["net.yaml"]
