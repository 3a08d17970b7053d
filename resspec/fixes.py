"""Carrying out the remedies that findings bear: text and fixes -> the mended text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from resspec.diagnostics import Diagnostic, Edit, Span


def apply(text: str, file: str, diagnostics: Iterable[Diagnostic], *, unsafe: bool = False) -> tuple[str, int]:
    """`text` of `file` with the fixes of `diagnostics`, and how many were carried out.

    Only those that are certain, unless `unsafe`. A fix of several files, or one that overlaps
    another, is left alone: the next run finds it again.
    """
    starts = _line_starts(text)
    taken: list[tuple[int, int, str]] = []
    count = 0
    for one in diagnostics:
        if one.fix is None or not (unsafe or one.fix.certain):
            continue
        if any(edit.span.file != file for edit in one.fix.edits):
            continue
        edits = [_offsets(edit, starts, len(text)) for edit in one.fix.edits]
        if any(_overlap(edit, other) for edit in edits for other in taken):
            continue
        taken += edits
        count += 1
    for start, end, new in sorted(taken, reverse=True):
        text = text[:start] + new + text[end:]
    return text, count


ROUNDS = 20
"""times that a text is looked at again; what a mistake hid comes up one layer at a time"""


def mended(
    text: str, file: str, diagnose: Callable[[str], Iterable[Diagnostic]], *, unsafe: bool = False
) -> tuple[str, int]:
    """`text` after all its fixes, round by round until none is left, and how many there were."""
    total = 0
    for _ in range(ROUNDS):
        text, count = apply(text, file, diagnose(text), unsafe=unsafe)
        total += count
        if not count:
            break
    return text, total


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _offsets(edit: Edit, starts: list[int], length: int) -> tuple[int, int, str]:
    span: Span = edit.span
    start = min(starts[span.line - 1] + span.column - 1, length)
    return start, min(starts[span.end_line - 1] + span.end_column - 1, length), edit.text


def _overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Whether two edits touch the same text; two insertions at one place do."""
    return (one[0] < other[1] and other[0] < one[1]) or one[:2] == other[:2]
