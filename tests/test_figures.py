"""Figures as drawings: nothing overlaps, nothing is left out, nothing is invented."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from geometry import edges, problems
from speccing import load
from test_random_graphs import network

import resspec
from resspec.api import Network
from resspec.diagnostics import SpecError
from resspec.graph import Graph
from resspec.render.figure import FAMILIES, Figure
from resspec.render.formats import SUFFIXES, draw
from resspec.render.paint.painters import Options
from resspec.render.paint.svg import svg
from resspec.render.scene import Box, Edge, Line, Scene, Text
from resspec.render.view.view import LEVELS, MOST, Viewer

SHIPPED = resspec.shipped()
NETWORKS: dict[str, Network] = {}


def shipped(name: str) -> Network:
    if name not in NETWORKS:
        NETWORKS[name] = resspec.load(name)
    return NETWORKS[name]


def wanted(graph: Graph) -> Counter[Edge]:
    """Every edge of a graph, and those to its outputs."""
    found = Counter(Edge(graph.path(ref), node.path, k) for node in graph.nodes for k, ref in enumerate(node.inputs))
    return found + Counter(
        Edge(graph.path(ref), f"output:{name}", k) for k, (name, ref) in enumerate(graph.outputs.items())
    )


def texts(scene: Scene) -> list[str]:
    return [one.text for one in scene.walk() if isinstance(one, Text)]


@pytest.mark.parametrize(
    ("family", "level"),
    [(family, level) for family in FAMILIES for level in LEVELS if family != "full" or level == "full"],
)
@pytest.mark.parametrize("name", SHIPPED)
def test_a_figure_is_clean(name: str, level: str, family: str) -> None:
    try:
        scene = Figure(shipped(name), family, level).scene()
    except SpecError as error:
        assert [one.code for one in error.diagnostics] == ["family-refused"]
        assert family != "spine"
        return
    assert not problems(scene)
    if level in ("stages", "blocks") and family != "full":
        assert max(scene.width, scene.height) <= 4000


@pytest.mark.parametrize("name", SHIPPED)
def test_the_figure_that_is_chosen_fits_a_page(name: str) -> None:
    scene = Figure(shipped(name)).scene()
    assert not problems(scene)
    assert 0.5 <= scene.width / scene.height <= 2
    assert max(scene.width, scene.height) <= 4000


@pytest.mark.parametrize("name", SHIPPED)
def test_an_unfolded_figure_has_every_edge_once(name: str) -> None:
    assert Counter(edges(Figure(shipped(name), "full").scene())) == wanted(shipped(name))


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_networks_are_drawn_truly(start: int) -> None:
    for seed in range(start, start + 50):
        graph = network(seed)
        scene = Figure(graph, "full").scene()
        assert not problems(scene), seed
        assert Counter(edges(scene)) == wanted(graph), seed
        assert not problems(Figure(graph, "spine").scene()), seed


@pytest.mark.parametrize(
    "text",
    [
        "graph: [{conv: 3, as: a}, {add: [a, a]}]",
        "graph: [{conv: 3, as: a, share: k}, {conv: 3, share: k}, {add: [a, prev, image]}]",
        "resspec: 1\ninputs: {a: [8, 8, 3], b: [8, 8, 3]}\n"
        "graph: [{conv: 4, from: a, as: x, output: true}, {conv: 4, from: b, as: y, output: true}, "
        "{concat: [x, y], as: z, output: true}]",
        "resspec: 1\ninputs: {t: [5, 4]}\ngraph: [{lstm: {units: 3, return_sequences: true, return_state: true}, as: l},"
        " {dense: 3, from: l.hidden, as: h, output: true}, {dense: 3, from: l.output, as: s, output: true}]",
    ],
)
def test_parallel_edges_shared_layers_several_inputs_and_outputs(text: str) -> None:
    graph = load(text)
    scene = Figure(graph, "full").scene()
    assert not problems(scene)
    assert Counter(edges(scene)) == wanted(graph)


def test_folds_say_how_often() -> None:
    scene = Figure(shipped("resnet_v2")).scene()
    assert [text for text in texts(scene) if text.startswith("\N{MULTIPLICATION SIGN}")] == ["×2", "×23", "×35", "×2"]
    assert sum(isinstance(one, Box) and one.mark not in ("frame", "badge") for one in scene.walk()) <= MOST
    dense = Figure(resspec.load("densenet@densenet201"), "spine").scene()
    assert [text for text in texts(dense) if text.startswith("\N{MULTIPLICATION SIGN}")] == ["×6", "×12", "×48", "×32"]


def test_a_fold_holds_equal_blocks_in_a_chain_only() -> None:
    text = """
        blocks: {b: [{conv: {filters: 3, kernel_size: 3, padding: 1}}, relu]}
        graph:
          - {repeat: 4, as: u$i, do: [{b: , as: x}]}
          - {add: [prev, u1]}
    """
    runs = [[part.path for part in cell.run] for cell in Viewer(load(text)).view("stages").cells]
    assert runs == [["image"], ["u0", "u1"], ["u2", "u3"], ["add0"]]


def test_skips_are_told_apart() -> None:
    scene = Figure(shipped("resnet_v2"), "spine").scene()
    roles = Counter(one.role for one in scene.walk() if isinstance(one, Line) and not one.id.startswith("legend"))
    assert roles["identity"] == 4
    assert roles["projection"] == 8  # into the four convolutions, and out of them


@pytest.mark.parametrize(("norm", "role"), [("none", "activation"), ("batch", "norm")])
def test_a_block_of_small_ops_looks_like_the_foremost(norm: str, role: str) -> None:
    chapter = Path(__file__).parent.parent / "specs" / "chapter" / "mlp.yaml"
    scene = Figure(resspec.load(chapter, norm=norm), "spine").scene()
    roles = {one.role for one in scene.walk() if isinstance(one, Box)}
    assert roles & {"activation", "norm"} == {role}


def test_levels_show_more_and_more() -> None:
    boxes = [Viewer(shipped("resnet_v2")).view(level).boxes() for level in LEVELS]
    assert boxes == sorted(boxes)
    assert boxes[-1] == len(shipped("resnet_v2").nodes)


def test_what_does_not_exist_is_refused() -> None:
    for figure in (
        Figure(shipped("vgg"), "spin"),
        Figure(shipped("vgg"), level="layer"),
        Figure(shipped("vgg"), expand=("block9",)),
    ):
        with pytest.raises(SpecError) as caught:
            figure.scene()
        assert caught.value.diagnostics[0].code == "unknown-name"


def test_the_same_spec_gives_the_same_bytes() -> None:
    code = (
        "import resspec, hashlib, json; from resspec.render.figure import Figure; from resspec.render.paint.svg import svg;"
        "print(json.dumps([hashlib.sha256(svg(Figure(resspec.load(n)).scene()).encode()).hexdigest()"
        " for n in ('unet', 'resnet', 'densenet', 'hourglass')]))"
    )
    found = set()
    for seed in ("0", "1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert len(json.loads(found.pop())) == 4


def test_a_change_of_one_number_changes_few_lines() -> None:
    text = "graph: [{conv: 8, as: a}, relu, {conv: FILTERS, as: b}, relu, {dense: 3}]"
    one, two = (svg(Figure(load(text.replace("FILTERS", number))).scene()).splitlines() for number in ("16", "17"))
    assert len(one) == len(two)
    assert 0 < sum(a != b for a, b in zip(one, two)) < 20


def test_a_chain_of_two_thousand_is_drawn() -> None:
    graph = load("graph: [{repeat: 2000, do: [relu]}]")
    scene = Figure(graph, "full").scene()
    assert len(edges(scene)) == 2001


def test_a_network_draws_itself_without_keras() -> None:
    code = (
        "import sys, resspec; from resspec.render.figure import Figure; from resspec.render.paint.svg import svg;"
        "svg(Figure(resspec.load('unet')).scene()); assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_block_is_opened_with_those_around_it() -> None:
    root = Figure(shipped("resnet_v2"), level="stages", expand=("stage2/unit0",)).root()
    (stage,) = [cell for cell in root.cells if cell.is_open]
    assert [cell.part.path for cell in stage.cells if cell.is_open] == ["stage2/unit0"]


@pytest.mark.parametrize("width_mm", [85, 174])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_column_of_a_paper_holds_a_figure(name: str, width_mm: float) -> None:
    content = draw(Figure(shipped(name)), ".pdf", Options(width_mm=width_mm))
    assert content.startswith(b"%PDF")


def test_the_gallery_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parent.parent / "tools"))
    from make_gallery import stale

    assert not stale(), "run `make gallery`"


def test_every_format_of_every_spec_needs_nothing_of_the_machine(tmp_path: Path) -> None:
    """Without a home, programs, fonts of its own choice or a display; the same bytes as with them."""
    code = (
        "import hashlib, json, resspec\n"
        "from resspec.render.figure import Figure\n"
        "from resspec.render.formats import SUFFIXES, draw\n"
        "from resspec.render.paint.painters import Options\n"
        "print(json.dumps({f'{name}{suffix}': hashlib.sha256(draw(Figure(resspec.load(name)), suffix,"
        " Options(scale=0.5))).hexdigest() for name in resspec.shipped() for suffix in SUFFIXES}))"
    )
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "FONTCONFIG_PATH": str(tmp_path), "LC_ALL": "C"}
    found = []
    for environment in (dict(os.environ), bare):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, check=True, text=True
        )
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]
    assert len(found[0]) == len(SHIPPED) * len(SUFFIXES)
