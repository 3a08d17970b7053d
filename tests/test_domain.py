"""Legal sizes, held against trying every value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resspec.domain import AtLeast, AtMost, Domain, Equal, Multiple, Requirement
from resspec.sizes import Periodic, Size, SizeError, unknown

STEPS = st.lists(st.tuples(st.sampled_from("+*/"), st.integers(1, 5)), max_size=5)
FAR = 600
"""values that are tried; an answer beyond is not judged"""


def size(steps: list[tuple[str, int]]) -> Size:
    found: Size = unknown("H")
    for kind, by in steps:
        found = found - by if kind == "+" else found * by if kind == "*" else (found + by) // by
    return found


REQUIREMENTS = st.one_of(
    st.builds(lambda a, n: AtLeast(size(a), n), STEPS, st.integers(-5, 40)),
    st.builds(lambda a, n: AtMost(size(a), n), STEPS, st.integers(0, 90)),
    st.builds(lambda a, n: Multiple(size(a), n), STEPS, st.integers(1, 6)),
    st.builds(lambda a, b: Equal(size(a), size(b)), STEPS, STEPS),
    st.builds(lambda a, n: Equal(size(a), n), STEPS, st.integers(1, 40)),
)


def at(value: Size, x: int) -> int:
    return value(x) if isinstance(value, Periodic) else int(str(value))


def holds(requirement: Requirement, x: int) -> bool:
    if isinstance(requirement, Equal):
        return at(requirement.left, x) == at(requirement.right, x)
    if isinstance(requirement, Multiple):
        return at(requirement.size, x) % requirement.of == 0
    if isinstance(requirement, AtLeast):
        return at(requirement.size, x) >= requirement.least
    return at(requirement.size, x) <= requirement.most


@settings(max_examples=300, deadline=None)
@given(st.lists(REQUIREMENTS, min_size=1, max_size=4), STEPS)
def test_a_domain_is_what_trying_every_value_says(
    requirements: list[Requirement], steps: list[tuple[str, int]]
) -> None:
    domain, told = Domain("H"), []
    for requirement in requirements:
        try:
            domain = domain.require(requirement)
        except SizeError:
            continue
        told.append(requirement)
    legal = [x for x in range(1, FAR) if all(holds(requirement, x) for requirement in told)]
    assert [x for x in range(1, FAR) if domain.contains(x)] == legal
    near = domain.smallest()
    assert domain.empty == (near is None)
    assert (near if near is not None and near < FAR else None) == min(legal, default=None)
    far = domain.largest()
    if far is not None and far < FAR:
        assert far == max(legal)
    for x in (1, 17, 60):
        below = max((v for v in legal if v <= x), default=None)
        above = min((v for v in legal if v >= x), default=None)
        under, over = domain.near(x)
        assert (under, over if over is None or over < FAR else None) == (below, above)
    plain = size(steps)
    simple = domain.simplified(plain)
    assert all(at(plain, x) == at(simple, x) for x in legal)
    if isinstance(plain, Periodic) and (values := domain.values(plain)) is not None:
        assert values >= {plain(x) for x in legal}
        assert len(values) < 2 or values == {plain(x) for x in range(1, 40 * FAR) if domain.contains(x)}


@pytest.mark.parametrize(
    ("requirements", "text"),
    [
        ([], "H >= 1"),
        ([Multiple(unknown("H"), 16), AtLeast(unknown("H"), 188)], "H = 0 (mod 16), H >= 192"),
        ([AtMost(unknown("H"), 64)], "1 <= H <= 64"),
        ([Equal(unknown("H"), 224)], "H = 224"),
        ([AtMost(unknown("H") * unknown("H").map_affine(0, 2), 9)], "H = 1, 2, 3 or 4"),
        ([Equal((unknown("H") + 1) // 3, unknown("H") // 3)], "H != 2 (mod 3), H >= 1"),
        ([AtLeast(unknown("H") - 4 * ((unknown("H") + 1) // 2 - unknown("H") // 2), 3)], "H >= 4, but not 5"),
        ([AtMost(unknown("H"), 4), AtLeast(unknown("H"), 9)], "no H"),
    ],
)
def test_a_domain_is_said_in_words(requirements: list[Requirement], text: str) -> None:
    domain = Domain("H")
    for requirement in requirements:
        domain = domain.require(requirement)
    assert str(domain) == text
