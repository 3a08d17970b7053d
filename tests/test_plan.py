"""The layout `plan`: slabs to scale, words below, ways around above, rows on a page of a fair shape."""

from __future__ import annotations

from collections import Counter

import geometry
import pytest
from speccing import load
from test_random_graphs import network

import resspec
from resspec.graph import Graph
from resspec.render.layout.boxes import Boxes
from resspec.render.layout.compose import Composer
from resspec.render.layout.page import page
from resspec.render.layout.plan import CAPTION, plan
from resspec.render.scene import Box, Scene, Text
from resspec.render.view.view import Viewer

SHIPPED = ["alexnet", "vgg", "resnet", "resnet@plain34", "resnet_v2", "resnet_cifar", "densenet", "densenet_cifar"]


def figure(graph: Graph, level: str = "blocks") -> Scene | None:
    at = {name: domain.near(572)[0] or domain.smallest() for name, domain in graph.domains.items()}
    piece = plan(Composer(Boxes(graph, at)), Viewer(graph).view(level))
    return None if piece is None else page(graph, piece, at)


def scene_of(name: str, level: str = "blocks") -> Scene:
    scene = figure(resspec.load(name), level)
    assert scene is not None
    return scene


def slabs(scene: Scene) -> dict[str, Box]:
    boxes = (box for box in scene.walk() if isinstance(box, Box) and box.id.startswith("box:"))
    return {box.id.removeprefix("box:"): box for box in boxes if box.mark != "frame"}


def words(scene: Scene) -> list[str]:
    return [text.text for text in scene.walk() if isinstance(text, Text)]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("level", ["stages", "blocks"])
def test_drawing_is_clean_and_the_page_fair(name: str, level: str) -> None:
    scene = scene_of(name, level)
    assert geometry.problems(scene) == []
    assert 0.5 <= scene.width / scene.height <= 2
    assert set(CAPTION) <= set(words(scene))


def test_sizes_are_monotone() -> None:
    for name in ("vgg", "resnet", "densenet"):
        graph = resspec.load(name)
        found = []
        for path, box in slabs(scene_of(name, "full")).items():
            ref = graph.find(path)
            if ref is not None and box.width > 4:  # strips have no scale
                shape = graph.spec(ref).shape
                found.append((max(shape[:-1], default=1), shape[-1], box.height, box.width))
        assert len({high for _, _, high, _ in found}) > 4
        for size, channels, high, wide in found:
            assert all((size < other[0]) == (high < other[2]) for other in found)
            assert all((channels < other[1]) == (wide < other[3]) for other in found)


def test_widths_counts_and_strides_are_written() -> None:
    said = words(scene_of("resnet_v2"))
    for line in ("[128, 128, 512] ×23", "[256, 256, 1024] ×35", "[512, 512, 2048] ×2", "unit0, /2", "14×14×1024"):
        assert line in said
    assert "[128, 32] ×12" in words(scene_of("densenet"))
    assert "2 × conv 3×3" in words(scene_of("vgg"))


def test_units_have_their_way_around_and_plain_ones_have_none() -> None:
    roles = [line.role for line in scene_of("resnet").walk() if hasattr(line, "points")]
    assert (roles.count("identity"), roles.count("projection")) == (5, 5)  # four units fold to one, and the legend
    assert not {"identity", "projection"} & {line.role for line in scene_of("resnet@plain34").walk()}


@pytest.mark.parametrize("name", ["alexnet", "unet", "vgg"])
def test_every_edge_is_drawn_once(name: str) -> None:
    graph = resspec.load(name)
    scene = figure(graph, "stages" if name == "unet" else "full")
    assert scene is not None
    drawn = [(edge.source, edge.target, edge.operand) for edge in geometry.edges(scene)]
    assert len(drawn) == len(set(drawn))
    if name != "unet":  # its blocks are closed
        real = {(graph.path(ref), node.path, k) for node in graph.nodes for k, ref in enumerate(node.inputs)}
        assert {edge for edge in drawn if not edge[1].startswith("output:")} == real


def test_what_does_not_fit_is_refused() -> None:
    assert figure(resspec.load("unet"), "full") is None  # skips leave no place to break the row
    text = "resspec: 1\ninputs: {image: [H, W, 3]}\ngraph: [{conv: 4}]\n"
    graph = load(text)
    assert plan(Composer(Boxes(graph, {})), Viewer(graph).view()) is None


def test_an_edge_that_passes_slabs_has_a_lane_above_them() -> None:
    text = """
        graph:
          - {conv: {filters: 8, kernel_size: 3, padding: same}, as: a}
          - {conv: {filters: 8, kernel_size: 3, padding: same}, as: b}
          - {conv: {filters: 8, kernel_size: 3, padding: same}, as: c}
          - concat: [a, b, c]
    """
    scene = figure(load(text))
    assert scene is not None
    assert geometry.problems(scene) == []
    lanes = [line for line in scene.walk() if getattr(line, "role", "") == "identity" and not line.id.startswith("leg")]
    top = min(box.y for path, box in slabs(scene).items() if path in "abc")
    assert len(lanes) == 2
    assert all(min(y for _, y in line.points) < top for line in lanes)


def test_outputs_are_named() -> None:
    assert "logits" in words(scene_of("resnet"))
    assert {"heatmap0", "heatmap1"} <= set(words(scene_of("hourglass")))


@pytest.mark.parametrize("start", range(0, 100, 50))
def test_random_networks_are_drawn_truly_or_refused(start: int) -> None:
    drawn = 0
    for seed in range(start, start + 50):
        graph = network(seed)
        scene = figure(graph, "full")
        if scene is None:
            continue
        drawn += 1
        real = Counter((graph.path(ref), node.path, k) for node in graph.nodes for k, ref in enumerate(node.inputs))
        ends = enumerate(graph.outputs.items())
        real.update((graph.path(ref), f"output:{name}", k) for k, (name, ref) in ends)
        found = Counter((edge.source, edge.target, edge.operand) for edge in geometry.edges(scene))
        assert not geometry.problems(scene), seed
        assert not found - real, seed
    assert drawn > 25


def test_the_same_network_gives_the_same_scene() -> None:
    assert scene_of("resnet_v2") == scene_of("resnet_v2")
