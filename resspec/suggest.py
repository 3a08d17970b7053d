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
    scored = [(_likeness(word.lower(), name.lower()), name) for name in names]
    best = max(scored, default=(0.0, ""), key=lambda item: item[0])
    return best[1] if best[0] >= 0.6 else None


def _likeness(word: str, name: str) -> float:
    """How near two names are, from 0 to 1; the beginning of a longer name counts too (`kernel` of `kernel_size`)."""
    whole = difflib.SequenceMatcher(None, word, name).ratio()
    if len(word) < 4 or len(name) <= len(word):
        return whole
    return max(whole, 0.95 * difflib.SequenceMatcher(None, word, name[: len(word)]).ratio())


def did_you_mean(word: str, candidates: Iterable[str], *, most: int = 8) -> str | None:
    """A remedy for an unknown name: the nearest one, or the list if it is short."""
    names = sorted(set(candidates))
    near = nearest(word, names)
    if near is not None:
        return f"did you mean `{near}`?"
    if names and len(names) <= most:
        return "it may be " + ", ".join(f"`{name}`" for name in names)
    return None
