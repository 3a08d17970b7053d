"""Inputs whose number of axes depends on a parameter."""

from __future__ import annotations

import pytest
from speccing import findings, load

from resspec.sizes import unknown

SPEC = """
resspec: 1
params: {{rank: int = 2, channels: int = 3}}
inputs: {{image: {image}}}
graph: [conv: {{filters: 4, padding: same}}]
"""
CASES = "{match: rank, 1: [T, channels], 2: [H, W, channels], else: [8, 8, 8, channels]}"


@pytest.mark.parametrize("image", [CASES, f"{{shape: {CASES}, dtype: float32}}"])
@pytest.mark.parametrize(
    ("rank", "shape"),
    [(1, (unknown("T"), 3)), (2, (unknown("H"), unknown("W"), 3)), (3, (8, 8, 8, 3))],
)
def test_match_chooses_the_shape(image: str, rank: int, shape: tuple[object, ...]) -> None:
    graph = load(SPEC.format(image=image), params={"rank": rank})
    assert graph.nodes[0].outputs[0].shape == shape


def test_the_chosen_shape_is_rebound() -> None:
    graph = load(SPEC.format(image=CASES), inputs={"image": [16, None, 1]})
    assert graph.nodes[0].outputs[0].shape == (16, unknown("W"), 1)
    (found,) = findings(SPEC.format(image=CASES), inputs={"image": [16, 1]})
    assert found.code == "rank-mismatch"


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("{match: rank, 1: [T, 3]}", "no-match"),
        ("{match: rnak, 2: [H, W, 3]}", "unknown-name"),
        ("{match: rank, 2: 3}", "bad-value"),
        ("{match: rank, 2: [H, 0, 3]}", "bad-value"),
        ("{shape: {rank: [H, W, 3]}}", "bad-value"),
    ],
)
def test_what_is_wrong_with_a_chosen_shape_is_told_where_it_stands(image: str, code: str) -> None:
    (found,) = findings(SPEC.format(image=image))
    assert found.code == code
    assert found.span is not None
    assert found.span.line == 4
