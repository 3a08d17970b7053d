"""How many steps a spec surely takes, counted before any of them is carried out.

A few lines of loops and blocks can ask for more work than there is time. Calls with equal arguments
are counted once and multiplied, so that 60 doublings cost 60 looks. What depends on a tensor is not
known yet and counts as nothing: the count is a lower bound, and the expander keeps its own limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from resspec import limits
from resspec.diagnostics import Span
from resspec.language.document import Document
from resspec.language.environment import Environment
from resspec.language.expressions import ExpressionError, Value
from resspec.language.schema import Block, Step
from resspec.language.scope import Problem
from resspec.language.slots import NUMBER, TEXT, SlotError, integral, read

TURNS = 64
"""turns of one loop that are looked at one by one; of longer ones the body is counted once and multiplied"""


class Size(NamedTuple):
    """Steps, and how many of them yield an op."""

    steps: int
    nodes: int


class _Unknown(Exception):
    """A value that only expanding can tell."""


class Counter:
    """Counts the steps of one document under the values of its parameters."""

    def __init__(self, document: Document, env: Environment) -> None:
        self.document = document
        self.env = {name: binding.value for name, binding in env.bindings.items()}
        self._known: dict[Any, Size] = {}
        self._open: set[Any] = set()

    def check(self) -> None:
        """`Problem` (`too-many-steps` or `too-many-nodes`) if the graph is beyond the limits."""
        self.steps(self.document.spec.graph, self.env, self.document)

    def steps(self, steps: Sequence[Step], values: Mapping[str, Value], home: Document) -> Size:
        taken = nodes = 0
        for step in steps:
            size = self.steps(step.inline, values, home) if step.inline is not None else self.step(step, values, home)
            taken, nodes = taken + size.steps, nodes + size.nodes
            self._bounded(Size(taken, nodes), step)
        return Size(taken, nodes)

    def step(self, step: Step, values: Mapping[str, Value], home: Document) -> Size:
        if step.let and step.op not in ("repeat", "for"):
            values = self.lets(step.let, values)
        if step.when is not None and self.value(step.when, values) is not True:
            return Size(0, 0)
        if step.op == "repeat" or step.op == "for":
            return self.loop(step, values, home)
        if step.do is not None:
            inner = self.steps(step.do, values, home)
            return Size(inner.steps + 1, inner.nodes)
        found = home.block(step.op) if step.op is not None else None
        if found is None:
            return Size(1, 0 if step.op in ("tap", "expect") else 1)
        inner = self.call(step, values, *found)
        return Size(inner.steps + 1, inner.nodes)

    def loop(self, step: Step, values: Mapping[str, Value], home: Document) -> Size:
        turns: list[dict[str, Value]] = []
        if step.op == "repeat":
            count = integral(self.value(step.arguments, values))
            if not isinstance(count, int) or isinstance(count, bool):
                return Size(1, 0)
            turns = [{"i": i} for i in range(min(count, TURNS + 1))]
        else:
            columns = step.arguments if isinstance(step.arguments, dict) else {}
            lists = {name: self.value(raw, values) for name, raw in columns.items()}
            if not all(isinstance(item, tuple) for item in lists.values()):
                return Size(1, 0)
            count = max((len(item) for item in lists.values() if isinstance(item, tuple)), default=0)
            rows = list(zip(*(item for item in lists.values() if isinstance(item, tuple)), strict=False))
            turns = [{"i": i, **_unpacked(lists, row)} for i, row in enumerate(rows[: TURNS + 1])]
        if len(turns) > TURNS:
            hidden = dict.fromkeys(turns[0])
            inner = self.steps(step.do or (), _without(values, hidden), home)
            total = Size(count * max(inner.steps, 1), count * inner.nodes)
            self._bounded(total, step)
            return total
        taken = nodes = 0
        for turn in turns:
            inner = self.steps(step.do or (), self.lets(step.let, {**values, **turn}), home)
            taken, nodes = taken + inner.steps, nodes + inner.nodes
            self._bounded(Size(taken, nodes), step)
        return Size(taken + 1, nodes)

    def call(self, step: Step, values: Mapping[str, Value], home: Document, block: Block) -> Size:
        given = step.arguments if isinstance(step.arguments, dict) else {}
        if step.arguments is not None and not given and block.params:
            given = {next(iter(block.params)): step.arguments}
        bound: dict[str, Value] = {}
        outer = self.env if home is self.document else {}
        for name, param in block.params.items():
            raw, names = (given[name], values) if name in given else (param.default, {**outer, **bound})
            try:
                bound[name] = integral(read(raw, TEXT if param.item == "str" else NUMBER, _lookup(names)))
            except (SlotError, ExpressionError, _Unknown):
                continue
        try:
            key: Any = (id(block), *((name, type(value), value) for name, value in bound.items()))
            if key in self._open:
                return Size(0, 0)
            if key in self._known:
                return self._known[key]
        except TypeError:
            return Size(0, 0)
        self._open.add(key)
        if len(self._open) <= limits.CALL_DEPTH:
            size = self.steps(block.graph, self.lets(block.let, {**outer, **bound}), home)
        else:
            size = Size(0, 0)
        self._open.discard(key)
        self._known[key] = size
        return size

    def lets(self, let: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, Value]:
        found = dict(values)
        for name, raw in let.items():
            found.pop(name, None)
            value = self.value(raw, found)
            if value is not None:
                found[name] = value
        return found

    def value(self, raw: Any, values: Mapping[str, Value]) -> Value:
        """A value, or None where it is not known yet or wrong; the expander tells what is wrong."""
        try:
            found: Value = read(raw, NUMBER, _lookup(values))
        except (SlotError, ExpressionError, _Unknown):
            return None
        return found

    def _bounded(self, size: Size, step: Step) -> None:
        if size.nodes > limits.NODES:
            raise Problem("too-many-nodes", f"the graph would have more than {limits.NODES} ops", _span(step))
        if size.steps > limits.STEPS:
            raise Problem("too-many-steps", f"expanding takes more than {limits.STEPS} steps", _span(step))


def _span(step: Step) -> Span:
    span: Span = step.tree.span
    return span


def _lookup(values: Mapping[str, Value]) -> Any:
    def find(name: str) -> Value:
        if name not in values:
            raise _Unknown(name)
        return values[name]

    return find


def _without(values: Mapping[str, Value], names: Mapping[str, Any]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name not in names}


def _unpacked(columns: Mapping[str, Any], row: tuple[Any, ...]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for names, value in zip(columns, row, strict=True):
        parts = [part.strip() for part in str(names).split(",")]
        if len(parts) == 1:
            found[parts[0]] = value
        elif isinstance(value, tuple):
            found |= dict(zip(parts, value, strict=False))
    return found
