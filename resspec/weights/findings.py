"""What did not fit between a network and a file of weights, as findings; and what did, in a line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from resspec.diagnostics import Diagnostic, Label
from resspec.graph import Graph
from resspec.suggest import SLIP
from resspec.weights import pattern
from resspec.weights.archive import Archive, Tensor
from resspec.weights.plan import Match, Problem

MOST = 12
"""steps of one kind that are told each; the others are counted"""

STRANGE = 0.75
"""share of the steps with weights from which on a file is told to be of another network"""


def findings(graph: Graph, archive: Archive, match: Match, allow: Sequence[str]) -> list[Diagnostic]:
    """One finding for each step, and one for what is left in the file; what `allow` names is passed over."""
    globs = [pattern.glob(text) for text in allow]

    def allowed(*names: str) -> bool:
        return any(glob.fullmatch(name) for glob in globs for name in names)

    def open_(problems: Iterable[Problem]) -> list[list[Problem]]:
        steps: dict[int, list[Problem]] = {}
        for one in problems:
            if not allowed(graph.nodes[one.node].path, *one.names):
                steps.setdefault(one.node, []).append(one)
        return list(steps.values())

    lost = {one.node for one in (*match.missing, *match.mismatched)}
    steps = sum(map(bool, graph.weights))
    if len(lost) > MOST and len(lost) > STRANGE * steps and open_([*match.missing, *match.mismatched]):
        return [_strange(graph, archive, match, len(lost), steps)]
    left = [tensor for tensor in match.unused if not allowed(tensor.name, tensor.layer)]
    found = []
    for problems, tell in (
        (match.mismatched, _mismatch),
        (match.ambiguous, _ambiguous),
        (match.missing, _missing),
    ):
        told = open_(problems)
        found += [tell(graph, archive, step, left) for step in told[:MOST]]
        if len(told) > MOST:
            found.append(Diagnostic(found[-1].code, f"the same of {len(told) - MOST} more steps"))
    if left:
        found.append(_unused(archive, left, match))
    return found


def _missing(graph: Graph, archive: Archive, step: list[Problem], left: Sequence[Tensor]) -> Diagnostic:
    node, path = graph.nodes[step[0].node], graph.nodes[step[0].node].path
    if step[0].reason is not None:
        return Diagnostic(
            "weights-missing",
            f"`{archive.path.name}` has no weights for `{path}`: {step[0].reason}",
            node.origin.span,
            help=f"`--allow '{path}'` keeps its initial values",
        )
    wanted = ", ".join(f"`{name}`" for one in step for name in one.names if name not in archive.by_name)
    like = _like(step[0].names[0], [t.layer for t in left if step[0].wanted in (None, t.shape)] or [])
    hint = (
        f"the file has `{like}`, which nothing uses: if it is that, call the step or the line of the map so; "
        if like
        else ""
    )
    return Diagnostic(
        "weights-missing",
        f"`{archive.path.name}` has no weights for `{path}`: it would be {wanted}",
        node.origin.span,
        labels=_line(step[0]),
        help=f"{hint}`--allow '{path}'` keeps its initial values",
    )


def _mismatch(graph: Graph, archive: Archive, step: list[Problem], left: Sequence[Tensor]) -> Diagnostic:
    one = step[0]
    node, path = graph.nodes[one.node], graph.nodes[one.node].path
    assert one.tensor is not None
    assert one.wanted is not None
    notes = []
    if sorted(one.tensor.shape) == sorted(one.wanted) and len(one.wanted) > 1:
        library = "Keras" if archive.dialect == "keras" else "PyTorch"
        notes.append(f"the same numbers in another order: the axes are not as {library} has them")
    return Diagnostic(
        "weights-mismatch",
        f"`{path}` needs `{one.weight.name}` {_shape(one.weight.shape)}, the file has `{one.tensor.name}` "
        f"{_shape(one.tensor.shape)} where {_shape(one.wanted)} would fit",
        node.origin.span,
        labels=_line(one),
        notes=tuple(notes),
        help=_remedy(one, path, archive),
    )


def _remedy(one: Problem, path: str, archive: Archive) -> str:
    """For a kernel with other filters or other channels, how it is adapted."""
    assert one.tensor is not None
    assert one.wanted is not None
    keep = f"`--allow '{path}'` keeps its initial values"
    there, ours = one.tensor.shape, one.wanted
    if one.weight.name == "kernel" and len(there) == len(ours):
        filters, channels = (-1, -2) if archive.dialect == "keras" else (0, 1)
        differing = [k for k in range(len(ours)) if there[k] != ours[k]]
        if differing == [filters % len(ours)]:
            return f"`--adapt '{path}=fresh'` gives it initial values, for other classes; {keep}"
        if differing == [channels % len(ours)]:
            return f"`--adapt '{path}=channels'` makes it fit, for other input channels; {keep}"
    return f"set the parameters as the file was made with, or {keep}"


def _ambiguous(graph: Graph, archive: Archive, step: list[Problem], left: Sequence[Tensor]) -> Diagnostic:
    one = step[0]
    node, path = graph.nodes[one.node], graph.nodes[one.node].path
    numbered = graph.is_numbered(path)
    return Diagnostic(
        "weights-ambiguous",
        f"which weights of `{archive.path.name}` belong to `{path}` cannot be told: {one.reason}",
        node.origin.span,
        labels=_line(one),
        help="name what carries weights (`as: ...`); " * numbered + f"`--allow '{path}'` keeps its initial values",
    )


def _unused(archive: Archive, left: Sequence[Tensor], match: Match) -> Diagnostic:
    layers = list(dict.fromkeys(tensor.layer or tensor.name for tensor in left))
    shown = ", ".join(f"`{name}`" for name in layers[:MOST])
    more = f" and {len(layers) - MOST} more" if len(layers) > MOST else ""
    what = "1 array" if len(left) == 1 else f"{len(left)} arrays"
    return Diagnostic(
        "weights-unused",
        f"{what} of `{archive.path.name}` belong to no step: {shown}{more}",
        notes=(f"names read as `{match.naming}`",),
        help=f"the file is of a larger or another network; `--allow '{layers[0]}'` leaves it out",
    )


def _strange(graph: Graph, archive: Archive, match: Match, lost: int, steps: int) -> Diagnostic:
    """Where hardly anything fits, one finding says more than hundreds."""
    one = next(iter((*match.missing, *match.mismatched)))
    names = f", such as `{one.names[0]}` for `{graph.nodes[one.node].path}`" if one.names else ""
    return Diagnostic(
        "weights-unmatched",
        f"`{archive.path.name}` is of another network than `{graph.name}`: "
        f"of {steps} steps with weights {lost} find none that fit{names}",
        notes=(f"names read as `{match.naming}`",),
        help="`resspec weights show FILE` lists what it holds, `resspec weights suggest SPEC FILE` proposes a map",
    )


def _line(one: Problem) -> tuple[Label, ...]:
    """Where the map says so. The name of a file alone would not be found: the map is shown with the spec."""
    return (Label(one.rule.span, "called so here"),) if one.rule is not None else ()


def _like(name: str, candidates: Sequence[str]) -> str | None:
    layer = name.rpartition("/")[0] or name.rpartition(".")[0] or name
    near = difflib.get_close_matches(layer, dict.fromkeys(candidates), 1, SLIP - 0.15)
    return near[0] if near else None


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})" if shape else "of one number"


def facts(graph: Graph, archive: Archive, match: Match) -> dict[str, Any]:
    """What was found, as plain data."""

    def paths(problems: Iterable[Problem]) -> list[str]:
        return list(dict.fromkeys(f"{graph.nodes[one.node].path}/{one.weight.name}" for one in problems))

    return {
        "file": str(archive.path),
        "form": archive.form,
        "naming": match.naming,
        "loaded": {
            f"{graph.nodes[one.node].path}/{one.piece.weight.name}": [tensor.name for tensor in one.tensors]
            for one in match.loaded
        },
        "fresh": paths(match.fresh),
        "missing": paths(match.missing),
        "mismatched": paths(match.mismatched),
        "ambiguous": paths(match.ambiguous),
        "unused": [tensor.name for tensor in match.unused],
        "by_number": [graph.nodes[index].path for index in match.by_number],
    }


def unsure(graph: Graph, archive: Archive, match: Match) -> str | None:
    """What is loaded by numbers alone; None if nothing is."""
    if not match.by_number:
        return None
    first, count = graph.nodes[match.by_number[0]].path, len(match.by_number)
    what = f"`{first}` and {count - 1} more steps" if count > 1 else f"`{first}`"
    return (
        f"loaded by number alone: {what}; they are the same only if the spec is as it was then, which the note "
        f"`{archive.path.name}.json` would tell"
    )


def summary(graph: Graph, archive: Archive, match: Match) -> str:
    """`161 arrays of r50.pth loaded (torchvision names)`, and what kept its initial values."""
    arrays = {tensor.name for one in match.loaded for tensor in one.tensors}
    text = f"{len(arrays)} arrays of {archive.path.name} loaded ({match.naming} names)"
    for label, problems in (
        ("adapted to fresh values", match.fresh),
        ("kept its initial values", [*match.missing, *match.mismatched, *match.ambiguous]),
    ):
        paths = list(dict.fromkeys(graph.nodes[one.node].path for one in problems))
        if paths:
            more = f" and {len(paths) - MOST} more" if len(paths) > MOST else ""
            text += f"\n{label}: {', '.join(paths[:MOST])}{more}"
    if match.unused:
        text += f"\nleft in the file: {', '.join(tensor.name for tensor in match.unused[:MOST])}"
        text += f" and {len(match.unused) - MOST} more" if len(match.unused) > MOST else ""
    doubt = unsure(graph, archive, match)
    return text if doubt is None else f"{text}\n{doubt}"
