"""Room for Keras's recursive walk over a model's graph.

Keras visits a graph by plain Python recursion, one frame a layer, when a functional model is made:
by `keras.Model(...)`, `load_model` and `clone_model`. Since Python 3.11 such calls take no space on
the C stack, so a higher recursion limit is all that a chain of any length needs; without resspec:

    import sys
    sys.setrecursionlimit(30_000)  # a little more than the model has layers
    model = keras.saving.load_model("deep.keras")
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SPARE = 2_000
"""frames besides the walk itself: the caller's and Keras's own"""

_lock = threading.Lock()
_held: list[int] = []
_before = 0


@contextmanager
def recursion(layers: int) -> Iterator[None]:
    """Allow a walk over a chain of `layers` layers inside the block; the old limit holds again after it.

    The limit belongs to the whole interpreter, so blocks may overlap in several threads: the highest
    request counts, and the last block to end restores what the first one found.
    """
    global _before
    need = _depth() + layers + _SPARE
    with _lock:
        if not _held:
            _before = sys.getrecursionlimit()
        _held.append(need)
        sys.setrecursionlimit(max(_before, *_held))
    try:
        yield
    finally:
        with _lock:
            _held.remove(need)
            # shrinking below the current depth would raise: the frames of this block are gone by now
            sys.setrecursionlimit(max(_before, *_held) if _held else _before)


def _depth() -> int:
    """Frames on the stack of the current thread."""
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1  # type: ignore[assignment]
    return depth
