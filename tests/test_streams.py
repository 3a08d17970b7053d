"""Networks of several resolutions side by side: each in a stream of its own, every line apart from the others."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from geometry import edges, problems
from speccing import load
from test_random_graphs import network
from test_ushape import boxes, middle, shared, wanted

import resspec
from resspec.diagnostics import SpecError
from resspec.render.figure import Figure
from resspec.render.layout.boxes import Boxes
from resspec.render.layout.compose import Composer
from resspec.render.layout.streams import streams
from resspec.render.scene import Line
from resspec.render.view.view import Viewer

NETWORKS = ["hrnet@hrnet_w18", "unetpp@unetpp", "unetpp@unetpp_ds"]


@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_chosen_and_clean(name: str) -> None:
    graph = resspec.load(name)
    chosen, asked = Figure(graph).scene(), Figure(graph, "streams").scene()
    assert chosen == asked
    assert not problems(chosen)
    assert not shared(chosen)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_edge_is_there_once(name: str) -> None:
    graph = resspec.load(name)
    scene = Figure(graph, "streams", "full").scene()
    assert not problems(scene)
    assert Counter(edges(scene)) == wanted(graph)


def test_a_resolution_is_a_stream() -> None:
    found = boxes(Figure(resspec.load("unetpp")).scene())
    for level in range(4):
        own = [box for path, box in found.items() if path.rpartition("/")[2].startswith(f"x{level}_")]
        assert len(own) == 5 - level
        assert len({round(middle(box)[0]) for box in own}) == 1
        assert all(above.y + above.height < below.y for above, below in pairwise(sorted(own, key=lambda box: box.y)))


def test_a_chain_that_sees_two_back_is_cut_where_two_lines_lead_on() -> None:
    scene = Figure(resspec.load("nasnet")).scene()
    cells = [box for path, box in boxes(scene).items() if "normal" in path]
    assert len({round(middle(box)[0]) for box in cells}) == 3
    ends = {one.id: one.points[-1] for one in scene.walk() if isinstance(one, Line)}
    assert all(ends[one] == ends[other] for one, other in shared(scene))  # they meet above one box


def test_only_what_is_tangled_over_resolutions_is_drawn_so() -> None:
    text = """
        graph:
          - [{conv: 4, as: a}, {relu: , as: b}, {add: [a, b], as: c}, {add: [b, c], as: d}, {add: [c, d]}]
    """
    for graph in (load(text), resspec.load("vgg"), resspec.load("nasnet")):
        with pytest.raises(SpecError):
            Figure(graph, "streams").scene()


def test_random_networks_are_drawn_truly_or_refused() -> None:
    drawn = 0
    for seed in range(400):
        graph = network(seed)
        root = Viewer(graph).view("full")
        if streams(Composer(Boxes(graph, {})), root) is None:
            continue
        scene = Figure(graph, "streams", "full").scene()
        assert not problems(scene), seed
        assert Counter(edges(scene)) == wanted(graph), seed
        drawn += 1
    assert drawn > 2
