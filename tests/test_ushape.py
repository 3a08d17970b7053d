"""U-Nets and hourglasses: levels in rows, horizontal skips, halves that mirror each other."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations, pairwise

import pytest
from geometry import edges, problems
from speccing import load

import resspec
from resspec import api
from resspec.diagnostics import SpecError
from resspec.graph import Graph
from resspec.render.figure import Figure, sizes
from resspec.render.layout.boxes import Boxes
from resspec.render.layout.compose import Composer
from resspec.render.layout.pieces import Piece
from resspec.render.layout.ushape import hourglass, u
from resspec.render.scene import Box, Edge, Line, Scene, Text
from resspec.render.view.view import Viewer


def variants(name: str) -> list[str]:
    return [f"{name}@{variant}" for variant in api.open_source(name).document.spec.variants]


UNETS, HOURGLASSES = variants("unet"), variants("hourglass")

ALIKE = dict.fromkeys(["attention_unet", "unet_efficientnet", "unet_resnet", "linknet", "resunet"], "u")
ALIKE["fpn"] = "hourglass"
"""other families that are drawn so: U-Nets with gates or other encoders, and one whose skips are convolved and added"""

shipped = cache(resspec.load)


@cache
def drawn(name: str) -> Scene:
    return Figure(shipped(name)).scene()


def piece(graph: Graph, level: str = "stages") -> Piece | None:
    composer = Composer(Boxes(graph, sizes(graph, {})))
    root = Viewer(graph).view(level)
    return u(composer, root) or hourglass(composer, root)


def boxes(scene: Scene) -> dict[str, Box]:
    """The box of every cell, by its path."""
    return {one.id.removeprefix("box:"): one for one in scene.walk() if isinstance(one, Box) and one.id[:4] == "box:"}


def middle(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def lines(scene: Scene, target: str, source: str = "") -> list[Line]:
    """The lines to a node or output, all or those from one source."""
    return [
        one
        for one in scene.walk()
        if isinstance(one, Line) and any(e.target == target and source in ("", e.source) for e in one.edges)
    ]


def wanted(graph: Graph) -> Counter[Edge]:
    found = Counter(Edge(graph.path(ref), node.path, k) for node in graph.nodes for k, ref in enumerate(node.inputs))
    return found + Counter(
        Edge(graph.path(ref), f"output:{name}", k) for k, (name, ref) in enumerate(graph.outputs.items())
    )


def shared(scene: Scene) -> list[tuple[str, str]]:
    """Lines that run on each other, or less than 4 px beside, although neither source nor target is the same."""
    ways = []
    for line in (one for one in scene.walk() if isinstance(one, Line) and one.edges):
        for (ax, ay), (bx, by) in pairwise(line.points):
            low, high = sorted((ax, bx) if ay == by else (ay, by))
            ways.append((ay == by, ay if ay == by else ax, low, high, line))
    return [
        (line.id, other.id)
        for (flat, at, low, high, line), (level, there, start, end, other) in combinations(ways, 2)
        if flat == level
        and abs(at - there) < 4
        and min(high, end) - max(low, start) > 12
        and not {e.source for e in line.edges} & {e.source for e in other.edges}
        and not {e.target for e in line.edges} & {e.target for e in other.edges}
    ]


@pytest.mark.parametrize("variant", ["attention_unet", "r2_attention_unet"])
@pytest.mark.parametrize("shapes", ["change", "all"])
def test_gates_stand_on_the_skips(variant: str, shapes: str) -> None:
    """What a gate reads besides the skip comes from below, where it goes on to the merge."""
    scene = Figure(shipped(f"attention_unet@{variant}"), shapes=shapes).scene()
    assert not problems(scene)
    found = boxes(scene)
    for k in range(4):
        gate = found[f"dec{k}/gate"]
        ends = [line.points[-1] for line in scene.walk() if isinstance(line, Line)]
        x, y = middle(gate)
        for place in ((x, gate.y + gate.height), (gate.x, y)):
            assert sum(end == pytest.approx(place, abs=0.2) for end in ends) == 1


# -- which networks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*UNETS, *HOURGLASSES, *sorted({*resspec.shipped()} - {"unet", "hourglass"})])
def test_they_are_chosen_for_what_they_are(name: str) -> None:
    graph = shipped(name)
    composer, root = Composer(Boxes(graph, sizes(graph, {}))), Viewer(graph).view("stages")
    applies = [family.__name__ for family in (u, hourglass) if family(composer, root) is not None]
    family = "u" if name in UNETS else "hourglass" if name in HOURGLASSES else ALIKE.get(name)
    assert applies == ([family] if family else [])


CONV = "{conv: {filters: 8, kernel_size: 3, padding: same}"
HEAD = "resspec: 1\ninputs: {image: [64, 64, 3]}\ngraph:\n"
ENCODER = (
    f"  - [{CONV}, as: a}}, max_pool: 2, {CONV}, as: b}}, max_pool: 2, {CONV}, as: c}}, {{upsample: 2, as: up}}]\n"
)
DECODER = f"  - [concat: [b, up], {CONV}, as: d}}, upsample: 2, concat: [a, prev], {CONV}, as: e}}]\n"
PLAIN = HEAD + ENCODER + DECODER

NO_NESTS = {
    "one level": HEAD + f"  - [{CONV}, as: a}}, max_pool: 2, {CONV}, as: b}}, upsample: 2, concat: [a, prev]]",
    "no skips": HEAD + "  - [max_pool: 2, max_pool: 2, upsample: 2, upsample: 2]",
    "U-Net++": HEAD
    + f"  - [{CONV}, as: x0}}, max_pool: 2, {CONV}, as: x1}}, {{max_pool: 2, as: x2}}]\n"
    + "  - [{upsample: 2, from: x1}, {concat: [x0, prev], as: y0}]\n"
    + "  - [{upsample: 2, from: x2}, {concat: [x1, prev]}, {upsample: 2}, {concat: [x0, y0, prev]}]",
    "squeeze and excite": HEAD
    + "  - [{conv: 8, as: a}, global_avg_pool, reshape: [1, 1, 8], {dense: 8}, multiply: {of: [a, prev], broadcast: true}]\n"
    + "  - [{conv: 8, as: b}, global_avg_pool, reshape: [1, 1, 8], {dense: 8}, multiply: {of: [b, prev], broadcast: true}]",
}


@pytest.mark.parametrize("name", NO_NESTS)
def test_what_is_no_nest_is_left_to_the_spine(name: str) -> None:
    graph = load(NO_NESTS[name])
    assert piece(graph) is None
    assert not problems(Figure(graph).scene())
    with pytest.raises(SpecError) as caught:
        Figure(graph, "u").scene()
    assert caught.value.diagnostics[0].code == "family-refused"


def several(count: int) -> str:
    """U-Nets in a chain: what one merges last is what the next begins with."""
    text = HEAD + f"  - [{CONV}, as: e0}}]\n"
    for i in range(count):
        text += f"  - [max_pool: 2, {CONV}, as: b{i}}}, max_pool: 2, {CONV}}}, upsample: 2]\n"
        text += f"  - [concat: [b{i}, prev], upsample: 2, {{concat: [e{i}, prev], as: e{i + 1}}}]\n"
    return text


NESTS = {
    "plain": PLAIN,
    "1D": PLAIN.replace("[64, 64, 3]", "[64, 3]"),
    "unknown sizes": PLAIN.replace("[64, 64, 3]", "[H, W, 3]").replace("concat: [b, up]", "concat: {of: [b, up], align: crop}")
    .replace("concat: [a, prev]", "concat: {of: [a, prev], align: crop}"),
    "LinkNet": (HEAD + ENCODER + DECODER).replace("concat", "add"),
    "supervised levels": PLAIN + "  - {conv: 1, from: d, as: side, output: true}\n  - {conv: 1, from: e, as: main, output: true}",
    "pyramid": HEAD
    + "  - [{conv: 8, as: a}, {max_pool: 2, as: b}, max_pool: 2, {conv: 8, as: c}, {conv: 4, as: p3, output: true}]\n"
    + "  - [{conv: 8, from: b, as: side2}, {upsample: 2, from: c}, {add: [side2, prev], as: m2}]\n"
    + "  - [{conv: 4, as: p2, output: true}, {conv: 8, from: a, as: side1}, {upsample: 2, from: m2}]\n"
    + "  - [{add: [side1, prev]}, {conv: 4, as: p1, output: true}]",
    "skip over all": PLAIN + "  - add: [a, prev]",
    "skip over more": HEAD + "  - {conv: 8, as: stem}\n" + ENCODER + DECODER + "  - [add: [stem, prev], relu]",
    "three in a row": several(3),
    "branches at the bottom": HEAD
    + f"  - [{CONV}, as: a}}, max_pool: 2, {CONV}, as: b}}, {{max_pool: 2, as: m}}]\n"
    + f"  - [{CONV}, as: k0}}, {CONV}, from: m, as: k1}}, {CONV}, from: m, as: k2}}, concat: [k0, k1, k2], {{upsample: 2, as: up}}]\n"
    + DECODER,
    "a bare bottom": HEAD
    + f"  - [{CONV}, as: a}}, max_pool: 2, {CONV}, as: b}}, max_pool: 2, upsample: 2, concat: [b, prev]]\n"
    + "  - [upsample: 2, concat: [a, prev]]",
}  # fmt: skip


@pytest.mark.parametrize("shapes", ["change", "all"])
@pytest.mark.parametrize("name", NESTS)
def test_what_is_a_nest_is_drawn_as_one(name: str, shapes: str) -> None:
    graph = load(NESTS[name])
    assert piece(graph) is not None
    scene = Figure(graph, shapes=shapes).scene()
    assert not problems(scene)
    assert not shared(scene)
    assert Counter(edges(scene)) == wanted(graph)
    merges = [node.path for node in graph.nodes if len(node.inputs) > 1]
    flat = [one for path in merges for one in lines(scene, path) if len({at for _, at in one.points}) == 1]
    assert len(flat) >= 2


# -- drawings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*UNETS, *HOURGLASSES, *ALIKE])
def test_the_default_figure_is_clean_and_fits_a_page(name: str) -> None:
    scene = drawn(name)
    assert not problems(scene)
    assert not shared(scene)
    assert 0.5 <= scene.width / scene.height <= 2
    assert max(scene.width, scene.height) <= 4000
    assert max(Counter(edges(scene)).values()) == 1


@pytest.mark.parametrize("name", [*UNETS, "hourglass@hourglass1", "hourglass@hourglass2"])
def test_with_every_layer_every_edge_is_there_once(name: str) -> None:
    graph = shipped(name)
    family = "u" if name in UNETS else "hourglass"
    scene = Figure(graph, family, "full").scene()
    assert not problems(scene)
    assert Counter(edges(scene)) == wanted(graph)


@pytest.mark.parametrize("name", UNETS)
def test_encoder_and_decoder_of_a_resolution_share_a_row(name: str) -> None:
    found = boxes(drawn(name))
    depth = sum("skip" in path for path in found)
    assert depth == (3 if name == "unet@unet3d" else 4)
    rows = []
    for k in range(depth):
        down, up = found[f"enc{k}/skip{k}"], found[f"dec{depth - 1 - k}/double"]
        assert middle(down)[1] == pytest.approx(middle(up)[1], abs=0.2)
        assert down.width == up.width
        rows.append(middle(down)[1])
        pool, back = found[f"enc{k}/max_pool0"], found[f"dec{depth - 1 - k}/up"]
        assert middle(pool)[1] == pytest.approx(middle(back)[1], abs=0.2)
    assert rows == sorted(rows)
    assert all(middle(found["bottom"])[1] > row for row in rows)


@pytest.mark.parametrize("name", UNETS)
def test_skips_are_horizontal_and_say_what_they_crop(name: str) -> None:
    scene = drawn(name)
    found = boxes(scene)
    merges = [path for path in found if path.endswith("/concat0")]
    assert len(merges) == (3 if name == "unet@unet3d" else 4)
    for merge in merges:
        _, y = middle(found[merge])
        crop = f"{merge}/crop0"
        ends = [{at for _, at in line.points} for line in lines(scene, merge)]
        assert [len(heights) for heights in ends].count(1) == 1
        assert next(heights.pop() for heights in map(set, ends) if len(heights) == 1) == pytest.approx(y, abs=0.2)
        if crop in found:
            (before,) = lines(scene, crop)
            assert {at for _, at in before.points} in ends
    words = [one.text for one in scene.walk() if isinstance(one, Text)]
    crops = [text for text in words if text.startswith("crop")]
    assert crops == {
        "unet@unet": ["crop 4, 4", "crop 16, 16", "crop 40, 40", "crop 88, 88"][::-1],
        "unet@unet3d": ["crop 4, 4, 4", "crop 16, 16, 16", "crop 40, 40, 40"][::-1],
    }.get(name, [])


@pytest.mark.parametrize("name", HOURGLASSES)
def test_an_hourglass_mirrors_itself(name: str) -> None:
    found = boxes(drawn(name))
    stacks = sum(path.endswith("/glass/low1") for path in found)
    assert stacks == int("".join(c for c in name.removesuffix("_bearpaw") if c.isdigit()))
    for i in range(stacks):
        block = f"stack{i}/glass"
        centre = middle(found[f"{block}/upper"])[0]
        for depth in range(4):
            pairs = [("max_pool0", "upsample0")] + ([("low1", "low3")] if depth < 3 else [])
            for left, right in ((found[f"{block}/{a}"], found[f"{block}/{b}"]) for a, b in pairs):
                assert abs(left.x - centre - (centre - right.x - right.width)) < 1
                assert abs(left.x + left.width - centre - (centre - right.x)) < 1
                assert abs(left.y - right.y) < 1
            upper = found[f"{block}/upper"]
            assert abs(middle(upper)[0] - centre) < 1
            assert middle(upper)[1] == pytest.approx(middle(found[f"{block}/add0"])[1], abs=0.2)
            block += "/inner"


def test_stacks_stand_in_rows_and_their_heatmaps_are_drawn() -> None:
    scene = drawn("hourglass@hourglass8")
    found = boxes(scene)
    tops = [found[f"stack{i}/glass/upper"] for i in range(8)]
    rows = sorted({box.y for box in tops})
    assert len(rows) < 4
    for row in rows:
        here = [box.x for box in tops if box.y == row]
        assert here == sorted(here)
    for i in range(8):
        assert len(lines(scene, f"output:heatmap{i}")) == 1
    assert len(lines(scene, "stack0/add0", "entry3/add0")) == 1
    one_row = boxes(drawn("hourglass@hourglass2"))
    assert one_row["stack0/glass/upper"].y == one_row["stack1/glass/upper"].y


@pytest.mark.parametrize("level", ["stages", "blocks"])
def test_levels_are_boxes_until_more_is_asked_for(level: str) -> None:
    closed = Figure(shipped("unet@unet"), level=level)
    assert not any(box.mark == "frame" for box in boxes(closed.scene()).values())
    opened = Figure(shipped("unet@unet"), level=level, expand=("dec0/double", "enc1/skip1")).scene()
    frames = [path for path, box in boxes(opened).items() if box.mark == "frame"]
    assert sorted(frames) == ["dec0/double", "enc1/skip1"]
    assert not problems(opened)


def test_what_stands_in_a_decoder_flows_upwards() -> None:
    scene = Figure(shipped("unet@unet"), "u", "full").scene()
    found = boxes(scene)
    for name in ("first", "second"):
        assert middle(found[f"dec0/double/{name}/weight"])[1] > middle(found[f"dec0/double/{name}/relu0"])[1]
        assert middle(found[f"enc0/skip0/{name}/weight"])[1] < middle(found[f"enc0/skip0/{name}/relu0"])[1]


def test_a_parameter_can_make_it_no_nest() -> None:
    shallow = resspec.load("unet", depth=1)
    assert piece(shallow) is None
    assert piece(resspec.load("unet", depth=2)) is not None
    assert piece(resspec.load("hourglass", depth=2, stacks=1)) is not None
