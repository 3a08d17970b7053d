"""Did you mean: the nearest of the names that would have been right, and what other frameworks call it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

from resspec.diagnostics import Edit, Fix, Span

SYNONYMS = {
    "conv": ("convolution",),
    "conv_transpose": ("convtranspose", "deconvolution", "deconv"),
    "depthwise_conv": ("depthwiseconvolution", "dwconv"),
    "separable_conv": ("separableconvolution", "sepconv"),
    "dense": ("linear", "fc", "fullyconnected"),
    "batch_norm": ("batchnormalization", "bn", "syncbatchnorm", "synchronizedbatchnormalization"),
    "layer_norm": ("layernormalization", "ln"),
    "group_norm": ("groupnormalization", "gn"),
    "instance_norm": ("instancenormalization",),
    "rms_norm": ("rmsnormalization",),
    "max_pool": ("maxpooling", "maxpool"),
    "avg_pool": ("averagepooling", "averagepool", "avgpooling"),
    "global_avg_pool": ("globalaveragepooling", "globalaveragepool", "gap"),
    "global_max_pool": ("globalmaxpooling", "globalmaxpool"),
    "adaptive_avg_pool": ("adaptiveaveragepooling", "adaptiveaveragepool"),
    "adaptive_max_pool": ("adaptivemaxpooling",),
    "silu": ("swish",),
    "hard_swish": ("hardsilu",),
    "exponential": ("exp",),
    "upsample": ("upsampling", "upscale"),
    "resize": ("resizing", "interpolate"),
    "crop": ("cropping", "centercrop"),
    "pad": ("zeropadding", "zeropad", "padding"),
    "concat": ("concatenate", "cat"),
    "add": ("addition", "plus"),
    "multiply": ("mul", "product"),
    "subtract": ("sub",),
    "spatial_dropout": ("dropout2d", "dropout3d"),
    "stochastic_depth": ("droppath", "dropconnect"),
    "alpha_dropout": ("alphadrop",),
    "multi_head_attention": ("multiheadattention", "mha"),
    "grouped_query_attention": ("groupqueryattention", "gqa"),
    "conv_lstm": ("convlstm",),
    "simple_rnn": ("rnn",),
    "rescale": ("rescaling",),
    "position_embedding": ("positionalembedding", "posembedding"),
    "layer_scale": ("layerscale",),
    "pixel_shuffle": ("depthtospace",),
    "space_to_depth": ("pixelunshuffle",),
    "kernel_size": ("kernel", "ksize", "k"),
    "pool_size": ("poolsize", "pool"),
    "strides": ("stride",),
    "use_bias": ("bias", "usebias"),
    "filters": ("outchannels", "numfilters", "nfilters"),
    "units": ("outfeatures", "numunits"),
    "dilation_rate": ("dilation",),
    "epsilon": ("eps",),
    "negative_slope": ("alpha", "slope"),
    "max_value": ("clip",),
    "float16": ("half",),
    "float32": ("float", "single"),
    "float64": ("double",),
    "int32": ("int", "integer"),
    "int64": ("long",),
    "graph": ("layers", "architecture"),
    "from": ("frm",),
    "as": ("name", "id"),
}
"""our name -> what others call the very same, folded: lower case without `_`, prefix, and `1d`, `2d`, `3d`"""

RELATED = {
    "add": ("shortcut", "sum", "residual", "skip"),
    "concat": ("route",),
    "repeat": ("loop", "times"),
    "conv_transpose": ("upconv",),
    "filters": ("channels", "nout", "features", "depth", "units"),
    "units": ("features", "filters", "size", "hidden"),
    "kernel_size": ("size", "window"),
    "pool_size": ("kernelsize", "kernel", "size", "k", "window"),
    "strides": ("s",),
    "momentum": ("decay",),
    "rate": ("p", "prob", "dropout"),
    "of": ("inputs", "tensors", "with"),
    "from": ("input", "form", "inputs"),
    "inputs": ("input",),
    "graph": ("network", "model", "backbone", "steps"),
    "params": ("parameters", "args", "arguments", "hyperparameters"),
    "use": ("imports", "include", "import"),
    "do": ("body", "steps"),
    "when": ("if", "condition", "cond"),
    "blocks": ("modules", "functions"),
    "width": ("w",),
    "height": ("h",),
}
"""our name -> what may have been meant by it, folded in the same way"""

_MANY = 300
"""names among which a slip is looked for thoroughly; among more, only those that look alike at first sight"""

_PREFIX = re.compile(r"^(torch\.nn\.|nn\.|tf\.keras\.layers\.|keras\.layers\.|layers\.|keras\.|functional\.|f\.)", re.I)


class Remedy(NamedTuple):
    """What to do about a name that is not known, in words and as an edit; None where nothing is near."""

    help: str | None = None
    fix: Fix | None = None


def fold(word: str) -> str:
    """`nn.BatchNorm2d` as `batchnorm`."""
    plain = _PREFIX.sub("", word).lower().replace("_", "").replace("-", "").replace(" ", "")
    return re.sub(r"(?<=[a-z])[123]d(?=$|transpose|norm)", "", plain)


def synonym(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is another spelling or another framework's name of; nothing else can be meant."""
    names = set(candidates)
    if word[:1].isupper() or _PREFIX.match(word):  # a class of theirs, `Linear`, not our `linear`
        theirs = [name for name in names if fold(word) in SYNONYMS.get(name, ())]
        if len(theirs) == 1:
            return theirs[0]
    for known in ({word.lower()}, {fold(word)}):
        found = [name for name in names if fold(name) in known or known & {*SYNONYMS.get(name, ())}]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is most likely a slip of, or None if none is near."""
    names = sorted(set(candidates))
    if len(names) > _MANY:
        start = word[:1].lower()
        names = [name for name in names if name[:1].lower() == start and abs(len(name) - len(word)) <= 2][:_MANY]
    if not names:
        return None
    plain = fold(word)
    exact = synonym(word, names) or next((name for name in names if plain in RELATED.get(name, ())), None)
    if exact is not None:
        return exact
    # of those that are equally near the one that begins alike, then the shorter one
    best = max(names, key=lambda name: (_likeness(word.lower(), name.lower()), _beginning(word, name), -len(name)))
    return best if _likeness(word.lower(), best.lower()) >= 0.6 else None


SLIP = 0.85
"""likeness from which on one of two names is most likely the other, mistyped"""


def slip(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is nearly letter for letter; short names, which are all alike, are none."""
    if len(word) < 4:
        return None
    likeness = {name: difflib.SequenceMatcher(None, word.lower(), name.lower()).ratio() for name in candidates}
    best = max(likeness, key=lambda name: (likeness[name], name), default=None)
    return best if best is not None and likeness[best] >= SLIP else None


def _beginning(word: str, name: str) -> int:
    """How many letters two names begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(word, name, strict=False)) if a != b), min(len(word), len(name)))


EXCHANGED = 0.9
"""likeness of words with the same letters"""


def _likeness(word: str, name: str) -> float:
    """How near two names are, from 0 to 1; the beginning of a longer name counts too (`kernel` of `kernel_size`)."""
    whole = difflib.SequenceMatcher(None, word, name).ratio()
    if sorted(word) == sorted(name):  # letters exchanged, which weigh too much in short words: `sa`, `fo`
        return max(whole, EXCHANGED)
    if len(word) < 4 or len(name) <= len(word):
        return whole
    return max(whole, 0.95 * difflib.SequenceMatcher(None, word, name[: len(word)]).ratio())


def did_you_mean(word: str, candidates: Iterable[str], *, most: int = 8) -> str | None:
    """A remedy for an unknown name: the nearest one, or the list if it is short."""
    return renamed(word, candidates, None, most=most).help


def renamed(word: str, candidates: Iterable[str], span: Span | None, *, most: int = 8) -> Remedy:
    """A remedy for an unknown name, with the edit of `span` that puts the nearest one in its place."""
    names = sorted(set(candidates) - {word})  # `in`, say, may be a name that has no value here
    near = nearest(word, names)
    if near is not None:
        edits = (Edit(span, near),) if span is not None else ()
        fix = Fix(edits, certain=synonym(word, names) == near) if edits else None
        return Remedy(f"did you mean `{near}`?", fix)
    if names and len(names) <= most:
        return Remedy("it may be " + ", ".join(f"`{name}`" for name in names))
    return Remedy()
