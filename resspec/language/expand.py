"""A document and the values of its parameters become a flat graph.

The expander walks the steps once. A step that fails leaves one finding and a poisoned result,
which silences whatever depends on it, so that all independent mistakes are found in one run.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from resspec import limits, yamltree
from resspec.diagnostics import Diagnostic, Findings, Label, Span, SpecError
from resspec.graph import Graph, Group, Origin, Ref
from resspec.language import (
    blame,
    blockcall,
    defaults,
    environment,
    expectation,
    loops,
    names,
    opcall,
    static,
    story,
    taps,
)
from resspec.language.arguments import Several, problem_of
from resspec.language.builder import GraphBuilder
from resspec.language.count import Counter
from resspec.language.document import Document
from resspec.language.errors import shown
from resspec.language.expressions import Value
from resspec.language.fitting import Freed, with_fitting_sizes
from resspec.language.live import ends, live
from resspec.language.relations import Related, Relation, substituted
from resspec.language.replay import Memory, surroundings
from resspec.language.schema import NAME, RESERVED, Step
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
    Tap,
)
from resspec.language.slots import NUMBER, TEXT, Slot, SlotError, read
from resspec.ops.base import Op
from resspec.ops.foreign import Resolver
from resspec.sizes import Periodic, Product
from resspec.tensor import TensorSpec


def expand(
    document: Document,
    sources: dict[str, str],
    settings: Mapping[str, Any],
    ops: Mapping[str, type[Op]],
    *,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    resolver: Resolver | None = None,
    memory: Memory | None = None,
) -> tuple[Graph, Findings]:
    """The graph of `document` under `settings`, and the warnings; `SpecError` with all findings.

    Several networks of one document are sooner expanded with one `memory`.
    """
    relations: dict[str, Relation] = {}
    while True:
        findings = Findings()
        expander = Expander(document, sources, ops, findings, resolver, relations, memory)
        try:
            graph = expander.run(settings, inputs or {})
        except Related as found:  # one unknown fewer
            relations = substituted(relations, found.relation)
            continue
        if findings.failed:

            def freed(sizes: Freed) -> Graph:
                return expand(document, sources, settings, ops, inputs=sizes, resolver=resolver)[0]

            raise SpecError(with_fitting_sizes(findings.sorted(), expander.declared, freed), sources)
        assert graph is not None
        return graph, findings


def check_library(document: Document, sources: dict[str, str], ops: Mapping[str, type[Op]]) -> Findings:
    """What can be found in a file of blocks without a call of them: their ops, and the arguments' names."""
    findings = Findings()
    static.check_blocks(Expander(document, sources, ops, findings, None))
    return findings


class Expander:
    """One run over one document."""

    def __init__(
        self,
        document: Document,
        sources: dict[str, str],
        ops: Mapping[str, type[Op]],
        findings: Findings,
        resolver: Resolver | None,
        relations: Mapping[str, Relation] = MappingProxyType({}),
        memory: Memory | None = None,
    ) -> None:
        self.relations = relations
        self.declared: dict[str, TensorSpec] = {}
        self.document, self.sources, self.ops = document, sources, ops
        self.findings, self.resolver = findings, resolver
        self.builder = GraphBuilder()
        self.paths = Paths()
        self.outputs: dict[str, Ref] = {}
        self.output_spans: dict[str, Span] = {}
        self.environments: dict[int, environment.Environment] = {}
        self.sharing: tuple[str, str] | None = None
        """(path of the first call, path of this call) inside a shared block"""
        self.steps = self.depth = 0
        self.failures: dict[int, int] = defaultdict(int)
        """how often a step was wrong, by its id"""
        self.called: set[tuple[int, str]] = set()
        self.loops = itertools.count()
        self.memory = memory or Memory()
        self.walked: dict[int | None, Step] = {}
        """the `for` steps whose lists are being walked, by the identity of the loop"""
        self._names: dict[int, frozenset[str]] = {}
        self._places: dict[tuple[Any, ...], Span] = {}
        self._legal_names: set[str] = set()
        self.made: dict[tuple[Any, ...], Op] = {}
        """ops by the step and arguments that they were made from"""
        self.default_arguments: dict[tuple[int, str], dict[str, Any]] = {}

    # -- the whole graph -------------------------------------------------------------------

    def run(self, settings: Mapping[str, Any], rebound: Mapping[str, Sequence[Any]]) -> Graph | None:
        spec = self.document.spec
        try:
            env = environment.evaluate(self.document, settings, self.findings)
            self.environments[id(self.document)] = env
            sizes = {name: relation.size for name, relation in self.relations.items()}
            self.declared = declared = environment.inputs(self.document, env, rebound, sizes, self.findings)
            Counter(self.document, env).check()
            defaults.check(self)
        except Problem as problem:
            self.findings.add(problem.diagnostic)
            return None
        if self.findings.failed:  # without its values the graph cannot be carried out, but looked at
            static.check_body(self, spec.graph, self.document)
            static.check_blocks(self)
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
        for relation in self.relations.values():
            try:
                self.builder.require(
                    relation.requirement, relation.span, f"the merge that relates `{relation.unknown}`"
                )
            except Problem as problem:
                self.findings.add(problem.diagnostic)
        if not declared:
            self.findings.error(
                "missing-argument",
                "the spec needs `inputs`",
                self.document.span(),
                help="add `inputs: {image: [224, 224, 3]}`",
            )
        if not spec.graph:
            self.findings.error(
                "missing-argument",
                "the spec needs a `graph` with at least one step",
                self.document.span(),
                help="add `graph: [...]`",
            )
        if self.findings.failed:
            return None
        self.steps_in(spec.graph, scope)
        static.check_blocks(self)
        if self.findings.failed:
            return None
        if not self.outputs:
            prev = body.prev
            if prev is None or prev.poisoned:
                self.findings.error(
                    "missing-output", "no step yields the output", self.document.span("graph"), help=NO_OUTPUT
                )
                return None
            self.outputs["output"] = prev.refs[0]
        name = environment.text(self.document, spec.name, env, ("name",), self.findings)
        nodes = self.builder.nodes
        for end in ends(nodes, live(nodes, self.outputs.values())):
            self.findings.warning(
                "unused-value",
                f"`{end.path}` is computed and never used; the network is built without it",
                end.origin.span,
                help="mark it with `output: true`, use it, or remove the step",
            )
        graph = self.builder.finish(
            name,
            self.outputs,
            env.params,
            {one.unknown: one.size for one in self.relations.values()},
            self.paths.numbered,
        )
        static.check_names(graph, self.output_spans, self.findings)
        return graph

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
        self.depth += 1
        try:
            for step in steps:
                if self.depth > limits.BODY_DEPTH:
                    message = f"bodies are nested more than {limits.BODY_DEPTH} levels, those of called blocks included"
                    self.tell(Problem("too-deep", message, step.tree.span).diagnostic, scope)
                    raise self.failed()
                if step.inline is not None:
                    self._walk(step.inline, scope)
                    continue
                self.steps += 1
                if self.steps > limits.STEPS:
                    message = f"expanding takes more than {limits.STEPS} steps"
                    self.tell(Problem("too-many-steps", message, step.tree.span).diagnostic, scope)
                    raise self.failed()
                if self.findings.full:
                    raise self.failed()
                if self.failures[id(step)] >= TRIES:
                    self._poison(step, scope)
                    continue
                try:
                    self.step(step, scope)
                    continue
                except Poisoned:
                    self.failures[id(step)] -= 1  # no mistake of its own
                except Several as several:
                    for diagnostic in several.diagnostics:
                        self.tell(diagnostic, scope)
                except Problem as problem:
                    self.tell(problem.diagnostic, scope)
                    if problem.diagnostic.code in FATAL:
                        raise self.failed() from None
                self.failures[id(step)] += 1
                self._poison(step, scope)
        finally:
            self.depth -= 1

    def failed(self) -> SpecError:
        return SpecError(self.findings.sorted(), self.sources)

    def tell(self, diagnostic: Diagnostic, scope: Scope) -> None:
        diagnostic = blame.odd_item(self, diagnostic, scope)
        notes = story.notes(scope.frames, diagnostic.span)
        self.findings.add(replace(diagnostic, notes=diagnostic.notes + notes))

    def _poison(self, step: Step, scope: Scope) -> None:
        """The step failed: its result and its name exist, but silence what uses them."""
        scope.body.prev = POISON
        if step.name is not None:
            try:
                name, around = self.name(step, scope)
                scope.define(name, around, Tap(POISON, step.tree.span))
            except (Problem, Poisoned):
                pass

    def step(self, step: Step, scope: Scope) -> None:
        looping = step.op in ("repeat", "for")
        static.check_do(self, step, scope.instance.document)
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
        source = taps.source(self, step, inner)
        if looping:
            result = loops.loop(self, step, inner, source)
        else:
            result = self.apply(step, inner, source)
            if step.name is not None:
                self.publish(step, inner, result, inner)
            elif step.output:
                raise Problem(
                    "missing-argument", "`output: true` needs a name", self.place(step, "output"), "add `as: ...`"
                )
        scope.body.prev = result.first if not result.poisoned else POISON

    def _skip(self, step: Step, scope: Scope) -> None:
        """A skipped step passes its input through; its op, keys and names are checked all the same."""
        static.check_known(self, step, scope.instance.document)
        if step.source is not None:
            scope.body.prev = taps.passed(self, step, scope) or scope.body.prev
        if step.name is not None:
            name, around = self.name(step, scope)
            scope.define(name, around, Tap(POISON, self.place(step, "when"), skipped=True))

    @cached_property
    def surroundings(self) -> Hashable:
        """What the blocks see of the root file's values."""
        return surroundings(self)

    def environment(self, document: Document) -> environment.Environment:
        found = self.environments.get(id(document))
        if found is None:
            found = self.environments[id(document)] = environment.evaluate(document, {}, self.findings)
        return found

    # -- parts of a step -----------------------------------------------------------------------

    def place(self, step: Step, *loc: str | int, key: bool = False) -> Span:
        """Where a part of a step stands in its file; a step in a loop is asked for it at every turn."""
        wanted = (id(step), loc, key)
        found = self._places.get(wanted)
        if found is None:
            found = self._places[wanted] = yamltree.locate(step.tree, loc, key=key)
        return found

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
        self,
        raw: Any,
        slot: Slot,
        scope: Scope,
        step: Step,
        *loc: str | int,
        require: Any = None,
        loops: set[int] | None = None,
    ) -> Any:
        """`raw`, which stands at `loc` of the step, as `slot` takes it."""
        try:
            return read(raw, slot, self.lookup(scope, loops), require)
        except SlotError as error:
            where = self.place(step, *loc, *error.path)
            raise problem_of(error, where, scope.visible, texts=loc[0] in ("let", "for")) from None

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
            raise Problem(
                "unknown-size", f"`when` cannot depend on the unknown size `{value}`", self.place(step, "when")
            )
        if not isinstance(value, bool):
            plain = isinstance(step.when, str) and isinstance(value, int | float)
            help = f"compare it with a number: `{step.when} > 0`" if plain else None
            raise Problem("bad-value", f"`when` is true or false, got {shown(value)}", self.place(step, "when"), help)
        return value

    def name(self, step: Step, scope: Scope) -> tuple[str, frozenset[int]]:
        """The name that `as` gives, and the loops whose variables it is built with."""
        assert step.name is not None
        if "$" not in step.name:
            return self._legal(step.name, step), frozenset()
        loops: set[int] = set()
        name = str(self.value(step.name, TEXT, scope, step, "as", loops=loops))
        return self._legal(name, step), frozenset(loops)

    def _legal(self, name: str, step: Step) -> str:
        """`name` if a step may bear it."""
        if name in self._legal_names:
            return name
        where = self.place(step, "as")
        if not NAME.fullmatch(name):
            raise names.illegal(name, where, step.name)
        if name in RESERVED:
            raise Problem("bad-name", f"`{name}` is a word of the language", where, "choose another name")
        self._legal_names.add(name)
        return name

    def publish(self, step: Step, scope: Scope, result: Result, home: Scope) -> None:
        """Put a result under the name of its step, and among the outputs if it is marked so."""
        name, around = self.name(step, scope)
        scope.define(name, around, Tap(result, self.place(step, "as"), always=step.when is None))
        if step.output:
            self.mark(name, result, step, home)

    def mark(self, name: str, result: Result, step: Step, scope: Scope) -> None:
        """`output: true`."""
        where = self.place(step, "output", key=True)
        if scope.instance.block:
            raise Problem(
                "output-in-block", "`output` cannot stand inside a block", where, "mark the call of the block"
            )
        if name in self.outputs:
            raise Problem(
                "duplicate-name",
                f"there are two outputs `{name}`",
                where,
                f"in a loop build the name with `$`: `as: {name}$i`",
                labels=(Label(self.output_spans[name], "the first one"),),
            )
        if not result.poisoned:
            self.outputs[name] = result.refs[0]
            self.output_spans[name] = where

    # -- what a step may be -------------------------------------------------------------------

    def apply(self, step: Step, scope: Scope, source: taps.Sources) -> Result:
        if step.op is None:
            return self.body(step, scope, source)
        if step.op == "tap":
            return taps.find(self, step.arguments, scope, step, "tap")
        if step.op == "expect":
            return expectation.hold(self, step, scope, source)
        found = scope.instance.document.block(step.op)
        if found is not None:
            return blockcall.call(self, step, scope, source, *found)
        return opcall.op(self, step, scope, source)

    def body(self, step: Step, scope: Scope, source: taps.Sources) -> Result:
        """A body that stands alone: `{do: [...], as: branch}`."""
        assert step.do is not None
        entry = taps.single(self, source, step)
        prefix, frames = scope.prefix, scope.frames
        path = ""
        if step.name is not None:
            path = self.paths.named(scope.prefix, self.name(step, scope)[0])
            prefix = f"{path}/"
            self.builder.groups[path] = Group(path, "do", {}, Origin(step.tree.span, frames))
        inner = Scope(scope.instance, Body(entry, entry), prefix, scope, trainable=self.trains(scope), frames=frames)
        return self.result(path, self.steps_in(step.do, inner))

    def trains(self, scope: Scope) -> bool:
        return all(one.trainable for one in scope.outwards())

    def result(self, path: str, result: Result | None) -> Result:
        if result is None or result.poisoned:
            return POISON
        if path:
            self.builder.results[path] = result.refs[0]
        return result


TRIES = 3
"""mistakes of one step, in different turns or calls, after which it is not tried again"""

NO_OUTPUT = "let the last step yield a tensor, or mark another one with `output: true`"

FATAL = frozenset({"too-many-nodes", "too-many-steps"})
"""findings after which going on would only cost time"""
