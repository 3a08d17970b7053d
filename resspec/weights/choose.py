"""From a network and a file to a plan: which naming fits, which steps are in doubt, what the caller allows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resspec import files
from resspec.diagnostics import Diagnostic, Findings, SpecError
from resspec.graph import Graph
from resspec.language.expressions import Lookup
from resspec.weights import order, pattern
from resspec.weights.adapt import How
from resspec.weights.archive import Archive, Tensor
from resspec.weights.naming import Naming, Rule
from resspec.weights.plan import Match, Namer, Place, Problem, match

OWN = "own"
"""the naming of files that were saved from a network of the same spec: layers are called by their paths"""

NOISE = ("*num_batches_tracked",)
"""arrays that count and compute nothing"""


@dataclass(frozen=True, slots=True)
class Choice:
    """The match that was taken, the names of the namings that were tried, and why others were not."""

    match: Match
    tried: tuple[str, ...]
    unmeant: tuple[str, ...]


def choose(
    graph: Graph,
    archive: Archive,
    namings: Iterable[Naming],
    lookup: Lookup,
    wanted: str | None,
    adapts: Mapping[str, How],
) -> Choice:
    """The match of the naming that fits best: of the one `wanted`, or of all that are meant for these parameters.

    Among these is the files' own. `adapts` says of paths how their weights are made to fit. Raises SpecError
    `unknown-naming`, `bad-weights-map`.
    """
    namings = list(namings)
    unmeant = {naming.name: reason for naming in namings if (reason := naming.unmeant(lookup)) is not None}
    fitting = [naming for naming in namings if naming.name not in unmeant]
    tried = [*([OWN] if archive.dialect == "keras" else []), *(naming.name for naming in fitting)]
    if wanted is not None:
        if wanted not in tried:
            known = ", ".join(f"`{name}`" for name in tried) or "none"
            message = unmeant.get(wanted, f"there is no naming `{wanted}` for these parameters")
            raise SpecError([Diagnostic("unknown-naming", message, help=f"those that apply: {known}")])
        tried = [wanted]
    matches = []
    for name in tried:
        if name == OWN:
            matches.append(_own(graph, archive, adapts))
        else:
            naming = next(one for one in fitting if one.name == name)
            matches.append(named(graph, archive, naming, lookup, adapts))
    if not matches:
        matches.append(match(graph, archive, "", lambda index: Place(why="no naming is meant for it"), {}))
    best = max(matches, key=lambda one: one.found)
    return Choice(best, tuple(tried), tuple(unmeant.values()))


def named(graph: Graph, archive: Archive, naming: Naming, lookup: Lookup, adapts: Mapping[str, How]) -> Match:
    """What one naming makes of a file."""
    found = match(graph, archive, naming.name, _namer(graph, archive, naming, lookup), adapts, naming.channels)
    found.unused = heard(found.unused, naming.ignore)
    _counted(found, archive)
    return found


def heard(tensors: Iterable[Tensor], ignore: Sequence[str] = ()) -> list[Tensor]:
    """Those that are not left out on purpose."""
    globs = [pattern.glob(text) for text in (*NOISE, *ignore)]
    return [one for one in tensors if not any(g.fullmatch(one.name) or g.fullmatch(one.layer) for g in globs)]


def _namer(graph: Graph, archive: Archive, naming: Naming, lookup: Lookup) -> Namer:
    """The first line of the map that fits each node, its names worked out."""
    counts: Counter[int] = Counter()
    found: dict[int, Place] = {}
    ranks = {rule.ordered: list(pattern.ranks(rule.ordered, archive.layers)) for rule in naming.rules if rule.ordered}
    problems = Findings()
    for index, weights in enumerate(graph.weights):
        if not weights:
            continue
        path = graph.nodes[index].path
        for k, rule in enumerate(naming.rules):
            bound = rule.ours.match(path)
            if bound is not None:
                nth, counts[k] = counts[k], counts[k] + 1
                try:
                    layers = _layers(rule, {**bound, "nth": nth}, lookup, ranks)
                    found[index] = Place(layers, rule, transposed=naming.transposed)
                except pattern.PatternError as error:
                    note = (f"at `{path}`",)
                    problems.error("bad-weights-map", error.message, rule.span, notes=note, help=error.help)
                break
    if problems.failed:
        raise SpecError(problems.sorted())
    unsaid = Place(why=f"the map `{naming.name}` has no line for it")
    return lambda index: found.get(index, unsaid)


def _layers(
    rule: Rule, bound: Mapping[str, int], lookup: Lookup, ranks: Mapping[str, Sequence[str]]
) -> dict[str, str] | None:
    if rule.theirs is None:
        return None

    def value(name: str) -> Any:
        return bound[name] if name in bound else lookup(name)

    names = {role: theirs.evaluate(value) for role, theirs in rule.theirs.items()}
    if rule.ordered is None:
        return names
    rank = int(names[""]) if names[""].isdecimal() else -1
    several = ranks[rule.ordered]
    return {"": several[rank] if 0 <= rank < len(several) else f"{rule.ordered}#{names['']}"}


def _counted(found: Match, archive: Archive) -> None:
    """Where names are made by counting, and a count does not come out, no array is known to be the right one."""
    broken = {id(p.rule): p.rule for p in (*found.missing, *found.mismatched) if p.rule is not None and p.rule.counts}
    for one in found.loaded:
        rule = one.rule
        if rule is None or not rule.counts or id(rule) in broken:
            continue
        ranked = set(pattern.ranks(rule.ordered, archive.layers)) if rule.ordered else set()
        for left in found.unused:
            if left.layer in ranked or (not rule.ordered and any(t.resembles(left.layer) for t in _of(rule))):
                broken[id(rule)] = rule
                break
    reason = "the map counts these steps, and their number is not the file's"
    _doubt(found, [one.node for one in found.loaded if id(one.rule) in broken], reason)


def _of(rule: Rule) -> Iterable[pattern.Theirs]:
    return (rule.theirs or {}).values()


def _doubt(found: Match, nodes: Iterable[int], reason: str) -> None:
    """Take what was loaded into `nodes` for ambiguous."""
    doubtful = set(nodes)
    for one in found.loaded:
        if one.node in doubtful:
            names = tuple(tensor.name for tensor in one.tensors)
            found.ambiguous.append(Problem(one.node, one.piece.weight, names, one.rule, reason=reason))
    found.loaded = [one for one in found.loaded if one.node not in doubtful]


# --- files of our own -----------------------------------------------------------------------------


def _own(graph: Graph, archive: Archive, adapts: Mapping[str, How]) -> Match:
    """By paths; steps without a name through the note beside the file, or only if everything fits."""
    note = _note(archive.path)
    bearers = {str(layer): str(path) for layer, path in (note or {}).get("bearers", {}).items()}
    by_path = {bearers.get(layer, layer).replace("/", "_"): layer for layer in archive.layers}
    noted = (note or {}).get("unnamed")
    same = note is not None and note.get("paths_digest") == graph.paths_digest and noted == order.note(graph)
    former = order.former(graph, noted) if isinstance(noted, dict) and not same else order.Former()

    def place(index: int) -> Place:
        path = graph.nodes[index].path
        was = path
        if noted is not None and not same and graph.is_numbered(path):
            if path in former.doubtful:
                return Place(why="steps alike stand beside it, and which of them it was cannot be told", doubtful=True)
            if path not in former.old:
                return Place(why="the step is new, or another than when the file was written")
            was = former.old[path]
        plain = was.replace("/", "_")
        if plain in by_path:
            return Place({"": by_path[plain]})
        borne = graph.layer_names[index]
        return Place({"": borne if borne in archive.layers and (note is None or same) else plain})

    found = match(graph, archive, OWN, place, adapts)
    found.unused = heard(found.unused)
    numbered = dict.fromkeys(one.node for one in found.loaded if graph.is_numbered(graph.nodes[one.node].path))
    if noted is None and not found.complete:
        reason = "its number is a label that any edit may change, and no note beside the file tells what it was"
        _doubt(found, numbered, reason)
    elif noted is None and archive.reads is not None and not order.reads_alike(graph, archive.reads, numbered):
        _doubt(found, numbered, "its number is a label, and such steps do not all read here what they read there")
    elif noted is None:
        found.by_number = list(numbered)
    return found


def _note(path: Path) -> dict[str, Any] | None:
    """The note that `resspec build` writes beside a model; None if there is none that can be read."""
    beside = path.with_name(f"{path.name}.json")
    try:
        found = json.loads(files.read_file(beside))
    except (files.FileProblem, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("bearers", {}), dict) else None
