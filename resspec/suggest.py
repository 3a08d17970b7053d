"""Did you mean: the nearest of the names that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is most likely a slip of, or None if none is near."""
    names = sorted(set(candidates))
    folded = {name.lower().replace("_", ""): name for name in reversed(names)}
    same = folded.get(word.lower().replace("_", ""))
    if same is not None:
        return same
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, candidates: Iterable[str], *, most: int = 8) -> str | None:
    """A remedy for an unknown name: the nearest one, or the list if it is short."""
    names = sorted(set(candidates))
    near = nearest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    if names and len(names) <= most:
        return "it may be " + ", ".join(f"`{name}`" for name in names)
    return None
