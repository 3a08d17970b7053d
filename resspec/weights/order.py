"""Steps without a name of their own: which of a file's weights are theirs after the spec was edited.

Their numbers are labels. The note beside a saved model lists the steps around them, so that both sides can be
aligned; what cannot be told apart is not loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from resspec.files import sha256
from resspec.graph import Graph
from resspec.weights.align import align

Step = tuple[str, str, str]
"""path with `#` before each number that is a label, kind, what it is told to do and what it reads"""

PASSING = ("_initializer", "_regularizer", "_constraint", "seed")
"""ends of the names of arguments that weights survive"""


@dataclass(frozen=True, slots=True)
class Former:
    """Where the weights of numbered steps stood: new path -> old path, and the paths of which nobody can tell."""

    old: Mapping[str, str] = field(default_factory=dict)
    doubtful: frozenset[str] = frozenset()


def note(graph: Graph) -> dict[str, list[list[str]]]:
    """What the note beside a model says of unnamed steps with weights: body -> all its steps in order.

    Empty where all weights belong to named steps.
    """
    return {body: [list(step) for step in steps] for body, steps in _bodies(graph).items()}


def former(graph: Graph, noted: Mapping[str, Sequence[Sequence[Any]]]) -> Former:
    """Align the numbered steps of `graph` with those of a note."""
    old: dict[str, str] = {}
    doubtful: set[str] = set()
    for body, after in _bodies(graph).items():
        before: list[Step] = [(str(s[0]), str(s[1]), str(s[2])) for s in noted.get(body, ()) if len(s) == 3]
        found = align([_sign(step) for step in before], [_sign(step) for step in after])
        for new, was in found.old.items():
            if "#" in after[new][0]:
                old[_path(after[new])] = _path(before[was])
        doubtful.update(_path(after[k]) for k in found.doubtful if "#" in after[k][0])
    return Former(old, frozenset(doubtful))


def reads_alike(graph: Graph, reads: Mapping[str, Sequence[str]], nodes: Iterable[int]) -> bool:
    """Whether `nodes` read the outputs of the same layers as in a file that lists what its layers read.

    Of the layers between, only those count that have weights or a name of their own, here and there.
    """
    names = [graph.layer_names[graph.index[node.owner] if node.owner else i] for i, node in enumerate(graph.nodes)]
    counting = {
        names[i]
        for i, (node, weights) in enumerate(zip(graph.nodes, graph.weights, strict=True))
        if names[i] in reads and (weights or not graph.is_numbered(node.path))
    }
    here: dict[str, list[str]] = {}
    for name, node in zip(names, graph.nodes, strict=True):  # one layer may be called several times
        here.setdefault(name, []).extend(names[ref.node] for ref in node.inputs)
    return all(_sources(names[i], here, counting) == _sources(names[i], reads, counting) for i in nodes)


def _sources(layer: str, reads: Mapping[str, Sequence[str]], counting: Set[str]) -> set[str]:
    """The nearest layers of `counting` that a layer reads, through others."""
    found: set[str] = set()
    ahead, seen = list(reads.get(layer, ())), {layer}
    while ahead:
        one = ahead.pop()
        if one in seen:
            continue
        seen.add(one)
        if one in counting:
            found.add(one)
        else:
            ahead.extend(reads.get(one, ()))
    return found


def _bodies(graph: Graph) -> dict[str, list[Step]]:
    """The bodies in which steps with weights are numbered, with all steps in them."""
    weighty = zip(graph.nodes, graph.weights, strict=True)
    bodies = {_body(graph, node.path) for node, weights in weighty if weights and graph.is_numbered(node.path)}
    found: dict[str, list[Step]] = {body: [] for body in sorted(bodies)}
    for index, node in enumerate(graph.nodes if found else ()):
        level = ""
        for part in ("", *node.path.split("/")[:-1]):
            level = f"{level}/{part}".strip("/")
            if level in found:
                found[level].append((_marked(graph, node.path), node.op.kind, _told(graph, index)))
    return found


def _told(graph: Graph, index: int) -> str:
    """A digest of the arguments, and of what is read other than the step before: names, not numbers.

    Not of shapes: a step inserted above another may give itself the other's.
    """
    node = graph.nodes[index]
    given = node.op.model_dump(mode="json", exclude_defaults=True)
    kept = {name: value for name, value in given.items() if not name.endswith(PASSING)}
    paths = ((ref, graph.nodes[ref.node].path) for ref in node.inputs)
    reads = [
        "" if ref.node == index - 1 else [ref.output, "#" if graph.is_numbered(path) else path] for ref, path in paths
    ]
    return sha256(json.dumps([kept, reads], sort_keys=True))[:12]


def _body(graph: Graph, path: str) -> str:
    """The longest beginning of a numbered path that rests on names alone."""
    parts = path.split("/")
    first = next(k for k in range(1, len(parts) + 1) if "/".join(parts[:k]) in graph.numbered)
    return "/".join(parts[: first - 1])


def _marked(graph: Graph, path: str) -> str:
    parts = path.split("/")
    for k in range(len(parts)):
        if "/".join(path.split("/")[: k + 1]) in graph.numbered:
            parts[k] = re.sub(r"(\d+)$", r"#\1", parts[k])
    return "/".join(parts)


def _sign(step: Step) -> Step:
    """What two steps have in common if one may have been the other: everything but their numbers."""
    return re.sub(r"#\d+", "#", step[0]), *step[1:]


def _path(step: Step) -> str:
    return step[0].replace("#", "")
