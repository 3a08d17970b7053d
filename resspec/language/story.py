"""How a step came to be carried out: the blocks and turns of loops around it, as notes of a finding."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from resspec.diagnostics import Span
from resspec.graph import Frame

MOST = 6
"""notes of one finding; the innermost are told"""
PATH = 48
"""characters of a path that are shown"""


def notes(frames: Sequence[Frame], at: Span | None) -> tuple[str, ...]:
    """The frames from the inside out; those of a recursion in one line."""
    found = []
    # calls of one block at one place differ by their paths alone
    for _, group in groupby(reversed(frames), key=lambda frame: (frame.label, frame.span)):
        same = list(group)
        more = f", and {len(same) - 1} more times around that" if len(same) > 1 else ""
        found.append(_one(same[0], at) + more)
    return tuple(found[:MOST])


def _one(frame: Frame, at: Span | None) -> str:
    told = f"in {frame.label}"
    if frame.path:
        told += f", at `{shortened(frame.path)}`"
    if frame.span is not None:
        place = f"{frame.span.line}:{frame.span.column}"
        told += f", {place}" if at is None or at.file == frame.span.file else f", {frame.span.file}:{place}"
    return told


def shortened(path: str) -> str:
    """A long path by its beginning and its end."""
    half = PATH // 2
    return path if len(path) <= PATH else f"{path[:half]}...{path[-half:]}"
