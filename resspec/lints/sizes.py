"""`sizes-restricted`: unknown sizes that a merge rules out without anybody having said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from resspec.diagnostics import Diagnostic, Label, Span
from resspec.domain import Domain
from resspec.lints.view import View
from resspec.sizes import Periodic, Size


def sizes_restricted(view: View) -> Iterator[Diagnostic]:
    """Merges whose inputs agree for a part only of the sizes that are legal before them; one finding for all."""
    before: dict[str, Domain] = {}
    after: dict[str, Domain] = {}
    nodes = view.together(range(len(view.nodes))) if view.graph.restrictions else {}
    places: dict[Span | None, int] = {}
    for one in view.graph.restrictions:
        if one.span in nodes:  # the network needs it
            before.setdefault(one.after.unknown, one.before)
            after[one.after.unknown] = one.after
            places.setdefault(one.span, nodes[one.span][-1])
    if not places:
        return
    first, *others = places.values()
    more = f" and of {len(others)} more merge{'s' * (len(others) > 1)}" if others else ""
    found = view.warning(
        "sizes-restricted",
        f"the inputs of `{view.nodes[first].op.kind}`{more} agree only if {' and '.join(map(str, after.values()))}",
        [first],
        ("of",),
        why=f"before {'them' if others else 'it'} {' and '.join(map(str, before.values()))} would do",
        help=_remedy(view, list(after)),
    )
    spans = (view.places.of(view.nodes[i].origin.span, "of") for i in others[:4])
    yield replace(found, labels=tuple(Label(span, "here too") for span in spans if span is not None))


def _remedy(view: View, unknowns: list[str]) -> str:
    """An `expect` that says what is legal in the end, where one can."""
    for name, i in view.graph.inputs.items():
        shape = view.nodes[i].outputs[0].shape
        if any(isinstance(size, Periodic) and size.unknown in unknowns for size in shape):
            wanted = [_wanted(size, view.graph.domains) for size in shape]
            if None not in wanted:
                return f"say so at the beginning: `{{expect: [{', '.join(map(str, wanted))}], from: {name}}}`"
    return "give the inputs numbers, or change strides and padding before it"


def _wanted(size: Size, domains: Mapping[str, Domain]) -> str | None:
    """The size of an input as an `expect` that holds just for its legal class; None if it has several."""
    if not isinstance(size, Periodic):
        return str(size)
    domain, name = domains[size.unknown], str(size)
    legal = [(r, one) for r, one in enumerate(domain.classes) if one is not None]
    if name != size.unknown or len(legal) != 1 or legal[0][1].most is not None:
        return None
    period, rest = domain.period, legal[0][0]
    if period == 1:
        return "null"
    return f"{period}*({name}/{period})" if rest == 0 else f"{period}*(({name} - {rest})/{period}) + {rest}"
