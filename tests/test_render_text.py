"""Figures as text: DOT, Mermaid and the drawing on the terminal."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from graphs import Sketch, chain
from speccing import load
from test_random_graphs import network
from test_safety_output import CONTROL, HOSTILE

from resspec import api
from resspec.cli import main
from resspec.graph import Graph
from resspec.ops.activation import Relu
from resspec.ops.merge import Add, Concat, Multiply, Subtract
from resspec.ops.reshape import Split
from resspec.render.paint.dot import dot
from resspec.render.paint.lanes import ABOVE, ARROW, Lane, margins
from resspec.render.paint.mermaid import mermaid
from resspec.render.paint.outline import outline
from resspec.render.paint.terminal import cells, drawing
from resspec.render.view.view import Cell, Viewer

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


# -- lanes -----------------------------------------------------------------------------------------


def read(lines: list[str]) -> list[tuple[int, tuple[int, ...]]]:
    """The lanes in a margin, as one reads them with a finger: where each begins, and the lines that it ends at."""
    found: list[tuple[int, list[int]]] = []
    open_lanes: dict[int, tuple[int, list[int]]] = {}
    for number, line in enumerate(lines):
        for column, glyph in enumerate(line.rstrip()):
            if column in open_lanes and glyph in "├┼╰┴":
                open_lanes[column][1].append(number)
            if glyph in "╰┴":
                del open_lanes[column]
            elif glyph in "╭┬" or (number == 0 and glyph in "│├┼"):
                above = glyph in "│├┼"
                open_lanes[column] = (ABOVE if above else number, [0] if glyph in "├┼" else [])
                found.append(open_lanes[column])
            elif glyph in "│├┼":
                assert column in open_lanes, "a lane from nowhere"
    return sorted((start, tuple(ends)) for start, ends in found)


@pytest.mark.parametrize("seed", range(200))
def test_lanes_are_read_as_they_were_meant(seed: int) -> None:
    rng = random.Random(seed)
    lines = rng.randint(2, 12)
    lanes = []
    for start in sorted(rng.sample(range(ABOVE, lines - 1), rng.randint(1, lines // 2))):
        below = range(start + 1 + (start == ABOVE), lines)
        if below:
            lanes.append(Lane(start, sorted(rng.sample(below, rng.randint(1, min(3, len(below)))))))
    drawn = margins(lines, lanes)
    assert len({len(line) for line in drawn}) == 1
    assert read(drawn) == sorted((lane.start, tuple(lane.ends)) for lane in lanes), "\n".join(drawn)
    assert {k for k, line in enumerate(drawn) if ARROW in line} == {end for lane in lanes for end in lane.ends}


def test_nested_lanes_stand_outside_each_other_and_a_crossed_one_stays_whole() -> None:
    assert margins(5, [Lane(0, [4]), Lane(1, [3])]) == ["╭─── ", "│ ╭─ ", "│ │  ", "│ ╰→ ", "╰──→ "]
    assert margins(4, [Lane(0, [2]), Lane(1, [3])]) == ["╭─── ", "│ ╭─ ", "╰─│→ ", "  ╰→ "]
    assert margins(3, [Lane(0, [1]), Lane(1, [2])]) == ["╭─── ", "╰─┬→ ", "  ╰→ "], "not one lane that goes on"
    assert margins(3, [Lane(ABOVE, [2], dashed=True, station=1)]) == ["╎  ", "├─ ", "╰→ "]


# -- the drawing -----------------------------------------------------------------------------------

GOLDEN = Path(__file__).parent / "golden"

INCEPTION = """
resspec: 1
name: inception
inputs: {image: [224, 224, 3]}
blocks:
  module:
    params: {a: int, b: int, c: int, d: int}
    graph:
      - {conv: {filters: a}, as: one}
      - [{conv: {filters: b}, from: in}, {conv: {filters: 2*b, kernel_size: 3, padding: same}, as: three}]
      - [{conv: {filters: c}, from: in}, {conv: {filters: 2*c, kernel_size: 5, padding: same}, as: five}]
      - [{max_pool: {pool_size: 3, strides: 1, padding: same}, from: in}, {conv: {filters: d}, as: pool}]
      - concat: [one, three, five, pool]
graph:
  - [{conv: {filters: 64, kernel_size: 7, strides: 2}, as: stem}, max_pool: 2]
  - [{module: {a: 64, b: 96, c: 16, d: 32}, as: first}, {module: {a: 128, b: 128, c: 32, d: 64}, as: second}]
  - {do: [global_avg_pool, {dense: 10}], as: early, output: true}
  - [{module: {a: 192, b: 96, c: 16, d: 64}, from: second, as: third}, global_avg_pool, {dense: 10, as: late, output: true}]
"""

GATES = """
resspec: 1
name: gates
inputs: {image: [64, 64, 3]}
graph:
  - {conv: {filters: 8, kernel_size: 3, padding: same}, as: fine}
  - [max_pool: 2, {conv: {filters: 16, kernel_size: 3, padding: same}}]
  - {conv_transpose: {filters: 8, kernel_size: 2, strides: 2}, as: up}
  - [{conv: {filters: 4}, from: fine, as: theta}, {conv: {filters: 4}, from: up, as: phi}, {add: [theta, phi]}]
  - [relu, {conv: {filters: 8, activation: sigmoid}}, multiply: [prev, fine], concat: [up, prev]]
  - {conv: 2, as: mask, output: true}
"""

DRAWINGS = {
    "resnet_v2": ["resnet_v2@resnet200_v2"],
    "resnet_v1": ["resnet@resnet50"],
    "densenet": ["densenet"],
    "unet": ["unet", "--level", "stages", "--at", "H=572,W=572"],
    "unet_blocks": ["unet"],
    "hourglass": ["hourglass@hourglass1"],
    "inception": [INCEPTION],
    "gates": [GATES],
}
"""golden file -> arguments of `resspec show`, or a spec"""


def shown_by(arguments: list[str], folder: Path) -> str:
    first, *others = arguments
    if "\n" in first:
        (folder / "net.yaml").write_text(first)
        first = str(folder / "net.yaml")
    return CliRunner().invoke(main, ["show", first, *others], catch_exceptions=False).stdout


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_drawing_is_the_one_that_was_looked_at(name: str, tmp_path: Path) -> None:
    """After a change that is meant: `python tests/test_render_text.py`, and look at every one."""
    assert shown_by(DRAWINGS[name], tmp_path) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def heads(cell: Cell) -> int:
    """Lines of a view: a box each, and one for every open block."""
    return sum(1 + heads(one) if one.is_open else 1 for one in cell.cells)


@pytest.mark.parametrize("spec", api.shipped())
def test_every_shipped_spec_fits_a_hundred_columns_with_a_line_a_step(spec: str) -> None:
    for variant in [None, *api.open_source(spec).document.spec.variants]:
        graph = api.load(spec, variant=variant)
        for level in ("stages", "blocks"):
            root = Viewer(graph).view(level)
            lines = drawing(graph, root).splitlines()
            assert max(map(cells, lines)) <= 100
            steps = [line for line in lines if not line or set(line) - set(" │")]  # the others are gaps between lanes
            assert len(steps) == heads(root) + 2


def test_a_step_stands_once_and_below_all_that_it_reads() -> None:
    for graph in graphs():
        rows = outline(graph, Viewer(graph).view("full"))
        place = {row.cell.part.path: k for k, row in enumerate(rows) if row.cell and not row.cell.is_open}
        assert len(place) == len(graph.nodes)
        assert all(place[graph.nodes[ref.node].path] < place[node.path] for node in graph.nodes for ref in node.inputs)


def test_a_line_that_is_not_read_by_the_one_below_is_seen_to_be_so() -> None:
    """In networks without blocks: below it a branch begins, a lane arrives or ends, or a gap stands."""
    for graph in (several(), twice(), load(GATES)):
        rows = outline(graph, Viewer(graph).view("full"))
        for above, below in pairwise(rows):
            if above.cell is None or below.cell is None:
                continue
            readers = {ref.node for ref in graph.nodes[below.cell.first].inputs}
            if readers and above.cell.first not in readers:
                assert set(below.lead) & set("→├╰"), (above.cell.part.path, below.cell.part.path)


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_drawing_is_plain_text_under_hostile_names(kind: str) -> None:
    graph = hostile(HOSTILE[kind])
    root = Viewer(graph).view("full")
    plain, painted = drawing(graph, root), drawing(graph, root, colour=True)
    assert not CONTROL.search(plain)
    assert re.sub(r"\x1b\[\d+m", "", painted) == plain
    assert plain.count("\n") == 5


def test_a_narrow_terminal_gets_narrow_lines() -> None:
    graph = api.load("unet")
    root = Viewer(graph).view("blocks")
    for width in (100, 80, 60, 48):
        assert max(map(cells, drawing(graph, root, width).splitlines())) <= width
    assert "params" in drawing(graph, root, 100)
    assert "params" not in drawing(graph, root, 60)


def test_the_numbers_of_a_drawing_are_those_of_the_network() -> None:
    head, *lines = shown_by(["resnet_v2@resnet200_v2", "--level", "stages"], Path()).splitlines()
    assert lines[-1].split() == ["total", "64,834,472", "15G"]
    end = head.index("params") + len("params")
    numbers = [int(line[end - 11 : end].replace(",", "").strip() or 0) for line in lines]
    assert sum(numbers[:-1]) == numbers[-1] == api.load("resnet_v2@resnet200_v2").summary().params.total


def test_show_draws_and_the_tree_is_still_there() -> None:
    def run(*arguments: str) -> str:
        return CliRunner().invoke(main, ["show", "resnet_v2@resnet50_v2", *arguments], catch_exceptions=False).stdout

    assert run("--level", "stages") == drawing(*opened("resnet_v2@resnet50_v2", "stages"))
    assert run("--all") == run("--level", "full") == drawing(*opened("resnet_v2@resnet50_v2", "full"))
    assert "┃ unit0" in run("--level", "stages", "--expand", "stage2")
    assert "├─ unit0" in run("--tree")
    assert run("--tree", "-d", "1") == run("-d", "1") != run("--tree")
    assert '"path": "stage1"' in run("--json")


@pytest.mark.parametrize(("suffix", "begins"), [(".dot", "// digest "), (".mmd", "---\ntitle: "), (".txt", "unet  ")])
def test_render_writes_text_formats(suffix: str, begins: str, tmp_path: Path) -> None:
    out = tmp_path / f"net{suffix}"
    CliRunner().invoke(main, ["render", "unet", "-o", str(out), "--level", "stages"], catch_exceptions=False)
    assert out.read_text(encoding="utf-8").startswith(begins)


def opened(spec: str, level: str) -> tuple[Graph, Cell]:
    graph = api.load(spec)
    return graph, Viewer(graph).view(level)


def test_two_thousand_layers_are_written_out() -> None:
    graph = chain(2000)
    root = Viewer(graph).view("full")
    assert len(drawing(graph, root).splitlines()) == 2003
    assert dot(graph, root).count(" -> ") >= mermaid(graph, root).count("-->") == 2001


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in DRAWINGS.items():
            (GOLDEN / f"{name}.txt").write_text(shown_by(arguments, Path(folder)), encoding="utf-8")
