"""What Keras refuses, as a finding with a place instead of a traceback."""

from __future__ import annotations

import re

from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Node

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST = 300
"""characters of Keras's message that are shown"""


def refused(error: BaseException, what: str, node: Node | None = None, code: str = "keras-refused") -> SpecError:
    """A SpecError that says `Keras refuses <what>: <its first line>`, at the step that `node` came from."""
    notes: tuple[str, ...] = ()
    if node is not None:
        notes = (f"at `{node.path}`", *(f"in {frame.label}, at `{frame.path}`" for frame in node.origin.chain))
    return SpecError(
        [
            Diagnostic(
                code,
                f"Keras refuses {what}: {first_line(error)}",
                node.origin.span if node else None,
                notes=notes,
            )
        ]
    )


def first_line(error: BaseException) -> str:
    """The line of Keras's message that says what is wrong, without colours and without its preamble."""
    for line in _COLOURS.sub("", str(error)).splitlines():
        text = line.strip()
        if text and not text.startswith("Exception encountered when calling"):
            return text[:_LONGEST].rstrip(".")
    return type(error).__name__
