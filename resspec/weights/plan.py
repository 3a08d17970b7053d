"""Which array of a file becomes which weight of a network, and what is left over on either side."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from resspec.graph import Graph
from resspec.ops.base import Weight
from resspec.weights import adapt, sources
from resspec.weights.naming import Rule
from resspec.weights.sources import Piece, Pieces
from resspec.weights.vectors import Channels, Vectors

if TYPE_CHECKING:
    import numpy as np

    from resspec.weights.archive import Archive, Tensor


@dataclass(frozen=True, slots=True)
class Loaded:
    """One weight of a node, and the arrays of the file that it is made of."""

    node: int
    piece: Piece
    tensors: tuple[Tensor, ...]
    rule: Rule | None = None
    channels: int | None = None
    """input channels to make of those that the file has"""

    def read(self) -> np.ndarray[Any, Any]:
        """The numbers, laid as ours."""
        import numpy as np

        parts = [self.piece.layout.read(tensor.read()) for tensor in self.tensors]
        found = np.stack(parts) if self.piece.stack else sum(parts[1:], start=parts[0])
        return found if self.channels is None else adapt.channels(found, self.channels)


@dataclass(frozen=True, slots=True)
class Problem:
    """A weight that gets no value: the file has no such array, one of another shape, or nobody can tell which."""

    node: int
    weight: Weight
    names: tuple[str, ...]
    """what the arrays are called in the file"""
    rule: Rule | None = None
    tensor: Tensor | None = None
    """the array of another shape"""
    wanted: tuple[int, ...] | None = None
    """the shape that it should have there"""
    reason: str | None = None
    """why it has none, why it is doubtful which, or what besides its shape is wrong with the array"""


@dataclass(slots=True)
class Match:
    """What one naming makes of a file: every weight in one of the lists, every array used, passed over or `unused`."""

    naming: str
    loaded: list[Loaded] = field(default_factory=list)
    fresh: list[Problem] = field(default_factory=list)
    """all weights of the steps for which initial values were asked for"""
    missing: list[Problem] = field(default_factory=list)
    mismatched: list[Problem] = field(default_factory=list)
    ambiguous: list[Problem] = field(default_factory=list)
    unused: list[Tensor] = field(default_factory=list)
    by_number: list[int] = field(default_factory=list)
    """nodes without a name that were loaded by their numbers, and nothing tells whether they are the same steps"""

    @property
    def found(self) -> tuple[int, int]:
        """How many weights fit, and how many more the file has under their names."""
        renewed = sum(one.tensor is not None for one in self.fresh)
        return len(self.loaded) + renewed, len(self.mismatched) + len(self.ambiguous)

    @property
    def complete(self) -> bool:
        return not (self.missing or self.mismatched or self.ambiguous or self.unused)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the weights of a node should be in a file: its layers by role, `""` where it is one layer.

    Without `layers` it has none there: on purpose, or for the reason `why`, which may be that it is
    `doubtful` which ones are its own. `rule` is the line of the map that says so.
    """

    layers: Mapping[str, str] | None = None
    rule: Rule | None = None
    why: str | None = None
    doubtful: bool = False
    transposed: bool = False
    """its matrices lie there as in Keras, where others of that library do not"""


Namer = Callable[[int], Place]
"""the place of each node with weights, by its index"""


def match(
    graph: Graph,
    archive: Archive,
    naming: str,
    name: Namer,
    adapts: Mapping[str, adapt.How],
    channels: Channels | None = None,
) -> Match:
    """Look every weight of `graph` up in `archive`, where what is laid flat has its `channels` so."""
    found = Match(naming)
    vectors = Vectors(graph, channels)
    used: dict[str, set[int]] = defaultdict(set)
    replaced: set[str] = set()
    for index, weights in enumerate(graph.weights):
        if not weights:
            continue
        place, how = name(index), adapt.asked(adapts, graph.nodes[index].path)
        if place.layers is None:
            if how == "fresh":
                found.fresh.extend(Problem(index, weight, (), place.rule) for weight in weights)
            elif place.why is not None:
                problems = [Problem(index, weight, (), place.rule, reason=place.why) for weight in weights]
                (found.ambiguous if place.doubtful else found.missing).extend(problems)
            continue
        ways = sources.alternatives(vectors, index, weights, archive.dialect, place.transposed)
        for piece, names in _best(ways, archive, place.layers):
            if how == "fresh":
                replaced.update(names)
                there = next((archive.by_name[one] for one in names if one in archive.by_name), None)
                found.fresh.append(Problem(index, piece.weight, names, place.rule, there))
                continue
            for one in names:
                used[one].add(index)
            _sort(found, vectors, archive, index, piece, names, place.rule, how)
    _claimed_twice(found, used)
    found.unused = [tensor for tensor in archive.tensors if tensor.name not in used.keys() | replaced]
    return found


def _sort(
    found: Match,
    vectors: Vectors,
    archive: Archive,
    index: int,
    piece: Piece,
    names: tuple[str, ...],
    rule: Rule | None,
    how: adapt.How | None,
) -> None:
    """Put one weight into the list where it belongs."""
    tensors = tuple(archive.by_name[one] for one in names if one in archive.by_name)
    wrong = next((tensor for tensor in tensors if not piece.layout.fits(tensor.shape)), None)
    problem = Problem(index, piece.weight, names, rule, wrong, piece.layout.stored)
    strange = next((tensor for tensor in tensors if _floating(piece.weight.dtype) > _floating(tensor.dtype)), None)
    if len(tensors) < len(names):
        found.missing.append(problem)
    elif strange is not None:
        reason = f"{strange.dtype}, where numbers with fractions are meant"
        found.mismatched.append(replace(problem, tensor=strange, reason=reason))
    elif wrong is None and piece.doubt is not None:
        found.ambiguous.append(replace(problem, reason=piece.doubt))
    elif wrong is None:
        found.loaded.append(Loaded(index, piece, tensors, rule))
    elif how == "channels" and (fitting := _for_channels(vectors, index, piece, wrong, archive)) is not None:
        found.loaded.append(Loaded(index, fitting, tensors, rule, piece.weight.shape[-2]))
    else:
        found.mismatched.append(problem)


def _floating(dtype: str) -> bool:
    return "float" in dtype


def _for_channels(vectors: Vectors, index: int, piece: Piece, tensor: Tensor, archive: Archive) -> Piece | None:
    """The piece as it would be with the number of input channels that `tensor` has."""
    if vectors.pictured(index):
        return None
    elements = 1
    for size in tensor.shape:
        elements *= size
    weights = adapt.for_channels([piece.weight], elements)
    for (other,) in sources.alternatives(vectors, index, weights, archive.dialect, piece.layout.exchanged):
        if other.arrays == piece.arrays and other.layout.fits(tensor.shape):
            return other
    return None


def _best(ways: Sequence[Pieces], archive: Archive, layers: Mapping[str, str]) -> list[tuple[Piece, tuple[str, ...]]]:
    """Of the ways to hold the weights of a node, the one of which the file has most, with the arrays' names."""
    named = []
    for pieces in ways:
        if all(role in layers for piece in pieces for role, _ in piece.arrays):
            named.append(
                [
                    (piece, tuple(_name(archive, layers[role], array, k, len(pieces)) for role, array in piece.arrays))
                    for k, piece in enumerate(pieces)
                ]
            )
    if not named:  # the map names other parts than the op has
        return [(piece, tuple(f"{role}/{array}" for role, array in piece.arrays)) for piece in ways[0]]
    return max(named, key=lambda way: sum(one in archive.by_name for _, names in way for one in names))


def _name(archive: Archive, layer: str, array: str, place: int, of: int) -> str:
    """The name in the file, be it there or not, of an array of a layer, the one at `place` `of` several.

    An array without a name is the layer itself, or all that the layer has. Where a file numbers the
    arrays of a layer, they stand in Keras's order.
    """
    members = archive.layers.get(layer, ())
    if not array:
        return members[0].name if len(members) == 1 and layer not in archive.by_name else layer
    for part in (lambda name: name, _unnumbered):
        for tensor in members:
            if part(tensor.part) == array:
                return tensor.name
    if len(members) == of and all(tensor.part.isdecimal() for tensor in members):
        return members[place].name
    return f"{layer}.{array}" if archive.dialect == "torch" else f"{layer}/{array}"


def _unnumbered(part: str) -> str:
    """Without the numbers that Keras gives to layers within layers: `forward_lstm_3/lstm_cell/kernel`."""
    return re.sub(r"_\d+(?=/)", "", part)


def _claimed_twice(found: Match, used: Mapping[str, set[int]]) -> None:
    """An array that two nodes claim: which of them it belongs to nobody can tell."""
    kept = []
    for one in found.loaded:
        several = next((tensor.name for tensor in one.tensors if len(used[tensor.name]) > 1), None)
        if several is None:
            kept.append(one)
        else:
            names = tuple(tensor.name for tensor in one.tensors)
            reason = f"`{several}` would be the weights of {len(used[several])} steps"
            found.ambiguous.append(Problem(one.node, one.piece.weight, names, one.rule, reason=reason))
    found.loaded = kept
