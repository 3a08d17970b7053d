"""Two networks side by side: bands of equal resolution, partners in rows, marks where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import geometry
import pytest
from hypothesis import given
from hypothesis import strategies as st
from speccing import load
from test_random_graphs import network

import resspec
from resspec.graph import Graph
from resspec.render.figure import sizes
from resspec.render.layout.compare import ALONE, CHANGED, compare
from resspec.render.layout.compare_rows import aligned, bands, sides
from resspec.render.scene import Box, Group, Line, Scene, Text

PAIRS = [
    ("resnet@plain34", "resnet@resnet34"),
    ("unet@unet", "unet@unet_same"),
    ("unet@unet", "unet@unet3d"),
    ("resnet@resnet50", "resnet_v2@resnet50_v2"),
    ("resnet@resnet18", "resnet@resnet152"),
    ("vgg@vgg16", "vgg@vgg19"),
    ("alexnet@alexnet", "alexnet@alexnet_one_group"),
    ("densenet", "resnet"),
    ("hourglass@hourglass1", "hourglass@hourglass8"),
]


@dataclass(frozen=True)
class Shown:
    """A box of a comparison: where it stands and what is written in it."""

    side: str
    box: Box
    words: tuple[str, ...]
    badge: str


def scene_of(left: Graph, right: Graph) -> Scene:
    return compare(left, right, sizes(left, {}), sizes(right, {}))


def shipped(left: str, right: str) -> Scene:
    return scene_of(resspec.load(left), resspec.load(right))


def shown(scene: Scene) -> list[Shown]:
    found = []
    for group in scene.groups():
        if group.id.startswith("cell:"):
            boxes = [item for item in group.items if isinstance(item, Box) and item.mark != "badge"]
            texts = [item for item in group.items if isinstance(item, Text)]
            badge = "".join(text.text for text in texts if text.role == "badge")
            found.append(Shown(group.id.split(":")[1], boxes[0], tuple(text.text for text in texts), badge))
    return found


def ground(scene: Scene) -> list[tuple[Box, str]]:
    groups = [group for group in scene.groups() if group.id.startswith("band:")]
    return [(group.items[0], group.items[1].text) for group in groups]  # type: ignore[misc, union-attr]


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_drawing_is_clean_and_the_page_fair(left: str, right: str) -> None:
    scene = shipped(left, right)
    assert geometry.problems(scene) == []
    assert 0.5 <= scene.width / scene.height <= 2


def test_equal_resolution_shares_a_band() -> None:
    scene = shipped("resnet@plain34", "resnet@resnet34")
    assert [name for _, name in ground(scene)] == [
        "224×224", "112×112", "56×56", "28×28", "14×14", "7×7", "vector",
    ]  # fmt: skip
    for band, name in ground(scene):
        inside = [one for one in shown(scene) if band.y <= one.box.y < band.y + band.height]
        assert {one.side for one in inside} == {"left", "right"}
        if name == "28×28":
            titles = [one.words[0] for one in inside if one.side == "left"]
            assert titles == ["stage2: unit0", "stage2: unit1 .. unit3"]


def test_partners_stand_in_one_row() -> None:
    scene = shipped("resnet@plain34", "resnet@resnet34")
    rows: dict[float, list[Shown]] = {}
    for one in shown(scene):
        rows.setdefault(one.box.y, []).append(one)
    assert all(len(row) == 2 and row[0].words[0] == row[1].words[0] for row in rows.values())


def test_differences_are_marked() -> None:
    scene = shipped("resnet@plain34", "resnet@resnet34")
    for one in shown(scene):
        unit = "unit" in one.words[0]
        assert (CHANGED in one.badge) == unit
    entries = {entry.text for entry in scene.legend}
    assert f"{CHANGED} differs from its partner" in entries
    assert not any(text.startswith(ALONE) for text in entries)


def test_stretches_of_another_length_are_marked() -> None:
    changed = [one for one in shown(shipped("vgg@vgg16", "vgg@vgg19")) if CHANGED in one.badge]
    assert [(one.side, one.words[0]) for one in changed] == [
        (side, f"conv 3×3, {filters}") for side in ("left", "right") for filters in (256, 512, 512)
    ]
    assert [one.badge.split()[0] for one in changed] == ["×3"] * 3 + ["×4"] * 3


def test_what_only_one_side_has_is_marked() -> None:
    crops = [one for one in shown(shipped("unet@unet", "unet@unet_same")) if one.words[0].startswith("crop")]
    assert [(one.side, one.badge) for one in crops] == [("left", ALONE)] * 4


def test_a_network_beside_itself_has_no_mark() -> None:
    for name in ("resnet", "unet", "densenet"):
        graph = resspec.load(name)
        scene = scene_of(graph, graph)
        assert not any(CHANGED in one.badge or ALONE in one.badge for one in shown(scene))
        assert not any(entry.role == "badge" for entry in scene.legend)


def test_names_do_not_matter_and_arguments_do() -> None:
    text = "graph: [{conv: {filters: 4, kernel_size: %d, padding: same}, as: %s}, relu]"
    first, renamed, wider = (load(text % pair) for pair in ((3, "a"), (3, "b"), (5, "a")))
    assert not any(CHANGED in one.badge for one in shown(scene_of(first, renamed)))
    assert [one.words[0] for one in shown(scene_of(first, wider)) if CHANGED in one.badge] == [
        "conv 3×3, 4",
        "conv 5×5, 4",
    ]


def test_counts_stand_in_the_headings() -> None:
    said = [item.text for item in shipped("resnet@plain34", "resnet@resnet34").walk() if isinstance(item, Text)]
    assert "21,639,080 parameters" in said
    assert "21,814,696 parameters" in said
    assert "3.64G MACs" in said
    assert "3.66G MACs" in said


def test_skips_run_on_the_outer_side() -> None:
    scene = shipped("resnet@resnet18", "resnet_v2@resnet18_v2")
    boxes = shown(scene)
    left = min(one.box.x for one in boxes)
    right = max(one.box.x + one.box.width for one in boxes)
    skips = [item for item in scene.walk() if isinstance(item, Line) and item.role in ("identity", "projection")]
    skips = [line for line in skips if not line.id.startswith("legend")]
    assert len(skips) > 8
    for line in skips:
        xs = [x for x, _ in line.points]
        assert min(xs) < left if line.id.startswith("left") else max(xs) > right


def test_partners_are_found_in_order() -> None:
    ours, theirs = sides(resspec.load("vgg@vgg16"), resspec.load("vgg@vgg19"), "blocks")
    pairs = [pair for band in bands(ours, theirs) for pair in band.rows]
    assert [a for a, _ in pairs if a is not None] == list(range(len(ours.entries)))
    assert [b for _, b in pairs if b is not None] == list(range(len(theirs.entries)))


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_alignment_is_the_longest_common_subsequence(one: str, two: str) -> None:
    found = aligned(one, two, lambda a, b: int(a == b))
    pairs = [(a, b) for a, b in found if a is not None and b is not None]
    assert all(one[a] == two[b] for a, b in pairs)
    assert [a for a, _ in found if a is not None] == list(range(len(one)))
    assert [b for _, b in found if b is not None] == list(range(len(two)))

    def longest(a: str, b: str) -> int:
        if not a or not b:
            return 0
        if a[0] == b[0]:
            return 1 + longest(a[1:], b[1:])
        return max(longest(a[1:], b), longest(a, b[1:]))

    assert len(pairs) == longest(one, two)


def test_random_networks_beside_each_other() -> None:
    graphs = [network(seed) for seed in range(40)]
    for left, right in pairwise(graphs):
        scene = scene_of(left, right)
        assert not geometry.problems(scene)
        boxes = shown(scene)
        for side in ("left", "right"):
            tops = [one.box.y for one in boxes if one.side == side]
            assert tops == sorted(set(tops))


def test_groups_tell_what_they_are() -> None:
    graph = resspec.load("unet")
    groups = [one for one in scene_of(graph, graph).groups() if isinstance(one, Group)]
    assert len({group.id for group in groups}) == len(groups)


def test_the_same_networks_give_the_same_scene() -> None:
    assert shipped("resnet", "resnet_v2") == shipped("resnet", "resnet_v2")
