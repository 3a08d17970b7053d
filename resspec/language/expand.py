"""A document and the values of its parameters become a flat graph.

The expander walks the steps once. A step that fails leaves one finding and a poisoned result,
which silences whatever depends on it, so that all independent mistakes are found in one run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from resspec import limits, yamltree
from resspec.diagnostics import Findings, Label, Span, SpecError
from resspec.graph import Frame, Graph, Group, Origin, Ref
from resspec.language import arguments, environment, merges
from resspec.language.arguments import Several, make_op, problem_of, span_in
from resspec.language.builder import GraphBuilder
from resspec.language.document import Document
from resspec.language.expressions import Value
from resspec.language.schema import NAME, RESERVED, Block, Step
from resspec.language.scope import (
    POISON,
    Binding,
    Body,
    Instance,
    Paths,
    Poisoned,
    Problem,
    Result,
    Scope,
    Shared,
    Tap,
)
from resspec.language.slots import NUMBER, TEXT, Slot, SlotError, integral, read, slots_of
from resspec.ops.base import Op, OpError
from resspec.ops.foreign import KerasLayer, Resolver
from resspec.ops.merge import Merge
from resspec.suggest import did_you_mean
from resspec.tensor import Periodic, Product, Requirement

STRUCTURAL = ("repeat", "for", "tap", "expect")
"""keys of steps that are no op and no block"""


def expand(
    document: Document,
    sources: dict[str, str],
    settings: Mapping[str, Any],
    ops: Mapping[str, type[Op]],
    *,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    resolver: Resolver | None = None,
) -> tuple[Graph, Findings]:
    """The graph of `document` under `settings`, and the warnings; `SpecError` with all findings."""
    findings = Findings()
    expander = Expander(document, ops, findings, resolver)
    graph = expander.run(settings, inputs or {})
    if findings.failed:
        raise SpecError(findings.sorted(), sources)
    assert graph is not None
    return graph, findings


class Expander:
    """One run over one document."""

    def __init__(
        self, document: Document, ops: Mapping[str, type[Op]], findings: Findings, resolver: Resolver | None
    ) -> None:
        self.document, self.ops, self.findings, self.resolver = document, ops, findings, resolver
        self.builder = GraphBuilder()
        self.paths = Paths()
        self.outputs: dict[str, Ref] = {}
        self.output_spans: dict[str, Span] = {}
        self.environments: dict[int, environment.Environment] = {}
        self.sharing: tuple[str, str] | None = None
        """(path of the first call, path of this call) inside a shared block"""
        self.steps = 0
        self._called: set[tuple[int, str]] = set()
        self.loops = itertools.count()
        self._names: dict[int, frozenset[str]] = {}
        self._defaults: dict[tuple[int, str], dict[str, Any]] = {}

    # -- the whole graph -------------------------------------------------------------------

    def run(self, settings: Mapping[str, Any], rebound: Mapping[str, Sequence[Any]]) -> Graph | None:
        spec = self.document.spec
        try:
            env = environment.evaluate(self.document, settings, self.findings)
            self.environments[id(self.document)] = env
            declared = environment.inputs(self.document, env, rebound, self.findings)
        except Problem as problem:
            self.findings.add(problem.diagnostic)
            return None
        if self.findings.failed:
            return None
        instance = Instance(self.document, env.bindings)
        body = Body(None, None)
        scope = Scope(instance, body, "")
        for name, tensor in declared.items():
            span = self.document.span("inputs", name, key=True)
            self.paths.used.add(name)
            result = self.builder.add_input(name, tensor, span)
            body.taps[name] = Tap(result, span)
            body.input = body.prev = result if len(declared) == 1 else None
        if not declared:
            self.findings.error(
                "missing-argument", "the spec needs `inputs`", self.document.span(), help="inputs: {image: [224, 224, 3]}"
            )
        if not spec.graph:
            self.findings.error("missing-argument", "the spec needs a `graph` with at least one step", self.document.span())
        if self.findings.failed:
            return None
        self.steps_in(spec.graph, scope)
        self._static_checks()
        if self.findings.failed:
            return None
        if not self.outputs:
            prev = body.prev
            if prev is None or prev.poisoned:
                self.findings.error("missing-output", "no step yields the output", self.document.span("graph"))
                return None
            self.outputs["output"] = prev.refs[0]
        name = environment.text(self.document, spec.name, env, ("name",), self.findings)
        graph = self.builder.finish(name, self.outputs, env.params)
        self._collisions(graph)
        return graph

    def _collisions(self, graph: Graph) -> None:
        """Names that Keras would see twice."""
        seen: dict[str, int] = {}
        names = list(graph.layer_names)
        bearers = set(graph.bearers.values())
        for i, name in enumerate(names):
            if name in seen:
                one, two = graph.nodes[seen[name]], graph.nodes[i]
                self._collision(name, one.path, two.path, one.origin.span, two.origin.span)
            seen.setdefault(name, i)
        for name, ref in graph.outputs.items():
            if name not in bearers and name in seen:
                node = graph.nodes[seen[name]]
                if seen[name] != ref.node or name in graph.inputs:
                    self._collision(name, node.path, f"output {name}", node.origin.span, self.output_spans.get(name))

    def _collision(self, name: str, one: str, two: str, first: Span | None, second: Span | None) -> None:
        self.findings.error(
            "name-collision",
            f"`{one}` and `{two}` would both be the layer `{name}`",
            second,
            labels=[Label(first, "the other one")] if first else (),
            help="rename one of them",
        )

    def _static_checks(self) -> None:
        """Bodies that no call reached: their ops and keys are checked all the same."""
        for name, block in self.document.spec.blocks.items():
            if (id(self.document), name) not in self._called:
                self._unreached(block.graph, self.document)

    def _unreached(self, steps: Iterable[Step], document: Document) -> None:
        for step in steps:
            try:
                self._known(step, document)
            except Problem as problem:
                self.findings.add(problem.diagnostic)
            self._unreached(step.inline or step.do or (), document)

    # -- steps -------------------------------------------------------------------------------

    def steps_in(self, steps: Sequence[Step], scope: Scope) -> Result | None:
        """Carry out the steps of a body; its result is the last one's."""
        self.paths.claim(scope.prefix, self._claimed(steps))
        self._walk(steps, scope)
        return scope.body.prev

    def _claimed(self, steps: Sequence[Step]) -> frozenset[str]:
        """Names that the steps of a body claim literally: numbers of unnamed steps avoid them."""
        found = self._names.get(id(steps))
        if found is None:
            names: set[str] = set()
            for step in steps:
                if step.inline is not None:
                    names |= self._claimed(step.inline)
                elif step.name and "$" not in step.name:
                    names.add(step.name)
            found = self._names[id(steps)] = frozenset(names)
        return found

    def _walk(self, steps: Sequence[Step], scope: Scope) -> None:
        for step in steps:
            if step.inline is not None:
                self._walk(step.inline, scope)
                continue
            self.steps += 1
            if self.steps > limits.STEPS:
                raise self._fatal("too-many-steps", f"expanding takes more than {limits.STEPS} steps", step, scope)
            try:
                self.step(step, scope)
                continue
            except Poisoned:
                pass
            except Several as several:
                for diagnostic in several.diagnostics:
                    self._tell(diagnostic, scope)
            except Problem as problem:
                self._tell(problem.diagnostic, scope)
                if problem.diagnostic.code in FATAL:
                    raise
            self._poison(step, scope)

    def _fatal(self, code: str, message: str, step: Step, scope: Scope) -> SpecError:
        self._tell(Problem(code, message, step.tree.span).diagnostic, scope)
        return SpecError(self.findings.sorted(), {self.document.name: self.document.text})

    def _tell(self, diagnostic: Any, scope: Scope) -> None:
        notes = tuple(
            f"in {frame.label}" + (f", at `{frame.path}`" if frame.path else "") + (f", {frame.span.line}:{frame.span.column}" if frame.span else "")
            for frame in reversed(scope.frames)
        )
        self.findings.add(replace(diagnostic, notes=diagnostic.notes + notes[:6]))

    def _poison(self, step: Step, scope: Scope) -> None:
        """The step failed: its result and its name exist, but silence what uses them."""
        scope.body.prev = POISON
        if step.name is not None:
            try:
                name, loops = self.name(step, scope)
                scope.define(name, loops, Tap(POISON, step.tree.span))
            except (Problem, Poisoned):
                pass

    def step(self, step: Step, scope: Scope) -> None:
        looping = step.op in ("repeat", "for")
        inner = scope if looping or not step.let else scope.with_values(self.lets(step.let, scope, step))
        if step.when is not None and not self.when(step, inner):
            self._skip(step, inner)
            return
        if step.trainable is not None:
            value = self.value(step.trainable, NUMBER, inner, step, "trainable")
            if not isinstance(value, bool):
                raise Problem("bad-value", "`trainable` is true or false", self.place(step, "trainable"))
            if not value:
                inner = inner.with_values({})
                inner.trainable = False
        source = self.source(step, inner)
        if looping:
            result = self.loop(step, inner, source)
        else:
            result = self.apply(step, inner, source)
            if step.name is not None:
                name, loops = self.name(step, inner)
                inner.define(name, loops, Tap(result, self.place(step, "as")))
                if step.output:
                    self.mark(name, loops, result, step, inner)
            elif step.output:
                raise Problem("missing-argument", "`output: true` needs a name", self.place(step, "output"), "add `as: ...`")
        scope.body.prev = result.first if not result.poisoned else POISON

    def _skip(self, step: Step, scope: Scope) -> None:
        """A skipped step passes its input through; its op, keys and names are checked all the same."""
        self._known(step, scope.instance.document)
        if step.source is not None:
            scope.body.prev = self.source(step, scope, skipped=True) or scope.body.prev
        if step.name is not None:
            name, loops = self.name(step, scope)
            scope.define(name, loops, Tap(POISON, self.place(step, "when"), skipped=True))

    def _known(self, step: Step, document: Document) -> None:
        """`Problem` unless the step's op or block exists and has the arguments that are written."""
        if step.op is None or step.op in STRUCTURAL:
            return
        given = step.arguments if isinstance(step.arguments, dict) else {}
        found = document.block(step.op)
        if found is not None:
            keys: Iterable[str] = found[1].params
        elif step.op.startswith("keras."):
            return
        else:
            kind = self.ops.get(step.op)
            if kind is None:
                raise self.unknown_op(step, document)
            keys = (*kind.model_fields, *(merges.KEYS if issubclass(kind, Merge) else ()))
        for key in given:
            if key not in keys and key != "match":
                where = span_in(step.tree, step.op)((key,), True)
                raise Problem("unknown-argument", f"`{step.op}` has no argument `{key}`", where, did_you_mean(key, keys))

    def unknown_op(self, step: Step, document: Document) -> Problem:
        assert step.op is not None
        names = [*self.ops, *document.block_names, *STRUCTURAL]
        return Problem(
            "unknown-op",
            f"there is no op or block `{step.op}`",
            self.place(step, step.op, key=True),
            did_you_mean(step.op, names, most=0),
        )

    # -- parts of a step -----------------------------------------------------------------------

    def place(self, step: Step, *loc: str | int, key: bool = False) -> Span:
        return yamltree.locate(step.tree, loc, key=key)

    def lookup(self, scope: Scope, loops: set[int] | None = None) -> Callable[[str], Value]:
        def find(name: str) -> Value:
            if name in ("in", "prev"):
                result = scope.body.input if name == "in" else scope.body.prev
                if result is None:
                    raise KeyError(name)
                return result.value
            binding = scope.binding(name)
            tap = scope.tap(name)
            if tap is not None and (binding is None or tap.result.refs):
                return tap.result.value
            if binding is None:
                raise KeyError(name)
            if loops is not None:
                loops.update(binding.loops)
            return binding.value

        return find

    def value(
        self, raw: Any, slot: Slot, scope: Scope, step: Step, *loc: str | int, require: Any = None, loops: set[int] | None = None
    ) -> Any:
        """`raw`, which stands at `loc` of the step, as `slot` takes it."""
        try:
            return read(raw, slot, self.lookup(scope, loops), require)
        except SlotError as error:
            where = self.place(step, *loc, *error.path)
            raise problem_of(error, where, scope.visible) from None

    def lets(self, let: Mapping[str, Any], scope: Scope, step: Step) -> dict[str, Binding]:
        values: dict[str, Binding] = {}
        inner = scope.with_values(values)
        for name, raw in let.items():
            loops: set[int] = set()
            values[name] = Binding(self.value(raw, NUMBER, inner, step, "let", name, loops=loops), frozenset(loops))
        return values

    def when(self, step: Step, scope: Scope) -> bool:
        value = self.value(step.when, NUMBER, scope, step, "when")
        if isinstance(value, Periodic | Product):
            raise Problem("unknown-size", f"`when` cannot depend on the unknown size `{value}`", self.place(step, "when"))
        if not isinstance(value, bool):
            raise Problem("bad-value", f"`when` is true or false, got `{value}`", self.place(step, "when"))
        return value

    def name(self, step: Step, scope: Scope) -> tuple[str, frozenset[int]]:
        """The name that `as` gives, and the loops whose variables it is built with."""
        assert step.name is not None
        loops: set[int] = set()
        where = self.place(step, "as")
        name = self.value(step.name, TEXT, scope, step, "as", loops=loops) if "$" in step.name else step.name
        name = str(name)
        if not NAME.fullmatch(name):
            raise Problem("bad-name", f"`{name}` is not a name: letters, digits and `_`, a letter first", where)
        if name in RESERVED:
            raise Problem("bad-name", f"`{name}` is a word of the language", where, "choose another name")
        if name in self.ops:
            raise Problem("bad-name", f"`{name}` is an op and cannot be a name", where, f"write `{name}_` or a longer name")
        return name, frozenset(loops)

    def find(self, text: Any, scope: Scope, step: Step, *loc: str | int) -> Result:
        """The result that a tap's name stands for: `x`, `skip$i`, `prev`, `call.high`."""
        where = self.place(step, *loc)
        if not isinstance(text, str):
            raise Problem("bad-value", "a tensor is named by a word", where)
        name = str(self.value(text, TEXT, scope, step, *loc))
        head, _, part = name.partition(".")
        if head in ("in", "prev"):
            result = scope.body.input if head == "in" else scope.body.prev
            if result is None:
                raise Problem(
                    "undefined-input",
                    f"`{head}` is not defined before the first `from`, since there are several inputs",
                    where,
                    "begin with `from: " + next(iter(self.builder.inputs), "x") + "`",
                )
        else:
            tap = scope.tap(head)
            if tap is None:
                names = {n for s in scope.outwards() for n in s.body.taps} | {"in", "prev"}
                hint = did_you_mean(head, names)
                if scope.binding(head) is not None:
                    hint = f"`{head}` is a value; to use it in a name write `${head}`"
                raise Problem("unknown-name", f"there is no tensor `{head}` here", where, hint)
            if tap.skipped:
                raise Problem(
                    "skipped-name",
                    f"`{head}` does not exist here: every step that defines it was skipped",
                    where,
                    labels=(Label(tap.span, "its `when` is false"),),
                )
            result = tap.result
        if result.poisoned:
            raise Poisoned
        if part:
            picked = result.pick(part)
            if picked is None:
                names_of = ", ".join(f"`{one}`" for one in result.names) or "no named results"
                raise Problem("unknown-name", f"`{head}` has no result `{part}`; it has {names_of}", where)
            return picked
        return result

    def source(self, step: Step, scope: Scope, skipped: bool = False) -> list[Result] | dict[str, Result] | Any:
        """The inputs of the step: those of `from`, or the previous value."""
        if step.source is None:
            return [scope.body.prev] if scope.body.prev is not None else []
        if isinstance(step.source, list):
            found: Any = [self.find(item, scope, step, "from", i) for i, item in enumerate(step.source)]
        elif isinstance(step.source, dict):
            found = {key: self.find(item, scope, step, "from", key) for key, item in step.source.items()}
        else:
            try:
                found = [self.find(step.source, scope, step, "from")]
            except Problem:
                if not skipped:
                    raise
                return None
        if skipped:
            return found[0].first if isinstance(found, list) and found else None
        return found

    def single(self, source: Any, step: Step) -> Result:
        """The one input of a step."""
        items = list(source.values()) if isinstance(source, dict) else source
        if not items:
            raise Problem(
                "undefined-input",
                "`prev` is not defined before the first `from`, since there are several inputs",
                step.tree.span,
                "say which input is meant: `from: " + next(iter(self.builder.inputs), "x") + "`",
            )
        if len(items) > 1:
            raise Problem("wrong-inputs", f"one input is wanted here, got {len(items)}", self.place(step, "from"))
        if items[0].poisoned:
            raise Poisoned
        return items[0]

    def mark(self, name: str, loops: frozenset[int], result: Result, step: Step, scope: Scope) -> None:
        """`output: true`."""
        where = self.place(step, "output", key=True)
        if scope.instance.block:
            raise Problem("output-in-block", "`output` cannot stand inside a block", where, "mark the call of the block")
        if name in self.outputs:
            raise Problem(
                "duplicate-name",
                f"there are two outputs `{name}`",
                where,
                "in a loop build the name with `$`: `as: name$i`",
                labels=(Label(self.output_spans[name], "the first one"),),
            )
        if not result.poisoned:
            self.outputs[name] = result.refs[0]
            self.output_spans[name] = where

    # -- what a step may be -------------------------------------------------------------------

    def apply(self, step: Step, scope: Scope, source: Any) -> Result:
        if step.op is None:
            return self.body(step, scope, source)
        if step.do is not None:
            raise Problem("bad-value", f"`do` belongs to `repeat`, `for` or stands alone, not beside `{step.op}`", self.place(step, "do", key=True))
        if step.op == "tap":
            return self.find(step.arguments, scope, step, "tap")
        if step.op == "expect":
            return self.expect(step, scope, source)
        found = scope.instance.document.block(step.op)
        if found is not None:
            return self.call(step, scope, source, *found)
        return self.op(step, scope, source)

    def body(self, step: Step, scope: Scope, source: Any) -> Result:
        """A body that stands alone: `{do: [...], as: branch}`."""
        assert step.do is not None
        entry = self.single(source, step)
        prefix, frames = scope.prefix, scope.frames
        path = ""
        if step.name is not None:
            path = self.paths.named(scope.prefix, self.name(step, scope)[0])
            prefix = f"{path}/"
            self.builder.groups[path] = Group(path, "do", {}, Origin(step.tree.span, frames))
        inner = Scope(scope.instance, Body(entry, entry), prefix, scope, trainable=self._trains(scope), frames=frames)
        return self._result(path, self.steps_in(step.do, inner))

    def _trains(self, scope: Scope) -> bool:
        return all(one.trainable for one in scope.outwards())

    def _result(self, path: str, result: Result | None) -> Result:
        if result is None or result.poisoned:
            return POISON
        if path:
            self.builder.results[path] = result.refs[0]
        return result

    def expect(self, step: Step, scope: Scope, source: Any) -> Result:
        """`expect: [H/32, W/32, 2048]`: the shape that must stand here."""
        result = self.single(source, step)
        where = self.place(step, "expect")
        if not isinstance(step.arguments, list):
            raise Problem("bad-value", "`expect` is a list of sizes", where, "expect: [56, 56, 64]")

        def require(requirement: Requirement) -> None:
            self.builder.require(requirement, where, "`expect`")

        wanted = self.value(step.arguments, NUMBER, scope, step, "expect", require=require)
        got = result.specs[0].shape
        text = f"({', '.join('*' if size is None else str(size) for size in wanted)})"
        failed = Problem("expect-failed", f"expected {text}, got {result.specs[0]}", where)
        if len(wanted) != len(got):
            raise failed
        for size, actual in zip(wanted, got, strict=True):
            if size is None or self.builder.equal(size, actual):
                continue
            raise failed
        return result

    # -- loops -----------------------------------------------------------------------------------

    def loop(self, step: Step, scope: Scope, source: Any) -> Result:
        """`repeat: n` and `for: {...}`: the body once for every turn, the result of one the input of the next."""
        assert step.op is not None
        if step.do is None:
            raise Problem("missing-argument", f"`{step.op}` needs `do`", self.place(step, step.op, key=True), "add `do: [...]`")
        turns = self._repeat(step, scope) if step.op == "repeat" else self._for(step, scope)
        self._room(len(turns), step, scope)
        result = self.single(source, step) if source or not turns else POISON
        if not source:
            self.single(source, step)
        identity = next(self.loops)
        named = step.name is not None and "$" in step.name
        level = None
        if step.name is not None and not named and turns:
            level = self._level(step, scope, self.name(step, scope)[0])
        last: Scope | None = None
        for number, values in enumerate(turns):
            bindings = {name: Binding(value, frozenset((identity,))) for name, value in values.items()}
            label = ", ".join(f"{name} = {_brief(value)}" for name, value in values.items())
            turn = Scope(scope.instance, Body(result, result), scope.prefix, scope, bindings, identity)
            turn.trainable = self._trains(scope)
            turn.frames = (*scope.frames, Frame(f"turn {label}", "", self.place(step, step.op, key=True)))
            try:
                turn.values.update(self.lets(step.let, turn, step))
                if named:
                    level = self._level(step, turn, self.name(step, turn)[0], number)
            except Problem as problem:
                self._tell(problem.diagnostic, turn)
                return POISON
            if level is not None:
                turn.prefix = f"{level}/"
                turn.frames = (*scope.frames, Frame(f"turn {label}", level, self.place(step, step.op, key=True)))
            result = self._result(level or "", self.steps_in(step.do, turn))
            last = turn
            if named:
                name, loops = self.name(step, turn)
                turn.define(name, loops, Tap(result, self.place(step, "as")))
                if step.output:
                    self.mark(name, loops, result, step, scope)
        if step.name is not None and not named:
            name, loops = self.name(step, scope)
            scope.define(name, loops, Tap(result, self.place(step, "as")))
            if step.output:
                self.mark(name, loops, result, step, scope)
        elif step.output and step.name is None:
            raise Problem("missing-argument", "`output: true` needs a name", self.place(step, "output"), "add `as: ...`")
        if last is None:
            return result
        return result

    def _level(self, step: Step, scope: Scope, name: str, number: int = 0) -> str:
        path = self.paths.named(scope.prefix, name)
        self.builder.groups[path] = Group(path, str(step.op), {}, Origin(step.tree.span, scope.frames))
        return path

    def _room(self, turns: int, step: Step, scope: Scope) -> None:
        """Refuse loops that cannot end within the limits before their first turn."""
        if self.steps + turns * max(1, len(step.do or ())) > limits.STEPS or len(scope.frames) >= limits.CALL_DEPTH:
            deep = len(scope.frames) >= limits.CALL_DEPTH
            what = f"{limits.CALL_DEPTH} levels of blocks and loops" if deep else f"{limits.STEPS} steps"
            raise Problem("too-many-steps", f"this takes more than {what}", self.place(step, str(step.op)))

    def _repeat(self, step: Step, scope: Scope) -> Sequence[dict[str, Value]]:
        where = self.place(step, "repeat")
        count = integral(self.value(step.arguments, NUMBER, scope, step, "repeat"))
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise Problem("bad-value", f"`repeat` needs a count of at least 0, got `{_brief(count)}`", where)
        if count > limits.STEPS:
            raise Problem("too-many-steps", f"`repeat` of {count} turns; at most {limits.STEPS} steps are taken", where)
        return [{"i": i} for i in range(count)]

    def _for(self, step: Step, scope: Scope) -> Sequence[dict[str, Value]]:
        where = self.place(step, "for")
        if not isinstance(step.arguments, dict) or not step.arguments:
            raise Problem("bad-value", "`for` names its variables and their lists", where, "for: {width: [64, 128]}")
        columns: dict[str, Sequence[Any]] = {}
        for names, raw in step.arguments.items():
            values = self.value(raw, NUMBER, scope, step, "for", names)
            if not isinstance(values, tuple):
                raise Problem("bad-value", f"`for` walks lists, `{names}` is `{_brief(values)}`", self.place(step, "for", names))
            columns |= self._column(str(names), values, step)
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
            raise Problem("unequal-lists", f"`for` walks lists of one length: {told}", where)
        rows = zip(*columns.values(), strict=True)
        return [{"i": i} | dict(zip(columns, row, strict=True)) for i, row in enumerate(rows)]

    def _column(self, names: str, values: Sequence[Any], step: Step) -> dict[str, Sequence[Any]]:
        """One variable, or several that unpack rows: `"t, c, n": rows`."""
        parts = [part.strip() for part in names.split(",")]
        where = self.place(step, "for", names, key=True)
        for part in parts:
            if not NAME.fullmatch(part) or part in RESERVED:
                raise Problem("bad-name", f"`{part}` cannot name a loop variable", where)
        if len(parts) == 1:
            return {parts[0]: values}
        for row in values:
            if not isinstance(row, tuple) or len(row) != len(parts):
                raise Problem("unequal-lists", f"`{names}` unpacks rows of {len(parts)}, got `{_brief(row)}`", where)
        return {part: [row[k] for row in values] for k, part in enumerate(parts)}

    # -- blocks ---------------------------------------------------------------------------------

    def call(self, step: Step, scope: Scope, source: Any, home: Document, block: Block) -> Result:
        """A call of a block: a new instance with its own names."""
        assert step.op is not None
        if len(scope.frames) >= limits.CALL_DEPTH:
            raise Problem(
                "too-deep",
                f"blocks and loops are nested more than {limits.CALL_DEPTH} levels",
                step.tree.span,
                notes=tuple(f"through {frame.label}" for frame in scope.frames[-4:]),
            )
        original = next(name for name, one in home.spec.blocks.items() if one is block)
        self._called.add((id(home), original))
        values = self._bind(step, scope, home, block)
        self._shrinks(step, scope, home, block, original, values)
        taps, entry = self._entries(step, source, block)
        name = self.name(step, scope)[0] if step.name is not None else None
        path = self.paths.named(scope.prefix, name) if name else self.paths.unnamed(scope.prefix, step.op)
        origin = Origin(step.tree.span, scope.frames)
        params = {key: binding.value for key, binding in values.items()}
        self.builder.groups[path] = Group(path, step.op, params, origin)
        frames = (*scope.frames, Frame(f"block `{step.op}`", path, step.tree.span))
        env = self._environment(home)
        instance = Instance(home, {**env.bindings, **values}, frames, {}, scope.instance, original)
        inner = Scope(instance, Body(entry, entry, taps), f"{path}/", None, {}, None, self._trains(scope), frames)
        lets = Step.model_construct(let=block.let)
        lets._tree = yamltree_of_block(home, original)
        instance.values = {**instance.values, **self.lets(block.let, inner, lets)}
        before = self.sharing
        if step.share is not None:
            key = self._share(step, scope, (id(block), tuple(params.items())), path)
            self.sharing = (key, path) if key != path else self.sharing
        result = self.steps_in(block.graph, inner)
        self.sharing = before
        if not block.outputs:
            return self._result(path, result)
        found = {}
        outputs_step = Step.model_construct()
        outputs_step._tree = yamltree_of_block(home, original)
        for output, tap in block.outputs.items():
            found[output] = self.find(tap, inner, outputs_step, "outputs", output)
        several = Result(
            tuple(one.refs[0] for one in found.values()), tuple(one.specs[0] for one in found.values()), tuple(found)
        )
        return self._result(path, several)

    def _environment(self, document: Document) -> environment.Environment:
        found = self.environments.get(id(document))
        if found is None:
            found = self.environments[id(document)] = environment.evaluate(document, {}, self.findings)
        return found

    def _bind(self, step: Step, scope: Scope, home: Document, block: Block) -> dict[str, Binding]:
        """The values of the block's parameters at this call."""
        raw = step.arguments
        where = span_in(step.tree, step.op)
        if isinstance(raw, dict) and not ("match" in raw and "match" not in block.params):
            given = {str(key): (value, (key,)) for key, value in raw.items()}
        elif raw is None:
            given = {}
        elif not block.params:
            raise Problem("unknown-argument", f"block `{step.op}` takes no arguments", where((), False))
        else:
            given = {next(iter(block.params)): (raw, ())}
        for key in given:
            if key not in block.params:
                raise Problem(
                    "unknown-argument",
                    f"block `{step.op}` has no parameter `{key}`",
                    where((key,), True),
                    did_you_mean(key, block.params),
                )
        values: dict[str, Binding] = {}
        env = self._environment(home)
        for name, param in block.params.items():
            if name in given:
                raw_value, loc = given[name]
                span = where(loc, False)
                try:
                    value = arguments.read_param(name, param, raw_value, self.lookup(scope), span)
                except SlotError as error:
                    raise problem_of(error, where((*loc, *error.path), False), scope.visible) from None
            elif param.required:
                raise Problem(
                    "missing-argument", f"block `{step.op}` needs `{name}`", where((), False), f"write `{name}: ...`"
                )
            else:
                original = next(key for key, one in home.spec.blocks.items() if one is block)
                span = home.span("blocks", original, "params", name)

                def own(wanted: str, values: dict[str, Binding] = values) -> Value:
                    return (values[wanted] if wanted in values else env.bindings[wanted]).value

                try:
                    value = arguments.read_param(name, param, param.default, own, span)
                except SlotError as error:
                    raise problem_of(error, span, lambda: set(env.bindings) | set(values)) from None
            values[name] = Binding(value)
        return values

    def _shrinks(
        self, step: Step, scope: Scope, home: Document, block: Block, name: str, values: Mapping[str, Binding]
    ) -> None:
        """A block that calls itself must come nearer its end: some integer smaller, none larger."""
        instance: Instance | None = scope.instance
        while instance is not None and not (instance.block == name and instance.document is home):
            instance = instance.caller
        if instance is None:
            return
        numbers = [key for key, param in block.params.items() if param.item == "int" and not param.is_list]
        pairs = [(instance.values[key].value, values[key].value) for key in numbers]
        known = [(a, b) for a, b in pairs if isinstance(a, int) and isinstance(b, int)]
        if any(b < a for a, b in known) and all(b <= a for a, b in known):
            return
        told = ", ".join(f"{key} = {instance.values[key].value} -> {values[key].value}" for key in numbers)
        raise Problem(
            "endless-recursion",
            f"block `{name}` calls itself without coming nearer an end" + (f" ({told})" if told else ""),
            step.tree.span,
            "make an integer parameter smaller at every call, and end with `when`",
            notes=tuple(f"called by {frame.label}, at `{frame.path}`" for frame in scope.frames[-4:]),
        )

    def _entries(self, step: Step, source: Any, block: Block) -> tuple[dict[str, Tap], Result]:
        """The inputs of a call under the block's names, and its `in`."""
        where = self.place(step, "from") if step.source is not None else step.tree.span
        if not block.inputs:
            return {}, self.single(source, step)
        if isinstance(source, dict):
            for key in source:
                if key not in block.inputs:
                    raise Problem("unknown-name", f"block `{step.op}` has no input `{key}`", where, did_you_mean(key, block.inputs))
            missing = [name for name in block.inputs if name not in source]
            found = source
        else:
            found = dict(zip(block.inputs, source, strict=False))
            missing = block.inputs[len(source) :]
            if len(source) > len(block.inputs):
                raise Problem("wrong-inputs", f"block `{step.op}` has {len(block.inputs)} inputs, got {len(source)}", where)
        if missing:
            names = ", ".join(block.inputs)
            raise Problem("wrong-inputs", f"block `{step.op}` needs `from: [{names}]`; `{missing[0]}` is missing", where)
        if any(one.poisoned for one in found.values()):
            raise Poisoned
        return {name: Tap(result.first, where) for name, result in found.items()}, found[block.inputs[0]].first

    # -- ops ----------------------------------------------------------------------------------------

    def op(self, step: Step, scope: Scope, source: Any) -> Result:
        """A call of an op."""
        assert step.op is not None
        kind = KerasLayer if step.op.startswith("keras.") else self.ops.get(step.op)
        if kind is None:
            raise self.unknown_op(step, scope.instance.document)
        self._known(step, scope.instance.document)
        operands = list(source.values()) if isinstance(source, dict) else source
        raw = step.arguments
        options: dict[str, Any] = {}
        if issubclass(kind, Merge):
            operands, raw, options = merges.operands(self, step, scope, operands, kind)
        elif not operands:
            self.single(operands, step)
        if any(operand.poisoned for operand in operands):
            raise Poisoned
        operands = [operand.first for operand in operands]
        made = self._made(kind, step, scope, raw)
        path = self._path(step, scope)
        operands = merges.mended(self, made, operands, options, path, step, scope)
        if isinstance(made, KerasLayer):
            made = self._resolve(made, operands, step)
        return self.add(made, operands, path, step, scope)

    def _made(self, kind: type[Op], step: Step, scope: Scope, raw: Any) -> Op:
        assert step.op is not None
        where = span_in(step.tree, step.op)
        if kind is KerasLayer:
            return self._foreign(step, scope, raw)
        if isinstance(raw, dict) and not ("match" in raw and "match" not in kind.model_fields):
            given = raw
        elif raw is None:
            given = {}
        elif kind.primary is None:
            raise Problem("bad-value", f"`{step.op}` takes no value of its own", where((), False), f"write `{step.op}: {{...}}`")
        else:
            given = {kind.primary: raw}
        lone = given is not raw
        slots = slots_of(kind)
        values = {}
        for key, item in given.items():
            try:
                values[key] = read(item, slots.get(key, TEXT), self.lookup(scope))
            except SlotError as error:
                loc = error.path if lone else (key, *error.path)
                raise problem_of(error, where(loc, False), scope.visible) from None
            if isinstance(values[key], Periodic | Product):
                raise Problem("unknown-size", f"`{key}` needs a number, `{values[key]}` is unknown", where(() if lone else (key,), False))
        return make_op(
            kind, values, self.defaults(kind, scope), lambda loc, is_key: where(loc[1:] if lone else loc, is_key)
        )

    def defaults(self, kind: type[Op], scope: Scope) -> dict[str, Any]:
        """What `defaults` of the block's file says of an op, over what the root spec's says."""
        found: dict[str, Any] = {}
        for document in dict.fromkeys((self.document, scope.instance.document)):
            key = (id(document), kind.kind)
            if key not in self._defaults:
                self._defaults[key] = environment.defaults(document, kind, self._environment(document), self.findings)
            found |= self._defaults[key]
        return found

    def _foreign(self, step: Step, scope: Scope, raw: Any) -> Op:
        """`keras.<Class>`: any other layer of Keras from the list of those that are plain data."""
        assert step.op is not None
        if raw is not None and not isinstance(raw, dict):
            raise Problem("bad-value", f"`{step.op}` takes its arguments by name", self.place(step, step.op), f"{step.op}: {{...}}")
        values = {str(key): self.value(item, TEXT, scope, step, step.op, key) for key, item in (raw or {}).items()}
        try:
            return KerasLayer.of(step.op.removeprefix("keras."), values)
        except OpError as error:
            where = span_in(step.tree, step.op)((error.argument,) if error.argument else (), False)
            raise Problem(error.code, error.message, where, error.help) from None

    def _resolve(self, op: KerasLayer, operands: Sequence[Result], step: Step) -> Op:
        if self.resolver is None:
            return op  # says itself that Keras is needed
        try:
            return op.ask(self.resolver, tuple(operand.specs[0] for operand in operands))
        except OpError as error:
            raise Problem(error.code, error.message, self.place(step, str(step.op), key=True), error.help) from None

    def _path(self, step: Step, scope: Scope) -> str:
        if step.name is not None:
            return self.paths.named(scope.prefix, self.name(step, scope)[0])
        assert step.op is not None
        return self.paths.unnamed(scope.prefix, step.op.removeprefix("keras.").lower())

    def add(self, op: Op, operands: Sequence[Result], path: str, step: Step, scope: Scope) -> Result:
        """A node, with the owner of its weights where they are shared, and a place for its mistakes."""
        origin = Origin(step.tree.span, scope.frames)
        owner = None
        if step.share is not None:
            first = self._share(step, scope, (op.kind, op), path)
            owner = first if first != path else None
        if owner is None and self.sharing is not None and path.startswith(self.sharing[1] + "/"):
            owner = self.sharing[0] + path.removeprefix(self.sharing[1])
        if owner is not None and owner in self.builder.index:
            owner = self.builder.nodes[self.builder.index[owner]].owner or owner
        try:
            result = self.builder.add(op, operands, path, origin, trainable=self._trains(scope), owner=owner)
        except Problem as problem:
            raise self._narrow(problem, step) from None
        if owner is not None:
            self._same_weights(path, owner, step)
        return result

    def _narrow(self, problem: Problem, step: Step) -> Problem:
        """Point at the argument that an op refuses, or at its name."""
        where = span_in(step.tree, step.op)
        diagnostic = problem.diagnostic
        if problem.argument is not None and isinstance(step.arguments, dict) and problem.argument in step.arguments:
            span = where((problem.argument,), False)
        elif problem.operand is not None and step.source is not None:
            span = self.place(step, "from", problem.operand)
        else:
            span = self.place(step, str(step.op), key=True)
        problem.diagnostic = replace(diagnostic, span=span)
        return problem

    def _share(self, step: Step, scope: Scope, what: tuple[Any, ...], path: str) -> str:
        """The path that owns the weights under a `share` key: that of the first call."""
        key = str(self.value(step.share, TEXT, scope, step, "share"))
        shared = scope.instance.shared
        first = shared.setdefault(key, Shared(what, path, step.tree.span))
        if first.what != what:
            raise Problem(
                "share-mismatch",
                f"`share: {key}` needs the same op or block with the same arguments",
                self.place(step, "share"),
                "use another key, or equal arguments",
                labels=(Label(first.span, "the first call"),),
            )
        return first.path

    def _same_weights(self, path: str, owner: str, step: Step) -> None:
        builder = self.builder
        one, two = (builder.nodes[builder.index[name]] for name in (owner, path))
        shapes = [
            [(w.name, w.shape) for w in node.op.weights(*(builder.nodes[r.node].outputs[r.output] for r in node.inputs))]
            for node in (one, two)
        ]
        if one.op != two.op or shapes[0] != shapes[1]:
            told = " and ".join(", ".join(str(shape) for _, shape in each) for each in shapes)
            raise Problem(
                "share-mismatch",
                f"`{path}` cannot use the weights of `{owner}`: they have the shapes {told}",
                step.tree.span,
                labels=(Label(one.origin.span, "the first call"),) if one.origin.span else (),
            )


FATAL = frozenset({"too-many-nodes", "too-many-steps"})
"""findings after which going on would only cost time"""


def yamltree_of_block(document: Document, name: str) -> yamltree.Tree:
    tree = document.tree
    for part in ("blocks", name):
        entry = tree.get(part) if isinstance(tree, yamltree.Mapping) else None
        assert entry is not None
        tree = entry.value
    return tree


def _brief(value: Any) -> str:
    text = str(list(value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."
