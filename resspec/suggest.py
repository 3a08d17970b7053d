"""Did you mean: the nearest of the names that would have been right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

ALIASES = {
    "batch_norm": ("batchnormalization", "batchnorm", "batchnorm2d", "bn"),
    "layer_norm": ("layernormalization", "ln"),
    "group_norm": ("groupnormalization", "gn"),
    "dense": ("fc", "linear", "fullyconnected"),
    "conv_transpose": ("conv2dtranspose", "convtranspose2d", "deconv", "upconv"),
    "concat": ("concatenate", "cat", "route"),
    "add": ("shortcut", "sum"),
    "upsample": ("upsampling2d",),
    "silu": ("swish",),
    "avg_pool": ("averagepooling2d", "avgpool2d"),
    "global_avg_pool": ("globalaveragepooling2d", "gap"),
    "kernel_size": ("kernel", "size", "k"),
    "strides": ("stride", "s"),
    "use_bias": ("bias",),
    "filters": ("channels", "outchannels", "nout"),
    "dilation_rate": ("dilation",),
    "momentum": ("decay",),
    "epsilon": ("eps",),
    "rate": ("p",),
    "inputs": ("input",),
    "graph": ("layers", "architecture"),
    "of": ("inputs",),
    "from": ("form", "input"),
    "as": ("name", "id"),
}
"""our name -> what others call it, in lower case without `_`"""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is most likely a slip of, or None if none is near."""
    names = sorted(set(candidates))
    folded = {name.lower().replace("_", ""): name for name in reversed(names)}
    plain = word.lower().replace("_", "").removeprefix("nn.").removeprefix("keras.layers.")
    if plain in folded:
        return folded[plain]
    for name in names:
        if plain in ALIASES.get(name, ()):
            return name
    if not names:
        return None
    # of those that are equally near the one that begins alike, then the shorter one
    best = max(names, key=lambda name: (_likeness(word.lower(), name.lower()), _beginning(word, name), -len(name)))
    return best if _likeness(word.lower(), best.lower()) >= 0.6 else None


def _beginning(word: str, name: str) -> int:
    """How many letters two names begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(word, name, strict=False)) if a != b), min(len(word), len(name)))


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
