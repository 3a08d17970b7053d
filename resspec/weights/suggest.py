"""A map proposed for a file that nobody has described: both sides aligned in order, by the shapes of their arrays."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from resspec.frames import printable
from resspec.graph import Graph
from resspec.weights import pattern, sources
from resspec.weights.archive import Archive
from resspec.weights.choose import NOISE
from resspec.weights.findings import STRANGE
from resspec.weights.layout import Shape, bare
from resspec.weights.vectors import Vectors

PARTS = frozenset(
    ("weight", "bias", "running_mean", "running_var", "in_proj_weight", "in_proj_bias", "kernel", "gamma", "beta",
     "moving_mean", "moving_variance", "embeddings", "scale", "alpha")
)  # fmt: skip
"""names of arrays that stand together in a layer; an array of another name may stand for itself"""

CELLS = 4_000_000
"""pairs of layers that are compared; files and networks beyond are aligned by their beginnings and ends first"""

ROUNDS = 3
"""alignments, each with the habits of the one before"""

Signature = tuple[Shape, ...]


@dataclass(frozen=True)
class Item:
    """A layer on one side: its name, and the shapes of its arrays by which it is recognised."""

    name: str
    shapes: Signature
    role: str = ""

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(re.findall(r"[A-Za-z]+|\d+", self.name))

    @cached_property
    def part(self) -> str:
        """The name without its numbers, but for the last: `layer#.#.conv3`, `conv#_block#_3_conv`."""
        head, number, tail = re.fullmatch(r"(.*?)(\d*)(\D*)", self.name).groups()  # type: ignore[union-attr]
        return re.sub(r"\d+", "#", head) + number + tail


@dataclass(frozen=True, slots=True)
class Proposal:
    """A map as lines of YAML, and what it could not place on either side."""

    lines: tuple[tuple[str, str], ...]
    """our pattern, and theirs as it stands in YAML"""
    pairs: tuple[tuple[str, str], ...]
    ours: tuple[str, ...]
    theirs: tuple[str, ...]

    @property
    def doubt(self) -> str | None:
        """What speaks against it: that hardly a layer of the network has a partner."""
        paired = len(dict.fromkeys(ours for ours, _ in self.pairs))
        steps = len({*self.ours, *(ours for ours, _ in self.pairs)})
        if steps - paired <= STRANGE * steps:
            return None
        return f"{paired} of {steps} steps with weights: most likely the file is of another network"

    def yaml(self, network: str, file: str, notes: Iterable[str] = ()) -> str:
        """The text of the map, with `notes` at its top."""
        text = [
            f"# Proposed for {network}: {len(self.pairs)} layers of {printable(file)}, "
            "aligned in order by their shapes.",
            *(f"# {printable(note)}" for note in notes),
            "# Read it before you trust it: layers alike that stand side by side cannot be told apart.",
            "resspec-weights: 1",
            "proposed:",
            "  layers:" if self.lines else "  layers: {}",
            *(f"    {_quoted(left)}: {right}" for left, right in self.lines),
        ]
        for side, names in (("ours", self.ours), ("in the file", self.theirs)):
            if names:
                text += [f"# without a partner, {side}:", *(f"#   {printable(name)}" for name in names)]
        return "\n".join(text) + "\n"


def suggest(graph: Graph, archive: Archive) -> Proposal:
    """Align the layers of `graph` and of `archive`, in their orders; what is inserted on either side is passed over."""
    ours, theirs = _ours(graph, archive), _theirs(archive)
    habits: Mapping[tuple[str, str], float] = {}
    for _ in range(ROUNDS):  # what most units do, the others are taken to do as well
        pairs = _aligned(ours, theirs, habits)
        habits = _habits(ours, theirs, pairs)
    pairs += _leftovers(ours, theirs, pairs)
    pairs.sort()
    roles: dict[str, dict[str, str]] = defaultdict(dict)
    for i, j in pairs:
        roles[ours[i].name][ours[i].role] = theirs[j].name
    lines = [
        (left, _quoted(right))
        for left, right in _patterns([(name, found[""]) for name, found in roles.items() if "" in found])
    ]
    parts = sorted({role for found in roles.values() for role in found if role})
    by_role = [dict(_patterns([(n, f[role]) for n, f in roles.items() if role in f])) for role in parts]
    for left in dict.fromkeys(left for found in by_role for left in found):
        right = ", ".join(
            f"{role}: {json.dumps(found[left])}" for role, found in zip(parts, by_role, strict=True) if left in found
        )
        lines.append((left, f"{{{right}}}"))
    used = ({i for i, _ in pairs}, {j for _, j in pairs})
    return Proposal(
        tuple(lines),
        tuple((ours[i].name, theirs[j].name) for i, j in pairs),
        tuple(dict.fromkeys(item.name for i, item in enumerate(ours) if i not in used[0])),
        tuple(item.name for j, item in enumerate(theirs) if j not in used[1]),
    )


def _ours(graph: Graph, archive: Archive) -> list[Item]:
    """Nodes with weights, as the file would hold them; attention is two layers in files of PyTorch."""
    found, vectors = [], Vectors(graph)
    for index, weights in enumerate(graph.weights):
        if not weights:
            continue
        path = graph.nodes[index].path
        ways = sources.alternatives(vectors, index, weights, archive.dialect)
        joint = next(
            (way for way in ways if {role for piece in way for role, _ in piece.arrays} == {"qkv", "out"}), None
        )
        layers: dict[str, dict[str, Shape]] = defaultdict(dict)
        for piece in joint or ways[0]:
            for role, array in piece.arrays:
                layers[role][array] = bare(piece.layout.source)
        found += [Item(path, tuple(sorted(arrays.values())), role) for role, arrays in layers.items()]
    return found


def _theirs(archive: Archive) -> list[Item]:
    noise = [pattern.glob(text) for text in NOISE]
    found: list[Item] = []
    for layer, tensors in archive.layers.items():
        if re.search(r"[{}#]", layer):  # no map can name it
            continue
        heard = [tensor for tensor in tensors if not any(glob.fullmatch(tensor.name) for glob in noise)]
        together = [tensor for tensor in heard if tensor.part in PARTS or tensor.part.isdecimal()]
        alone = [tensor for tensor in heard if tensor not in together]
        if archive.dialect == "keras" or not alone:
            together, alone = heard, []
        if together:
            found.append(Item(layer, tuple(sorted(bare(tensor.shape) for tensor in together))))
        found += [Item(tensor.name, (bare(tensor.shape),)) for tensor in alone]
    return found


def _habits(
    ours: Sequence[Item], theirs: Sequence[Item], pairs: Iterable[tuple[int, int]]
) -> dict[tuple[str, str], float]:
    """How often a part of ours (`stage#/unit#/restore`) went with a part of theirs: 1 if always, on both sides."""
    counts = Counter((_NUMBER.sub("#", ours[i].name), theirs[j].part) for i, j in pairs)
    total: Counter[str] = Counter()
    for (left, right), count in counts.items():
        total[f"ours {left}"] += count
        total[f"theirs {right}"] += count
    # squared, so that what most do is worth more than what a few do twice
    return {
        (left, right): (count / max(total[f"ours {left}"], total[f"theirs {right}"])) ** 2
        for (left, right), count in counts.items()
    }


def _aligned(
    ours: Sequence[Item], theirs: Sequence[Item], habits: Mapping[tuple[str, str], float]
) -> list[tuple[int, int]]:
    """The pairs in order that are worth most: by number, by habit, and by the likeness of their names."""
    begin = 0
    if len(ours) * len(theirs) > CELLS:
        while begin < min(len(ours), len(theirs)) and ours[begin].shapes == theirs[begin].shapes:
            begin += 1
        if (len(ours) - begin) * (len(theirs) - begin) > CELLS:
            return [(k, k) for k in range(begin)]
    left, right = ours[begin:], theirs[begin:]
    best = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        row, below, item = best[i], best[i + 1], left[i]
        for j in range(len(right) - 1, -1, -1):
            value = max(below[j], row[j + 1])
            if item.shapes == right[j].shapes:
                value = max(value, below[j + 1] + _worth(item, right[j], habits))
            row[j] = value
    pairs = [(k, k) for k in range(begin)]
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i].shapes == right[j].shapes and best[i][j] == best[i + 1][j + 1] + _worth(left[i], right[j], habits):
            pairs.append((begin + i, begin + j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _worth(one: Item, other: Item, habits: Mapping[tuple[str, str], float]) -> float:
    """A pair counts 1, and up to 4 more by habit; words in common decide where all else is equal."""
    habit = 4 * habits.get((_NUMBER.sub("#", one.name), other.part), 0.0)
    return 1 + habit + len(one.words & other.words) / len(one.words | other.words) / 1024


def _leftovers(ours: Sequence[Item], theirs: Sequence[Item], pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of what stands in another order: shapes of which as many are left on both sides, in their orders."""
    used = list(zip(*pairs, strict=True)) or [(), ()]
    left: dict[Signature, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, (items, taken) in enumerate(((ours, used[0]), (theirs, used[1]))):
        known = set(taken)
        for k, item in enumerate(items):
            if k not in known:
                left[item.shapes][side].append(k)
    return [pair for i, j in left.values() if len(i) == len(j) for pair in zip(i, j, strict=True)]


# --- patterns -------------------------------------------------------------------------------------

_NUMBER = re.compile(r"\d+")
_NAMES = "suknabcd"


def _patterns(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lines that say all pairs: those alike but for numbers as one, where their numbers follow from ours."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for left, right in pairs:
        groups[_NUMBER.sub("#", left), _NUMBER.sub("#", right)].append((left, right))
    lines = [line for group in groups.values() for line in _fitted(group, 0)]
    return [line for line in lines if _holds(line, pairs)] + [
        pair for pair in pairs if not any(_says(line, *pair) for line in lines if _holds(line, pairs))
    ]


def _fitted(group: Sequence[tuple[str, str]], fixed: int) -> list[tuple[str, str]]:
    """One line for the group, or one for each value of our first numbers."""
    if len(group) == 1:
        return list(group)
    ours = [tuple(map(int, _NUMBER.findall(left))) for left, _ in group]
    theirs = [tuple(map(int, _NUMBER.findall(right))) for _, right in group]
    columns = list(zip(*ours, strict=True))
    varying = [k for k, column in enumerate(columns) if len(set(column)) > 1]
    rights = [_expression(column, columns, varying) for column in zip(*theirs, strict=True)]
    if all(right is not None for right in rights):
        names = {
            k: f"{{{_NAMES[varying.index(k)]}}}" if k in varying else str(columns[k][0]) for k in range(len(columns))
        }
        return [(_filled(group[0][0], list(names.values())), _filled(group[0][1], [str(right) for right in rights]))]
    if fixed >= len(columns):
        return list(group)
    parts: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for pair, numbers in zip(group, ours, strict=True):
        parts[numbers[fixed]].append(pair)
    return [line for part in parts.values() for line in _fitted(part, fixed + 1)]


def _expression(column: Sequence[int], columns: Sequence[Sequence[int]], varying: Sequence[int]) -> str | None:
    """Their number as a sum of one of ours and a constant."""
    if len(set(column)) == 1:
        return str(column[0])
    for k in varying[: len(_NAMES)]:
        shift = {theirs - ours for theirs, ours in zip(column, columns[k], strict=True)}
        if len(shift) == 1:
            (by,) = shift
            return f"{{{_NAMES[varying.index(k)]}{by:+d}}}" if by else f"{{{_NAMES[varying.index(k)]}}}"
    return None


def _filled(text: str, numbers: Sequence[str]) -> str:
    waiting = iter(numbers)
    return _NUMBER.sub(lambda _: next(waiting), text)


def _holds(line: tuple[str, str], pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether a line says nothing wrong of any pair."""
    ours = pattern.ours(line[0])
    return all(_says(line, *pair) for pair in pairs if ours.match(pair[0]) is not None)


def _says(line: tuple[str, str], left: str, right: str) -> bool:
    bound = pattern.ours(line[0]).match(left)
    return bound is not None and pattern.theirs(line[1]).evaluate(bound.__getitem__) == right


def _quoted(text: str) -> str:
    """As a value or key of YAML; names of a file may hold anything."""
    return text if re.fullmatch(r"[A-Za-z_][\w./{}+*-]*", text, re.ASCII) else json.dumps(text)
