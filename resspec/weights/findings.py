"""What did not fit between a network and a file of weights, as findings; and what did, in a line."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from resspec.diagnostics import Diagnostic, Label
from resspec.graph import Graph
from resspec.suggest import SLIP, did_you_mean
from resspec.weights import pattern, sources
from resspec.weights.archive import Archive, Tensor
from resspec.weights.choose import Choice
from resspec.weights.elsewhere import Fit
from resspec.weights.layout import bare
from resspec.weights.plan import Loaded, Match, Problem
from resspec.weights.vectors import Vectors

MOST = 12
"""steps of one kind that are told each; the others are counted"""

STRANGE = 0.75
"""share of the steps with weights from which on, if they find nothing, a file is told to be of another network"""


def findings(
    graph: Graph,
    archive: Archive,
    choice: Choice,
    allow: Sequence[str],
    adapts: Iterable[str],
    elsewhere: Callable[[], Fit | None],
) -> list[Diagnostic]:
    """One finding for each step, and one for what is left in the file; what `allow` names is passed over.

    Where little fits, `elsewhere` is asked for the parameters under which it would.
    """
    match = choice.match
    if not any(match.found):
        return [_unmatched(graph, archive, choice, elsewhere())]
    globs = [pattern.below(text) for text in allow]
    if strays := [*_strays(graph, archive, match, "allow", allow), *_strays(graph, archive, match, "adapt", adapts)]:
        return strays

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
        return [_strange(graph, archive, match, len(lost), steps, elsewhere())]
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
            fit = elsewhere()
            more = f"the same of {len(told) - MOST} more steps"
            found.append(Diagnostic(found[-1].code, more, help=None if fit is None else fit.told))
    if left:
        found.append(_unused(archive, left, match, elsewhere() if len(left) > MOST else None))
    return found


def _strays(graph: Graph, archive: Archive, match: Match, option: str, texts: Iterable[str]) -> Iterator[Diagnostic]:
    """What `--allow` or `--adapt` names, and nothing is called so."""
    named = dict.fromkeys(node.path for node, weights in zip(graph.nodes, graph.weights, strict=True) if weights)
    if option == "allow":
        named |= dict.fromkeys(name for tensor in archive.tensors for name in (tensor.layer, tensor.name))
        named |= dict.fromkeys(name for one in (*match.missing, *match.ambiguous) for name in one.names)
    where = "step with weights" + " and no array of the file" * (option == "allow")
    for text in texts:
        glob = pattern.below(text)
        if not any(map(glob.fullmatch, named)):
            message = f"`--{option}` names `{text}`, and no {where} is called so"
            yield Diagnostic("unknown-weights", message, help=did_you_mean(text, named))


def _missing(graph: Graph, archive: Archive, step: list[Problem], left: Sequence[Tensor]) -> Diagnostic:
    node, path = graph.nodes[step[0].node], graph.nodes[step[0].node].path
    like = _like(graph, archive, step, left)
    hint = f"the file has `{like}`, which nothing uses: if it is that, call the step or the line of the map so; "
    wanted = ", ".join(f"`{name}`" for one in step for name in one.names if name not in archive.by_name)
    return Diagnostic(
        "weights-missing",
        f"`{archive.path.name}` has no weights for `{path}`: {step[0].reason or f'it would be {wanted}'}",
        node.origin.span,
        labels=_line(step[0]),
        help=f"{hint if like is not None else ''}`--allow '{path}'` keeps its initial values",
    )


def _mismatch(graph: Graph, archive: Archive, step: list[Problem], left: Sequence[Tensor]) -> Diagnostic:
    one = step[0]
    node, path = graph.nodes[one.node], graph.nodes[one.node].path
    assert one.tensor is not None
    assert one.wanted is not None
    if one.reason is not None:
        return Diagnostic(
            "weights-mismatch",
            f"`{path}` needs `{one.weight.name}`, the file has `{one.tensor.name}` of {one.reason}",
            node.origin.span,
            labels=_line(one),
            help=f"write it as float32, or `--adapt '{path}=fresh'` gives the step initial values",
        )
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
        help=_remedy(graph, one, path, archive),
    )


def _remedy(graph: Graph, one: Problem, path: str, archive: Archive) -> str:
    """For a kernel with other filters or other channels, how it is adapted."""
    assert one.tensor is not None
    assert one.wanted is not None
    keep = f"`--allow '{path}'` keeps its initial values"
    fresh = f"`--adapt '{path}=fresh'` gives it initial values"
    keras = archive.dialect == "keras"
    there, ours = _axes(one.tensor.shape, keras), _axes(one.wanted, keras)
    if one.weight.name == "kernel" and there[2] == ours[2]:
        if there[1] == ours[1]:
            return f"{fresh}, for other classes; {keep}"
        if there[0] == ours[0] and Vectors(graph).pictured(one.node):
            return f"its inputs are pixels laid flat: give the input the size that it had; {fresh}; {keep}"
        if there[0] == ours[0]:
            return f"`--adapt '{path}=channels'` makes it fit, for other input channels; {keep}"
    return f"set the parameters as the file was made with, or {keep}"


def _axes(shape: tuple[int, ...], keras: bool) -> tuple[int, int, tuple[int, ...]] | tuple[None, None, None]:
    """Filters, channels and window of a kernel; a window of one pixel is none, as that of a dense layer."""
    if len(shape) < 2:
        return None, None, None
    filters, channels = (shape[-1], shape[-2]) if keras else shape[:2]
    window = shape[:-2] if keras else shape[2:]
    return filters, channels, window if any(size > 1 for size in window) else ()


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


def _unused(archive: Archive, left: Sequence[Tensor], match: Match, fit: Fit | None) -> Diagnostic:
    layers = list(dict.fromkeys(tensor.layer or tensor.name for tensor in left))
    shown = ", ".join(f"`{name}`" for name in layers[:MOST])
    more = f" and {len(layers) - MOST} more" if len(layers) > MOST else ""
    what = "1 array" if len(left) == 1 else f"{len(left)} arrays"
    return Diagnostic(
        "weights-unused",
        f"{what} of `{archive.path.name}` belong to no step: {shown}{more}",
        notes=(f"names read as `{match.naming}`",),
        help=f"the file is of a larger or another network; `--allow '{layers[0]}'` leaves it out"
        if fit is None
        else fit.told,
    )


def _unmatched(graph: Graph, archive: Archive, choice: Choice, fit: Fit | None) -> Diagnostic:
    first = next(iter(archive.layers), None)
    called = f"; its first layer is `{first}`" if first else ""
    notes = ["tried the names of " + ", ".join(f"`{name}`" for name in choice.tried)] if choice.tried else []
    notes += choice.unmeant if fit is None else ()
    return Diagnostic(
        "weights-unmatched",
        f"`{archive.path.name}` has no weights under the names of `{graph.name}`{called}",
        notes=tuple(notes) or (("no map of weights stands beside the spec",) if fit is None else ()),
        help="`resspec weights suggest SPEC FILE` proposes a map by aligning both sides" if fit is None else fit.told,
    )


def _strange(graph: Graph, archive: Archive, match: Match, lost: int, steps: int, fit: Fit | None) -> Diagnostic:
    """Where hardly anything fits, one finding says more than hundreds."""
    one = next(iter((*match.missing, *match.mismatched)))
    names = f", such as `{one.names[0]}` for `{graph.nodes[one.node].path}`" if one.names else ""
    return Diagnostic(
        "weights-unmatched",
        f"`{archive.path.name}` is of another network than `{graph.name}`: "
        f"of {steps} steps with weights {lost} find none that fit{names}",
        notes=(f"names read as `{match.naming}`",),
        help="`resspec weights show FILE` lists what it holds, `resspec weights suggest SPEC FILE` proposes a map"
        if fit is None
        else fit.told,
    )


def ailing(graph: Graph, one: Loaded, ailment: str) -> Diagnostic:
    """Of a weight whose numbers are none that a network can work with."""
    node = graph.nodes[one.node]
    arrays = ", ".join(f"`{tensor.name}`" for tensor in one.tensors)
    return Diagnostic(
        "weights-values",
        f"{arrays} for `{one.piece.weight.name}` of `{node.path}` holds {ailment}",
        node.origin.span,
        help=f"the training went astray, or the file is damaged; `--adapt '{node.path}=fresh'` gives the step "
        "initial values",
    )


def _line(one: Problem) -> tuple[Label, ...]:
    """Where the map says so. The name of a file alone would not be found: the map is shown with the spec."""
    return (Label(one.rule.span, "called so here"),) if one.rule is not None else ()


def _like(graph: Graph, archive: Archive, step: Sequence[Problem], left: Sequence[Tensor]) -> str | None:
    """The layer that nothing uses and that the step most likely is: by its name, or the only one of its shapes."""
    one, shapes = step[0], defaultdict[str, list[tuple[int, ...]]](list)
    for tensor in left:
        shapes[tensor.layer].append(bare(tensor.shape))
    if one.names:
        layer = one.names[0].rpartition("/")[0] or one.names[0].rpartition(".")[0] or one.names[0]
        candidates = [name for name, found in shapes.items() if one.wanted is None or bare(one.wanted) in found]
        if near := difflib.get_close_matches(layer, candidates, 1, SLIP - 0.15):
            return str(near[0])
    pieces = sources.alternatives(Vectors(graph), one.node, graph.weights[one.node], archive.dialect)[0]
    wanted = sorted(bare(piece.layout.stored) for piece in pieces)
    alike = [name for name, found in shapes.items() if sorted(found) == wanted]
    return alike[0] if len(alike) == 1 else None


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})" if shape else "of one number"


def facts(graph: Graph, archive: Archive, match: Match) -> dict[str, Any]:
    """What was found, as plain data."""

    def paths(problems: Iterable[Problem]) -> list[str]:
        return list(dict.fromkeys(f"{graph.nodes[one.node].path}/{one.weight.name}" for one in problems))

    return {
        "file": str(archive.path),
        "form": archive.form,
        "notes": list(archive.notes),
        "naming": match.naming,
        "loaded": {
            f"{graph.nodes[one.node].path}/{one.piece.weight.name}": [tensor.name for tensor in one.tensors]
            for one in match.loaded
        },
        "channels": [f"{graph.nodes[one.node].path}/{one.piece.weight.name}" for one in match.loaded if one.channels],
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
    adapted = list(dict.fromkeys(graph.nodes[one.node].path for one in match.loaded if one.channels))
    for label, paths in (
        ("adapted to other input channels", adapted),
        ("adapted to fresh values", _told(graph, match.fresh)),
        ("kept its initial values", _told(graph, [*match.missing, *match.mismatched, *match.ambiguous])),
    ):
        if paths:
            more = f" and {len(paths) - MOST} more" if len(paths) > MOST else ""
            text += f"\n{label}: {', '.join(paths[:MOST])}{more}"
    if match.unused:
        text += f"\nleft in the file: {', '.join(tensor.name for tensor in match.unused[:MOST])}"
        text += f" and {len(match.unused) - MOST} more" if len(match.unused) > MOST else ""
    doubt = unsure(graph, archive, match)
    return "\n".join([text, *([doubt] if doubt else []), *(f"note: {note}" for note in archive.notes)])


def _told(graph: Graph, problems: Iterable[Problem]) -> list[str]:
    """The steps; of a step that got some of its weights, those that it did not get."""
    steps: dict[int, list[str]] = {}
    for one in problems:
        steps.setdefault(one.node, []).append(one.weight.name)
    told: list[str] = []
    for index, names in steps.items():
        path = graph.nodes[index].path
        told += [path] if len(names) == len(graph.weights[index]) else [f"{path}/{name}" for name in names]
    return told
