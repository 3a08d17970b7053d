"""Figures as text: DOT, Mermaid and the drawing on the terminal."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from graphs import Sketch, chain
from speccing import load
from test_random_graphs import network
from test_safety_output import CONTROL, HOSTILE

from resspec import api
from resspec.graph import Graph
from resspec.ops.activation import Relu
from resspec.ops.merge import Add, Concat, Multiply, Subtract
from resspec.ops.reshape import Split
from resspec.render.dot import dot
from resspec.render.mermaid import mermaid
from resspec.render.view import Viewer

SMALL = ["alexnet", "vgg@vgg11", "unet", "resnet@resnet18", "resnet_v2@resnet50_v2", "densenet_cifar@densenet_40_12"]


def twice() -> Graph:
    """Both operands are one tensor; and one tensor is two outputs."""
    sketch = Sketch("twice")
    x = sketch(Relu(), "relu", sketch.input("x", 4))
    y = sketch(Subtract(), "subtract", sketch(Add(), "add", x, x), x)
    return sketch.graph(one=y, same=y, early=x)


def several() -> Graph:
    """Two inputs, two outputs, an op with two results, a node that nobody reads."""
    sketch = Sketch("several")
    left, right = sketch.input("left", 8, 4), sketch.input("right", 8, 4)
    split = sketch(Split(sections=2), "split", sketch(Concat(), "both", left, right))
    sketch(Relu(), "unused", left)
    product = sketch(Multiply(), "product", split._replace(output=1), split)
    return sketch.graph(product=product, half=split._replace(output=1))


SHARED = """
resspec: 1
inputs: {left: [16, 16, 1], right: [16, 16, 1]}
blocks:
  tower: [{conv: 8, as: conv}, relu, global_avg_pool]
graph:
  - {tower: , share: tower, from: left, as: a}
  - {tower: , share: tower, from: right, as: b}
  - subtract: [a, b]
"""


def hostile(name: str) -> Graph:
    """A graph whose every name is `name` or made of it."""
    sketch = Sketch(name)
    x = sketch.input(name, 4)
    for i in range(2):
        x = sketch(Relu(), f"{name}/{name}{'_' * i}", x)
    return sketch.graph(**{name: x})


GRAPHS = {"twice": twice, "several": several, "shared": lambda: load(SHARED), "chain": lambda: chain(2000)}


def graphs() -> Iterator[Graph]:
    yield from (make() for make in GRAPHS.values())
    yield from map(api.load, SMALL)
    yield from map(network, range(50))


# -- truth -----------------------------------------------------------------------------------------


def leaf_edges(graph: Graph) -> list[tuple[str, int, str, int]]:
    """All edges of a graph: source, its result, target, its operand; an output reads as `output name`."""
    found = [
        (graph.nodes[ref.node].path, ref.output, node.path, operand)
        for node in graph.nodes
        for operand, ref in enumerate(node.inputs)
    ]
    return found + [(graph.nodes[r.node].path, r.output, f"output {name}", 0) for name, r in graph.outputs.items()]


DOT_EDGE = re.compile(r'^  "([^"]*)" -> "([^"]*)" \[id="([^"]*):(\d+) -> ([^"]*):(\d+)"', re.MULTILINE)


def test_the_edges_of_the_unfolded_dot_are_those_of_the_graph() -> None:
    for graph in graphs():
        found = DOT_EDGE.findall(dot(graph, Viewer(graph).view("full")))
        assert all(one[:2] == (one[2], one[4]) for one in found), "the ends are those that the id tells"
        got = [(source, int(result), target, int(operand)) for _, _, source, result, target, operand in found]
        assert sorted(got) == sorted(leaf_edges(graph)), graph.name


MERMAID_NODE = re.compile(r"^ +(\w+)(?:\[|\(|\{)[^|\n]*:::\w+$", re.MULTILINE)
MERMAID_EDGE = re.compile(r'^  (\w+) (?:-->|-\.->)(?:\|"[^"\n]*"\|)? (\w+)$', re.MULTILINE)


def test_the_edges_of_the_unfolded_mermaid_are_those_of_the_graph() -> None:
    for graph in graphs():
        text = mermaid(graph, Viewer(graph).view("full"))
        paths = [*(node.path for node in graph.nodes), *(f"output {name}" for name in graph.outputs)]
        names = dict(zip(MERMAID_NODE.findall(text), paths, strict=True))
        got = [(names[source], names[target]) for source, target in MERMAID_EDGE.findall(text)]
        assert Counter(got) == Counter((source, target) for source, _, target, _ in leaf_edges(graph)), graph.name


def test_between_the_boxes_of_a_fold_stands_what_enters_and_leaves_it() -> None:
    graph = api.load("resnet_v2@resnet50_v2")
    found = {(source, target) for source, target, *_ in DOT_EDGE.findall(dot(graph, Viewer(graph).view()))}
    assert ("stage2/unit0/add0", "stage2/unit1/pre") in found
    assert ("stage2/unit1/add0", "stage3/unit0/pre") in found, "from the last of three units"
    assert not any("unit2" in end for edge in found for end in edge), "folded"
    assert ("stage2/unit1/add0", "stage2/unit1/pre") not in found, "from one block of the fold to the next"


# -- Graphviz --------------------------------------------------------------------------------------


def graphviz(text: str) -> str:
    """What Graphviz understood, as its canonical form."""
    done = subprocess.run(["dot", "-Tcanon"], input=text.encode(), capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="GRAPHVIZ IS MISSING: DOT was not tried on it")


@needs_graphviz
@pytest.mark.parametrize("spec", api.shipped())
def test_graphviz_accepts_every_shipped_spec(spec: str) -> None:
    graph = api.load(spec)
    for level in ("stages", "blocks"):
        text = dot(graph, Viewer(graph).view(level))
        assert graphviz(text).count(" -> ") >= text.count('" -> "')


@needs_graphviz
@pytest.mark.parametrize("kind", HOSTILE)
def test_graphviz_accepts_hostile_names(kind: str) -> None:
    graph = hostile(HOSTILE[kind])
    text = dot(graph, Viewer(graph).view("full"))
    done = subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True, timeout=60)
    assert not done.stderr
    lines = done.stdout.decode().splitlines()
    assert sum(line.startswith("node") for line in lines) == 4
    assert sum(line.startswith("edge") for line in lines) == 3


# -- Mermaid ---------------------------------------------------------------------------------------

LABEL = r'"(?:[^"#;<>`&%\\\x00-\x1f\x7f]|#\d+;|<br>)*"'
LINES = [
    r'flowchart TD', r'---', rf'title: {LABEL[:-1]}.*"', r"  %% digest [0-9a-f]{64}",
    rf" +subgraph n_\w+\[{LABEL}\]", r" +end",
    rf" +n_\w+(?:\[{LABEL}\]|\[\[{LABEL}\]\]|\(\({LABEL}\)\)|\(\[{LABEL}\]\)|\{{\{{{LABEL}\}}\}}):::[a-z]+",
    rf"  n_\w+ (?:-->|-\.->)(?:\|{LABEL}\|)? n_\w+",
    r"  classDef [a-z]+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#[0-9a-f]{6}",
]  # fmt: skip


def problems(text: str) -> Iterable[str]:
    """What a parser of Mermaid would trip over."""
    grammar = [re.compile(one, re.ASCII) for one in LINES]
    lines = text.split("\n")
    assert lines.pop() == ""
    yield from (line for line in lines if not any(one.fullmatch(line) for one in grammar))
    if len(re.findall(r"^ +subgraph ", text, re.M)) != len(re.findall(r"^ +end$", text, re.M)):
        yield "a subgraph without its end"
    ids = MERMAID_NODE.findall(text) + re.findall(r"^ +subgraph (\w+)", text, re.M)
    if len(set(ids)) != len(ids):
        yield "an id twice"
    yield from {end for edge in MERMAID_EDGE.findall(text) for end in edge} - set(ids)
    yield from set(re.findall(r":::(\w+)$", text, re.M)) ^ set(re.findall(r"classDef (\w+)", text))


@pytest.mark.parametrize("spec", api.shipped())
def test_mermaid_is_well_formed_and_small_enough_for_every_shipped_spec(spec: str) -> None:
    variants = api.open_source(spec).document.spec.variants
    for variant in [None, *variants]:
        graph = api.load(spec, variant=variant)
        for level in ("stages", "blocks"):
            text = mermaid(graph, Viewer(graph).view(level))
            assert not list(problems(text))
            assert len(MERMAID_EDGE.findall(text)) < 500, "more edges than Mermaid draws"
            assert len(text) < 50_000, "more text than Mermaid reads"


@pytest.mark.parametrize("kind", HOSTILE)
def test_mermaid_is_well_formed_under_hostile_names(kind: str) -> None:
    graph = hostile(HOSTILE[kind])
    text = mermaid(graph, Viewer(graph).view("full"))
    assert not list(problems(text))
    assert not CONTROL.search(text)
    assert len(MERMAID_EDGE.findall(text)) == 3


def test_what_mermaid_would_trip_over_is_found() -> None:
    good = mermaid(twice(), Viewer(twice()).view("full"))
    assert not list(problems(good))
    for old, new in [
        ('["ReLU"]', '["a"b"]'),
        ("n_add((", "n_sum(("),
        ("flowchart", "flow"),
        ("ReLU", "</b>"),
        ("--> n", "-> n"),
    ]:
        assert old in good
        assert list(problems(good.replace(old, new))), new
