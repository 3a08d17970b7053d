"""Calls of a block that repeat an earlier one: its nodes are taken again instead of being worked out anew.

What a body yields depends on the values of its parameters, on the tensors that go in, and on which
input sizes are still legal, and on nothing else. A deep network calls a handful of blocks hundreds
of times; only names and edges differ.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from resspec import limits, yamltree
from resspec.graph import Frame, Group, Node, Origin, Ref
from resspec.language.count import names_in
from resspec.language.document import Document
from resspec.language.schema import Block, Step
from resspec.language.scope import Binding, Result, Scope

if TYPE_CHECKING:
    from resspec.language.expand import Expander

Frames = tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the graph was when a call began."""

    nodes: int
    groups: int
    results: int
    steps: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What a call of a block did, all of it below its path."""

    begin: Mark
    steps: int
    path: str
    frames: Frames
    nodes: tuple[Node, ...]
    groups: tuple[Group, ...]
    results: tuple[tuple[str, Ref], ...]
    entries: tuple[Ref, ...]
    result: Result
    numbered: tuple[str, ...]


@dataclass(slots=True)
class Memory:
    """The calls that can be taken again, in one network or in several of the same file."""

    recordings: dict[Hashable, Recording] = field(default_factory=dict)
    arguments: dict[Hashable, dict[str, Binding]] = field(default_factory=dict)
    """parameters of calls, by the step and the values that it uses"""
    _used: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _words: dict[int, frozenset[str]] = field(default_factory=dict)

    def words_of(self, step: Step) -> tuple[str, ...]:
        """What may be names of values in the arguments of a step."""
        if id(step) not in self._used:
            self._used[id(step)] = tuple(sorted(set(names_in(step.arguments))))
        return self._used[id(step)]

    def words(self, document: Document) -> frozenset[str]:
        """What may be names of the file's own values in its blocks and defaults, which see them."""
        if id(document) not in self._words:
            tree = document.tree
            parts = [tree.get(key) for key in ("blocks", "defaults")] if isinstance(tree, yamltree.Mapping) else []
            texts = (text for part in parts if part is not None for text in _texts(part.value))
            self._words[id(document)] = frozenset(word for text in texts for word in _WORD.findall(text))
        return self._words[id(document)]


_WORD = re.compile("[A-Za-z][A-Za-z0-9_]*")


def _texts(tree: yamltree.Tree) -> Iterator[str]:
    if isinstance(tree, yamltree.Scalar):
        yield tree.text
    elif isinstance(tree, yamltree.Mapping):
        for entry in tree.entries:
            yield from _texts(entry.value)
    else:
        for item in tree.items:
            yield from _texts(item)


def surroundings(expander: Expander) -> Hashable:
    """The values of the root file that its blocks and defaults see: two networks of one file may differ in them."""
    values = expander.environment(expander.document).bindings
    seen = sorted(expander.memory.words(expander.document) & values.keys())
    return tuple((name, repr(values[name].value)) for name in seen)


def mark(expander: Expander) -> Mark:
    builder = expander.builder
    return Mark(len(builder.nodes), len(builder.groups), len(builder.results), expander.steps)


def key(
    expander: Expander,
    scope: Scope,
    home: Document,
    block: Block,
    values: Mapping[str, Any],
    entries: Sequence[Result],
) -> Hashable | None:
    """What decides the outcome of a call; None if it cannot be taken again (its weights are shared, say)."""
    if expander.sharing is not None:
        return None
    refs = [entry.refs[0] for entry in entries]
    found = (
        id(block),
        id(home),
        tuple((type(value), value) for value in values.values()),
        tuple(entry.specs[0] for entry in entries),
        tuple(map(refs.index, refs)),  # which of the inputs are one tensor
        expander.trains(scope),
        expander.builder.legal,
        expander.surroundings,
        len(scope.frames),
        expander.depth,
    )
    try:
        hash(found)
    except TypeError:
        return None
    return found


def record(
    expander: Expander, begin: Mark, path: str, frames: Frames, entries: Sequence[Result], result: Result
) -> Recording | None:
    """The call that began at `begin`; None if it failed or reads a tensor that is none of its inputs."""
    if result.poisoned or expander.findings.failed:
        return None
    builder = expander.builder
    refs = tuple(entry.refs[0] for entry in entries)
    nodes = tuple(builder.nodes[begin.nodes :])
    outside = {ref for node in nodes for ref in node.inputs if ref.node < begin.nodes}
    outside |= {ref for ref in result.refs if ref.node < begin.nodes}
    if not outside <= set(refs):
        return None
    groups = tuple(islice(reversed(builder.groups.values()), len(builder.groups) - begin.groups))
    results = tuple(islice(reversed(builder.results.items()), len(builder.results) - begin.results))
    steps = expander.steps - begin.steps
    below = (*(node.path for node in nodes), *(group.path for group in groups))
    numbered = tuple(name for name in below if name in expander.paths.numbered and name != path)
    return Recording(begin, steps, path, frames, nodes, groups[::-1], results[::-1], refs, result, numbered)


def replay(
    expander: Expander, recording: Recording, path: str, frames: Frames, entries: Sequence[Result]
) -> Result | None:
    """The same below `path` and on `entries`; None if that would go beyond a limit, which the long way tells."""
    builder, begin = expander.builder, recording.begin.nodes
    steps = expander.steps + recording.steps
    if len(builder.nodes) + len(recording.nodes) > limits.NODES or steps > limits.STEPS:
        return None
    expander.steps = steps
    shift = len(builder.nodes) - begin
    cut = len(recording.path)
    moved = {old: entry.refs[0] for old, entry in zip(recording.entries, entries, strict=True)}
    chains: dict[int, Frames] = {id(recording.frames): frames}

    def ref(old: Ref) -> Ref:
        return Ref(old.node + shift, old.output) if old.node >= begin else moved[old]

    def origin(old: Origin) -> Origin:
        chain = chains.get(id(old.chain))
        if chain is None:
            inner = old.chain[len(recording.frames) :]
            deeper = (Frame(one.label, path + one.path[cut:] if one.path else "", one.span) for one in inner)
            chain = chains[id(old.chain)] = (*frames, *deeper)
        return Origin(old.span, chain)

    for old in recording.nodes:
        name = path + old.path[cut:]
        owner = None if old.owner is None else path + old.owner[cut:]
        inputs = tuple(map(ref, old.inputs))
        builder.index[name] = len(builder.nodes)
        builder.nodes.append(Node(name, old.op, inputs, old.outputs, origin(old.origin), owner, old.trainable))
    for group in recording.groups:
        name = path + group.path[cut:]
        builder.groups[name] = Group(name, group.kind, group.arguments, origin(group.origin))
    expander.paths.numbered.update(path + name[cut:] for name in recording.numbered)
    for name, old_ref in recording.results:
        builder.results[path + name[cut:]] = ref(old_ref)
    return Result(tuple(map(ref, recording.result.refs)), recording.result.specs, recording.result.names)
