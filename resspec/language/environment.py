"""What a document's names stand for: its parameters, its `let`, its unknown sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from resspec import edits, limits
from resspec.diagnostics import Diagnostic, Findings, Label, Span
from resspec.language import arguments
from resspec.language.document import Document
from resspec.language.expressions import Value
from resspec.language.schema import NAME, Param
from resspec.language.scope import Binding, Problem
from resspec.language.slots import NUMBER, TEXT, Slot, SlotError, chosen, integral, read
from resspec.sizes import Periodic, Product, Size, unknown
from resspec.suggest import did_you_mean, renamed
from resspec.tensor import TensorSpec


@dataclass(slots=True)
class Environment:
    """Values that every body of one document sees."""

    params: dict[str, Value] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)

    def lookup(self, name: str) -> Value:
        return self.bindings[name].value


def evaluate(document: Document, settings: Mapping[str, Any], findings: Findings) -> Environment:
    """Parameters as the caller sets them, then `let` from top to bottom."""
    env = Environment()
    spec = document.spec
    failed: set[str] = set()
    for name in settings:
        if name not in spec.params:
            names = list(spec.params)
            findings.error(
                "unknown-param",
                f"`{document.name}` has no parameter `{name}`",
                document.span("params", key=True) if names else None,
                help=did_you_mean(name, names, most=20),
            )
    for name, param in spec.params.items():
        span = document.span("params", name)
        try:
            env.params[name] = _param(document, name, param, settings, env, span)
            env.bindings[name] = Binding(env.params[name])
        except Problem as problem:
            if _unknown(problem.diagnostic) not in failed:
                findings.add(problem.diagnostic)
            failed.add(name)
    for name, raw in spec.let.items():
        if name in spec.params:
            findings.error(
                "name-collision",
                f"`{name}` is both a parameter and a `let`",
                document.span("let", name, key=True),
                labels=[Label(document.span("params", name, key=True), "the parameter")],
                help="rename one of them",
            )
            continue
        try:
            env.bindings[name] = Binding(value(document, raw, NUMBER, env, ("let", name)))
        except Problem as problem:
            failed.add(name)
            if _unknown(problem.diagnostic) not in failed - {name}:  # else it follows from what was told already
                findings.add(_later(document, problem.diagnostic, "let", name))
    return env


def _unknown(diagnostic: Diagnostic) -> str | None:
    """The name that a finding calls unknown."""
    match = re.fullmatch(r"unknown name `(\w+)`", diagnostic.message)
    return match[1] if match else None


def _later(document: Document, diagnostic: Diagnostic, section: str, user: str) -> Diagnostic:
    """A name that is not known yet, because it is defined further down."""
    names = list(getattr(document.spec, section))
    wanted = _unknown(diagnostic)
    if wanted is None or wanted not in names[names.index(user) :]:
        return diagnostic
    place = document.span(section, wanted, key=True)
    if wanted == user:
        help = f"a value cannot be made of itself: give `{user}` another name"
    else:
        help = f"`{section}` is computed from top to bottom: put `{wanted}` before `{user}`"
    return replace(diagnostic, help=help, labels=(Label(place, "defined here"),), fix=None)


def _param(
    document: Document, name: str, param: Param, settings: Mapping[str, Any], env: Environment, span: Span
) -> Value:
    if name in settings:
        try:
            return arguments.check_param(name, param, settings[name], span)
        except Problem as problem:
            # what variants and checks set is checked where it stands
            note = f"the caller set it: `-p {name}=...`, or an argument in Python"
            problem.diagnostic = replace(problem.diagnostic, notes=(note,))
            raise
    if param.required:
        help = f"set it by `-p {name}=...`, or give it a default"
        raise Problem("missing-argument", f"`{document.name}` needs the parameter `{name}`", span, help)
    try:
        return arguments.read_param(name, param, param.default, env.lookup, span)
    except SlotError as error:
        failed = arguments.problem_of(error, span, lambda: set(env.bindings))
        failed.diagnostic = _later(document, failed.diagnostic, "params", name)
        raise failed from None


def refused(document: Document, values: Mapping[str, Any], *loc: str | int) -> list[Diagnostic]:
    """What is wrong with the parameters that the file itself sets at `loc`, in a variant or a check."""
    found = []
    for name, raw in values.items():
        param = document.spec.params.get(name)
        if param is None:
            place = document.span(*loc, name, key=True)
            remedy = renamed(name, document.spec.params, place, most=20)
            message = f"`{document.name}` has no parameter `{name}`"
            found.append(Diagnostic("unknown-param", message, place, help=remedy.help, fix=remedy.fix))
            continue
        try:
            arguments.check_param(name, param, raw, document.span(*loc, name))
        except Problem as problem:
            declared = Label(document.span("params", name, key=True), "declared here")
            found.append(replace(problem.diagnostic, labels=(declared,)))
    return found


def value(document: Document, raw: Any, slot: Slot, env: Environment, loc: tuple[str | int, ...]) -> Any:
    """A value that stands at `loc` of the file, outside any graph."""
    try:
        return read(raw, slot, env.lookup)
    except SlotError as error:
        where = document.span(*loc, *error.path)
        raise arguments.problem_of(error, where, lambda: set(env.bindings), texts=loc[0] == "let") from None


def text(document: Document, raw: str, env: Environment, loc: tuple[str | int, ...], findings: Findings) -> str:
    try:
        return str(value(document, raw, TEXT, env, loc))
    except Problem as problem:
        findings.add(problem.diagnostic)
        return raw


def inputs(
    document: Document,
    env: Environment,
    rebound: Mapping[str, Sequence[Any]],
    related: Mapping[str, Size],
    findings: Findings,
) -> dict[str, TensorSpec]:
    """The inputs with their shapes. A name that is no value becomes an unknown size, or what it is `related` to.

    `rebound` replaces shapes.
    """
    found: dict[str, TensorSpec] = {}
    for name in rebound:
        if name not in document.spec.inputs:
            findings.error(
                "unknown-name", f"there is no input `{name}`", None, help=did_you_mean(name, document.spec.inputs)
            )
    for name, declared in document.spec.inputs.items():
        shape: list[Size] = []
        given = rebound.get(name)
        try:
            loc, sizes = _written(document, declared.shape, env, ("inputs", name, "shape"))
        except Problem as problem:
            findings.add(problem.diagnostic)
            continue
        if given is not None and len(given) != len(sizes):
            findings.error(
                "rank-mismatch",
                f"input `{name}` has {len(sizes)} axes, got {len(given)}",
                document.span("inputs", name),
            )
            continue
        for axis, raw in enumerate(sizes):
            try:
                if raw is None or raw == "None":
                    raise _nameless(document, sizes, axis, (*loc, axis))
                size = _size(document, raw, env, related, (*loc, axis))
                if given is not None:
                    size = _rebound(given[axis], size, name, axis, len(sizes), env, related)
                shape.append(size)
            except Problem as problem:
                findings.add(problem.diagnostic)
        found[name] = TensorSpec(tuple(shape), declared.dtype)
    return found


_AXES = {2: ("T",), 3: ("H", "W"), 4: ("D", "H", "W")}


def _rebound(
    given: Any, size: Size, name: str, axis: int, rank: int, env: Environment, related: Mapping[str, Size]
) -> Size:
    """The size that a caller asks for: a number, None for unknown, or a name."""
    if isinstance(size, int):
        fresh = _AXES.get(rank, ())[axis] if axis < len(_AXES.get(rank, ())) else f"{name}_{axis}"
        if given is None and fresh in env.bindings:  # of another input, which may have another size
            fresh = f"{name}_{fresh}"
    else:
        fresh = str(size)
    if given is None:
        result: Size = related.get(fresh, unknown(fresh)) if isinstance(size, int) else size
    elif isinstance(given, int) and not isinstance(given, bool) and given > 0:
        result = _indexable(given, None)
    elif isinstance(given, str) and NAME.fullmatch(given):
        result, fresh = related.get(given, unknown(given)), given
    else:
        raise Problem("bad-value", f"a size of input `{name}` is a positive number or None, got `{given}`", None)
    env.bindings[fresh] = Binding(result)
    return result


def _written(
    document: Document, raw: Any, env: Environment, loc: tuple[str | int, ...]
) -> tuple[tuple[str | int, ...], list[Any]]:
    """The sizes of an input as they stand in the file, and where; a `match` is decided."""
    while isinstance(raw, dict) and "match" in raw:
        try:
            case, raw = chosen(raw, env.lookup, None, ())
        except SlotError as error:
            raise arguments.problem_of(error, document.span(*loc, *error.path), lambda: set(env.bindings)) from None
        loc = (*loc, case)
    if not isinstance(raw, list) or len(raw) > limits.RANK:
        raise Problem("bad-value", f"a shape is a list of up to {limits.RANK} sizes", document.span(*loc))
    return loc, raw


def _nameless(document: Document, sizes: list[Any], axis: int, loc: tuple[str | int, ...]) -> Problem:
    """`None` for a size, as Keras has it: an unknown size has a name here, and the batch is left out."""
    span, rank = document.span(*loc), len(sizes)
    if axis == 0 and rank == 4 and any(size not in (None, "None") for size in sizes[1:3]):
        following = document.span(*loc[:-1], 1)
        batch = Span(span.file, span.line, span.column, following.line, following.column)
        help = "leave the batch out, or give the depth of a volume a name: `D`"
        return Problem("bad-value", "an unknown size has a name", span, help, fix=edits.replaced(batch, ""))
    taken = {str(size) for one in document.spec.inputs.values() if isinstance(one.shape, list) for size in one.shape}
    taken |= {*document.spec.params, *document.spec.let}
    wanted = (*_AXES.get(rank, ("T",)), *(f"size{axis}",) * rank)[axis]
    fresh = next(name for n in range(len(taken) + 1) if (name := f"{wanted}{n or ''}") not in taken)
    fix = edits.replaced(span, fresh, certain=len(document.spec.inputs) == 1)
    return Problem("bad-value", "an unknown size has a name", span, f"write `{fresh}`", fix=fix)


def _size(
    document: Document, raw: Any, env: Environment, related: Mapping[str, Size], loc: tuple[str | int, ...]
) -> Size:
    span = document.span(*loc)
    if isinstance(raw, str) and NAME.fullmatch(raw) and raw not in env.bindings:
        size = related.get(raw, unknown(raw))
        env.bindings[raw] = Binding(size)
        return size
    found = integral(value(document, raw, NUMBER, env, loc))
    if isinstance(found, Periodic | Product):
        return found  # of an axis that was named before
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise Problem("bad-value", f"a size is a positive integer or a name, got `{found}`", span)
    return _indexable(found, span)


def _indexable(size: int, span: Span | None) -> int:
    """`size` if backends can count so far; ops rely on it."""
    if size > limits.DIMENSION:
        raise Problem("too-large", f"an axis has at most {limits.DIMENSION} positions, got {size}", span)
    return size
