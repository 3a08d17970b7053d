"""The layout `arcs`: dense blocks are found, every layer has an arc to every later one, sums are written."""

from __future__ import annotations

from collections import Counter

import geometry
import pytest
from speccing import load

import resspec
from resspec.graph import Graph
from resspec.render.layout.arcs import ARCS, BUS, arcs
from resspec.render.layout.arcs_dense import Dense, items
from resspec.render.layout.boxes import Boxes
from resspec.render.layout.compose import Composer
from resspec.render.layout.page import page
from resspec.render.scene import Line, Scene, Text
from resspec.render.view.view import Viewer

SHIPPED = ["densenet", "densenet@densenet201", "densenet_cifar", "densenet_cifar@densenet_40_12"]

DENSE = """
resspec: 1
inputs: {image: [8, 8, 6]}
blocks:
  layer: [batch_norm, relu, {conv: {filters: 4, kernel_size: 3, padding: same}, as: new}, concat: [in, new]]
graph:
  - {repeat: %d, do: [{layer: , as: layer$i}]}
  - global_avg_pool
"""


def figure(graph: Graph, level: str = "blocks") -> Scene | None:
    piece = arcs(Composer(Boxes(graph, {})), Viewer(graph).view(level))
    return None if piece is None else page(graph, piece, {})


def scene_of(graph: Graph, level: str = "blocks") -> Scene:
    scene = figure(graph, level)
    assert scene is not None
    return scene


def lines(scene: Scene) -> list[Line]:
    return [line for line in scene.walk() if isinstance(line, Line)]


def words(scene: Scene) -> list[str]:
    return [text.text for text in scene.walk() if isinstance(text, Text)]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("level", ["stages", "blocks", "full"])
def test_drawing_is_clean_and_the_page_fair(name: str, level: str) -> None:
    scene = scene_of(resspec.load(name), level)
    assert geometry.problems(scene) == []
    assert 0.5 <= scene.width / scene.height <= 2


def test_dense_blocks_are_found() -> None:
    graph = resspec.load("densenet@densenet201")
    found = [one for one in items(graph, Viewer(graph).view()) if isinstance(one, Dense)]
    assert [len(one.units) for one in found] == [6, 12, 48, 32]
    assert [one.around.path for one in found] == ["block1", "block2", "block3", "block4"]


@pytest.mark.parametrize("count", range(2, 9))
def test_every_layer_has_an_arc_to_every_later_one(count: int) -> None:
    scene = scene_of(load(DENSE % count))
    drawn = Counter(line.role for line in lines(scene) if line.curved and len(line.points) == 3)
    assert drawn == {f"arc{source}": count - source for source in range(count)}  # source 0 is the input
    assert geometry.problems(scene) == []


def test_longer_blocks_are_folded() -> None:
    scene = scene_of(load(DENSE % 9))
    assert not any(line.curved for line in lines(scene))
    said = words(scene)
    assert "6 more" in said
    assert BUS in said
    assert [text for text in said if "=" in text] == ["6 + 4 = 10", "10 + 4 = 14", "38 + 4 = 42"]


def test_sums_of_channels_are_written() -> None:
    said = words(scene_of(resspec.load("densenet")))
    for total in ("64 + 32 = 96", "224 + 32 = 256", "256 + 32 = 288", "480 + 32 = 512", "992 + 32 = 1024"):
        assert total in said
    assert "block1: 6 layers, +32 each" in said
    assert f"{ARCS}; {BUS}" in said


def test_arcs_do_not_cross_at_their_ends_and_stay_above_the_layers() -> None:
    scene = scene_of(resspec.load("densenet"))
    found = [line for line in lines(scene) if line.curved and len(line.points) == 3]
    assert len(found) == 21
    for line in found:
        (ax, _), (_, apex), (bx, top) = line.points
        assert ax < bx
        assert apex < top - 10
    for one in found:
        for two in found:
            if one.points[0][0] < two.points[0][0] and abs(one.points[2][0] - two.points[2][0]) < 50:
                assert one.points[2][0] > two.points[2][0]  # what comes from farther ends farther to the right


def test_lines_other_than_arcs_carry_real_edges_once() -> None:
    graph = load(DENSE % 4)
    real = {(graph.path(ref), node.path, k) for node in graph.nodes for k, ref in enumerate(node.inputs)}
    real |= {(graph.path(ref), f"output:{name}", k) for k, (name, ref) in enumerate(graph.outputs.items())}
    found = [
        (edge.source, edge.target, edge.operand)
        for line in lines(scene_of(graph))
        for edge in line.edges
        if not line.curved
    ]
    assert len(found) == len(set(found))
    assert set(found) <= real
    assert {edge for edge in real if edge[1].endswith("concat0")} <= set(found)


def test_networks_without_dense_blocks_are_refused() -> None:
    for name in ("resnet", "vgg", "unet"):
        assert figure(resspec.load(name)) is None


def test_what_runs_beside_a_dense_block_is_refused() -> None:
    text = DENSE % 3
    text = text.replace("  - global_avg_pool", "  - concat: [image, prev]")
    assert figure(load(text)) is None
    assert figure(load(DENSE % 3)) is not None


def test_the_same_network_gives_the_same_scene() -> None:
    assert scene_of(resspec.load("densenet")) == scene_of(resspec.load("densenet"))
