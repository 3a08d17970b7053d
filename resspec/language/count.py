"""How many steps a spec surely takes, counted before any of them is carried out.

A few lines of loops and blocks can ask for more work than there is time. Bodies are counted once for
the values that they use, so that 60 doublings cost 60 looks. What depends on a tensor is not known yet
and counts as nothing: the count is a lower bound, and the expander keeps its own limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from resspec import limits
from resspec.diagnostics import Span
from resspec.language.document import Document
from resspec.language.environment import Environment
from resspec.language.expressions import ExpressionError, Value
from resspec.language.loops import FEWER
from resspec.language.schema import Block, Step
from resspec.language.scope import Problem
from resspec.language.slots import NUMBER, TEXT, SlotError, integral, read

TURNS = 64
"""turns of one loop that are looked at one by one; of longer ones the body is counted once and multiplied"""

LOOKS = 50
"""looks at steps after which every loop is counted as the long ones are"""

MOST_LOOKS = 20_000
"""looks at steps after which the rest counts as nothing, so that counting itself ends"""


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
        self.looks = self.depth = 0
        self._known: dict[Any, Size] = {}
        self._open: set[Any] = set()
        self._names: dict[int, frozenset[str]] = {}

    def check(self) -> None:
        """`Problem` (`too-many-steps` or `too-many-nodes`) if the graph is beyond the limits."""
        self.steps(self.document.spec.graph, self.env, self.document)

    def steps(self, steps: Sequence[Step], values: Mapping[str, Value], home: Document) -> Size:
        names = self._names.get(id(steps))
        if names is None:
            names = self._names[id(steps)] = frozenset(names_in(steps))
        key = (id(steps), *((name, exact(values[name])) for name in sorted(names & values.keys())))
        if key not in self._known:
            self._known[key] = self._steps(steps, values, home)
        return self._known[key]

    def _steps(self, steps: Sequence[Step], values: Mapping[str, Value], home: Document) -> Size:
        taken = nodes = 0
        if self.depth > limits.BODY_DEPTH:  # the expander tells
            return Size(0, 0)
        self.depth += 1
        for step in steps:
            size = self.steps(step.inline, values, home) if step.inline is not None else self.step(step, values, home)
            taken, nodes = taken + size.steps, nodes + size.nodes
            self._bounded(Size(taken, nodes), step)
        self.depth -= 1
        return Size(taken, nodes)

    def step(self, step: Step, values: Mapping[str, Value], home: Document) -> Size:
        self.looks += 1
        if self.looks > MOST_LOOKS:
            return Size(0, 0)
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
        count, turns = self._turns(step, values)
        body = step.do or ()
        taken = nodes = 0
        for done, turn in enumerate(turns):
            if count > TURNS or self.looks > LOOKS:  # the rest at once, with the variables of the loop unknown
                inner = self.steps(body, self.lets(step.let, _without(values, {*turn, *step.let})), home)
                rest = count - done
                taken, nodes = taken + rest * max(inner.steps, 1), nodes + rest * inner.nodes
            else:
                inner = self.steps(body, self.lets(step.let, {**values, **turn}), home)
                rest = 1
                taken, nodes = taken + inner.steps, nodes + inner.nodes
            self._bounded(Size(taken, nodes), step)
            if rest > 1:
                break
        return Size(taken + 1, nodes)

    def _turns(self, step: Step, values: Mapping[str, Value]) -> tuple[int, list[dict[str, Value]]]:
        """How many turns a loop has, and the variables of the first of them; none if that is not known."""
        if step.op == "repeat":
            count = integral(self.value(step.arguments, values))
            if not isinstance(count, int) or isinstance(count, bool):
                return 0, []
            return count, [{"i": i} for i in range(min(count, TURNS))]
        columns = step.arguments if isinstance(step.arguments, dict) else {}
        lists = {name: self.value(raw, values) for name, raw in columns.items()}
        found = [item for item in lists.values() if isinstance(item, tuple)]
        if len(found) < len(lists):
            return 0, []
        rows = list(zip(*found, strict=False))
        return len(rows), [{"i": i, **_unpacked(lists, row)} for i, row in enumerate(rows[:TURNS])]

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
        key = (id(block), *((name, exact(value)) for name, value in bound.items()))
        if key in self._open:
            return Size(0, 0)
        self._open.add(key)
        size = self.steps(block.graph, self.lets(block.let, {**outer, **bound}), home)
        self._open.discard(key)
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
            raise Problem("too-many-nodes", f"the graph would have more than {limits.NODES} ops", _span(step), FEWER)
        if size.steps > limits.STEPS:
            raise Problem("too-many-steps", f"expanding takes more than {limits.STEPS} steps", _span(step), FEWER)


def _span(step: Step) -> Span:
    span: Span = step.tree.span
    return span


def _lookup(values: Mapping[str, Value]) -> Any:
    def find(name: str) -> Value:
        if name not in values:
            raise _Unknown(name)
        return values[name]

    return find


def names_in(written: Any) -> Iterator[str]:
    """Every word in steps, or in what stands in them, that may be the name of a value."""
    if isinstance(written, str):
        yield from _WORD.findall(written)
    elif isinstance(written, Step):
        for part in (written.inline, written.arguments, written.when, written.let, written.do):
            yield from names_in(part)
    elif isinstance(written, dict):
        yield from names_in(list(written.values()))
    elif isinstance(written, list):
        for item in written:
            yield from names_in(item)


_WORD = re.compile("[A-Za-z][A-Za-z0-9_]*")


def exact(value: Value) -> Any:
    """What tells values apart that Python calls equal: `1`, `1.0` and `true`, in lists too."""
    return repr(value) if isinstance(value, tuple | Mapping) else (type(value), value)


def _without(values: Mapping[str, Value], names: Iterable[str]) -> dict[str, Value]:
    gone = set(names)
    return {name: value for name, value in values.items() if name not in gone}


def _unpacked(columns: Mapping[str, Any], row: tuple[Any, ...]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for names, value in zip(columns, row, strict=True):
        parts = [part.strip() for part in str(names).split(",")]
        if len(parts) == 1:
            found[parts[0]] = value
        elif isinstance(value, tuple):
            found |= dict(zip(parts, value, strict=False))
    return found
