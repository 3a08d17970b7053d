"""Calls of blocks: parameters, inputs, recursion, named outputs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resspec import limits, yamltree
from resspec.diagnostics import Label, Span
from resspec.graph import Frame, Group, Origin
from resspec.language import arguments, replay, taps
from resspec.language.arguments import problem_of, span_in
from resspec.language.count import exact
from resspec.language.document import Document
from resspec.language.expressions import Value
from resspec.language.nodes import share
from resspec.language.schema import Block, Step
from resspec.language.scope import POISON, Binding, Body, Instance, Poisoned, Problem, Result, Scope, Tap
from resspec.language.slots import SlotError
from resspec.suggest import renamed

if TYPE_CHECKING:
    from resspec.language.expand import Expander


def call(expander: Expander, step: Step, scope: Scope, source: taps.Sources, home: Document, block: Block) -> Result:
    """A call of a block: a new instance with its own names."""
    assert step.op is not None
    if len(scope.frames) >= limits.CALL_DEPTH:
        raise Problem(
            "too-deep",
            f"blocks and loops are nested more than {limits.CALL_DEPTH} levels",
            step.tree.span,
            "end the recursion sooner, or put less into each other",
        )
    original = next(name for name, one in home.spec.blocks.items() if one is block)
    expander.called.add((id(home), original))
    values = _bind(expander, step, scope, home, block)
    _shrinks(expander, step, scope, home, block, original, values)
    named, entry = _entries(expander, step, source, home, block)
    name = expander.name(step, scope)[0] if step.name is not None else None
    path = expander.paths.named(scope.prefix, name) if name else expander.paths.unnamed(scope.prefix, step.op)
    origin = Origin(step.tree.span, scope.frames)
    params = {key: binding.value for key, binding in values.items()}
    expander.builder.groups[path] = Group(path, step.op, params, origin)
    frames = (*scope.frames, Frame(f"block `{step.op}`", path, step.tree.span))
    entries = [tap.result for tap in named.values()] or [entry]
    key = None if step.share is not None else replay.key(expander, scope, home, block, params, entries)
    recording = expander.memory.recordings.get(key) if key is not None else None
    if recording is not None:
        again = replay.replay(expander, recording, path, frames, entries)
        if again is not None:
            return expander.result(path, again)
    begin = replay.mark(expander)
    result = _body(expander, step, scope, (home, original, block), values, named, entry, path, frames)
    if key is not None and (found := replay.record(expander, begin, path, frames, entries, result)):
        expander.memory.recordings[key] = found
    return expander.result(path, result)


def _body(
    expander: Expander,
    step: Step,
    scope: Scope,
    called: tuple[Document, str, Block],
    values: Mapping[str, Binding],
    named: dict[str, Tap],
    entry: Result,
    path: str,
    frames: tuple[Frame, ...],
) -> Result:
    """The result of the block's steps, carried out below `path`."""
    home, original, block = called
    env = expander.environment(home)
    instance = Instance(home, {**env.bindings, **values}, frames, {}, scope.instance, original)
    inner = Scope(instance, Body(entry, entry, named), f"{path}/", None, {}, None, expander.trains(scope), frames)
    if block.let:
        within = Step.model_construct(tree=_tree_of(home, original))
        instance.values = {**instance.values, **expander.lets(block.let, inner, within)}
    before = expander.sharing
    if step.share is not None:
        params = tuple((name, binding.value) for name, binding in values.items())
        key = share(expander, step, scope, (id(block), params), path)
        expander.sharing = (key, path) if key != path else expander.sharing
    result = expander.steps_in(block.graph, inner)
    expander.sharing = before
    if not block.outputs:
        return result or POISON
    found = {}
    within = Step.model_construct(tree=_tree_of(home, original))
    for output, tap in block.outputs.items():
        found[output] = taps.find(expander, tap, inner, within, "outputs", output)
    several = found.values()
    return Result(tuple(one.refs[0] for one in several), tuple(one.specs[0] for one in several), tuple(found))


def _bind(expander: Expander, step: Step, scope: Scope, home: Document, block: Block) -> dict[str, Binding]:
    """The values of the block's parameters at this call, which a loop asks for again and again."""
    known = _decisive(expander, step, scope)
    values = expander.memory.arguments.get(known) if known is not None else None
    if values is None:
        values = _evaluated(expander, step, scope, home, block)
        if known is not None:
            expander.memory.arguments[known] = values
    return values


def _decisive(expander: Expander, step: Step, scope: Scope) -> Hashable | None:
    """All that the values of a call depend on; None if a tensor is among it."""
    found: list[tuple[str, Any]] = []
    for word in expander.memory.words_of(step):
        if word in ("in", "prev") or scope.tap(word) is not None:
            return None
        binding = scope.binding(word)
        if binding is not None:
            found.append((word, exact(binding.value)))
    return (id(step), expander.surroundings, *found)


def _evaluated(expander: Expander, step: Step, scope: Scope, home: Document, block: Block) -> dict[str, Binding]:
    raw = step.arguments
    where = span_in(step.tree, step.op)
    if isinstance(raw, dict) and not ("match" in raw and "match" not in block.params):
        given: dict[str, tuple[Any, tuple[str, ...]]] = {str(key): (value, (str(key),)) for key, value in raw.items()}
    elif raw is None:
        given = {}
    elif not block.params:
        help = f"write `{step.op}` alone, or declare `params` in the block"
        raise Problem("unknown-argument", f"block `{step.op}` takes no arguments", where((), False), help)
    else:
        given = {next(iter(block.params)): (raw, ())}
    for key in given:
        if key not in block.params:
            place = where((key,), True)
            remedy = renamed(key, block.params, place)
            raise Problem(
                "unknown-argument",
                f"block `{step.op}` has no parameter `{key}`",
                place,
                remedy.help,
                fix=remedy.fix,
            )
    found: dict[str, Value] = {}
    for name, (raw_value, loc) in given.items():
        try:
            param = block.params[name]
            found[name] = arguments.read_param(name, param, raw_value, expander.lookup(scope), where(loc, False))
        except Problem as problem:
            raise _positional(problem, step, block, raw_value, loc) from None
        except SlotError as error:
            raise problem_of(error, where((*loc, *error.path), False), scope.visible, texts=False) from None
    known = (id(block), expander.surroundings, *((name, exact(value)) for name, value in found.items()))
    values = expander.memory.arguments.get(known)
    if values is None:
        values = expander.memory.arguments[known] = _with_defaults(expander, step, home, block, found)
    return values


def _with_defaults(
    expander: Expander, step: Step, home: Document, block: Block, given: Mapping[str, Value]
) -> dict[str, Binding]:
    """The given values and the defaults of the others, which see the parameters before them."""
    values: dict[str, Binding] = {}
    env = expander.environment(home)
    original = next(key for key, one in home.spec.blocks.items() if one is block)
    for name, param in block.params.items():
        if name in given:
            values[name] = Binding(given[name])
            continue
        span = home.span("blocks", original, "params", name)
        if param.required:
            place = span_in(step.tree, step.op)((), True)
            help = f"write `{step.op}: {{{name}: ...}}`"
            declared = Label(span, "declared here, without a default")
            raise Problem("missing-argument", f"block `{step.op}` needs `{name}`", place, help, labels=(declared,))

        def own(wanted: str) -> Value:
            return (values[wanted] if wanted in values else env.bindings[wanted]).value

        try:
            values[name] = Binding(arguments.read_param(name, param, param.default, own, span))
        except SlotError as error:
            raise problem_of(error, span, lambda: set(env.bindings) | set(values)) from None
    return values


def _positional(problem: Problem, step: Step, block: Block, raw: Any, loc: tuple[str, ...]) -> Problem:
    """A lone list for a parameter that is no list: arguments by position, as in Python."""
    if not loc and isinstance(raw, list) and 1 < len(raw) <= len(block.params):
        pairs = ", ".join(f"{name}: {item}" for name, item in zip(block.params, raw, strict=False))
        help = f"parameters are given by name: `{step.op}: {{{pairs}}}`"
        problem.diagnostic = replace(problem.diagnostic, help=help)
    return problem


def _shrinks(
    expander: Expander, step: Step, scope: Scope, home: Document, block: Block, name: str, values: Mapping[str, Binding]
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
    )


def _entries(
    expander: Expander, step: Step, source: taps.Sources, home: Document, block: Block
) -> tuple[dict[str, Tap], Result]:
    """The inputs of a call under the block's names, and its `in`."""
    where = expander.place(step, "from") if step.source is not None else step.tree.span
    if not block.inputs:
        return {}, taps.single(expander, source, step)
    if isinstance(source, dict):
        for key in source:
            if key not in block.inputs:
                place = expander.place(step, "from", key, key=True)
                remedy = renamed(key, block.inputs, place)
                raise Problem(
                    "unknown-name",
                    f"block `{step.op}` has no input `{key}`",
                    place,
                    remedy.help,
                    fix=remedy.fix,
                )
        missing = [name for name in block.inputs if name not in source]
        found = source
    else:
        found = dict(zip(block.inputs, source, strict=False))
        missing = block.inputs[len(source) :]
        if len(source) > len(block.inputs):
            raise _wrong_inputs(step, home, block, len(source), where)
    if missing:
        raise _wrong_inputs(step, home, block, len(source), where)
    if any(one.poisoned for one in found.values()):
        raise Poisoned
    return {name: Tap(result.first, where) for name, result in found.items()}, found[block.inputs[0]].first


def _wrong_inputs(step: Step, home: Document, block: Block, got: int, where: Span) -> Problem:
    """Too few or too many tensors for the inputs that a block declares."""
    original = next(name for name, one in home.spec.blocks.items() if one is block)
    declared = home.span("blocks", original, "inputs")
    many = len(block.inputs)
    names = ", ".join(f"`{name}`" for name in block.inputs)
    return Problem(
        "wrong-inputs",
        f"block `{step.op}` takes {many} input{'' if many == 1 else 's'}, {names}, got {got}",
        where,
        f"name a tensor for each: `from: [{', '.join(block.inputs)}]`, with names of this body",
        labels=(Label(declared, "declared here"),),
    )


def _tree_of(document: Document, name: str) -> yamltree.Tree:
    tree = document.tree
    for part in ("blocks", name):
        entry = tree.get(part) if isinstance(tree, yamltree.Mapping) else None
        assert entry is not None
        tree = entry.value
    return tree
