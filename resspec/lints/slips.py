"""`suspicious-size`: a name in `inputs` that stands for an unknown size because it is misspelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from resspec import edits
from resspec.diagnostics import Diagnostic, Label
from resspec.language.document import Document
from resspec.lints.words import of_file, words
from resspec.suggest import slip

AXES = {"height", "width", "depth", "length", "time", "frames", "rows", "columns", "size", "channels", "features"}
"""what people call the axes of an input, besides single letters: such a name is no slip"""

Place = tuple[str | int, ...]


def suspicious_sizes(document: Document) -> Iterator[Diagnostic]:
    """Unknown sizes that are called nearly like a parameter or `let`, and that stand at one place only."""
    spec = document.spec
    known = {*spec.params, *spec.let}
    found = [
        (loc, name)
        for entry, declared in spec.inputs.items()
        for loc, name in _names(declared.shape, ("inputs", entry, "shape"))
    ]
    times = Counter(name for _, name in found)
    elsewhere = of_file(spec.model_copy(update={"inputs": {}})) | words(spec.let)
    elsewhere |= {name for check in spec.checks for name in check.at}
    for loc, name in found:
        if name in known or name in AXES or name in elsewhere or times[name] > 1:
            continue
        near = slip(name, known)
        if near is None:
            continue
        section, kind = ("params", "parameter") if near in spec.params else ("let", "`let`")
        span = document.span(*loc)
        yield Diagnostic(
            "suspicious-size",
            f"`{name}` is an unknown size here, since nothing bears this name",
            span,
            "warning",
            (Label(document.span(section, near, key=True), f"a {kind} that is called nearly so"),),
            help=f"did you mean `{near}`?",
            fix=edits.replaced(edits.exactly(span, name), near),
        )


def _names(raw: Any, loc: Place) -> Iterator[tuple[Place, str]]:
    """The names and expressions among the sizes of an input, with the cases of a `match`."""
    if isinstance(raw, str):
        yield loc, raw
    elif isinstance(raw, list):
        for k, item in enumerate(raw):
            yield from _names(item, (*loc, k))
    elif isinstance(raw, dict):
        for key, item in raw.items():
            if key != "match":
                yield from _names(item, (*loc, key))
