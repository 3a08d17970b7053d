"""Merges: which tensors they take, and how sizes that differ are mended (`align`, `project`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from resspec.diagnostics import Label, Span
from resspec.graph import Ref
from resspec.language import defaults, nodes, taps
from resspec.language.arguments import make_op
from resspec.language.mismatch import makers
from resspec.language.schema import Step
from resspec.language.scope import Poisoned, Problem, Result, Scope
from resspec.language.slots import Slot
from resspec.ops.base import Op
from resspec.ops.conv import Conv
from resspec.ops.merge import Merge
from resspec.ops.pool import MaxPool
from resspec.ops.resample import Crop, Pad, PadChannels, Resize, Upsample
from resspec.sizes import Product, Size, SizeError, same_window
from resspec.suggest import renamed
from resspec.tensor import TensorSpec

if TYPE_CHECKING:
    from resspec.language.expand import Expander

KEYS = ("of", "align", "project")
"""what a merge may be told besides the arguments of its op"""

ALIGN = ("error", "crop", "pad", "resize")
PROJECT = ("auto", "pad")
STRIDES = 32
"""the largest stride that `project` tries"""


def keys(kind: type[Op]) -> tuple[str, ...]:
    """What may stand among the arguments of an op."""
    return (*kind.model_fields, *(KEYS if issubclass(kind, Merge) else ()))


def operands(
    expander: Expander, step: Step, scope: Scope, given: Sequence[Result], kind: type[Merge]
) -> tuple[list[Result], Any, dict[str, Any]]:
    """The tensors that a merge takes, the arguments left for its op, and `align` and `project`."""
    raw = step.arguments
    loc: tuple[str | int, ...] = (str(step.op),)
    options: dict[str, Any] = {}
    if isinstance(raw, dict):
        loc = (*loc, "of")
        options = {key: raw[key] for key in KEYS[1:] if key in raw}
        of, rest = raw.get("of"), {key: item for key, item in raw.items() if key not in KEYS}
    else:
        of, rest = raw, {}
    if of is None:
        if not given:
            raise Problem(
                "wrong-inputs", f"`{step.op}` needs its tensors", step.tree.span, f"write `{step.op}: [a, b]`"
            )
        return list(given), rest, _options(expander, step, scope, options)
    if step.source is not None and not (isinstance(of, str) and len(given) == 1):
        raise Problem(
            "wrong-inputs",
            f"the tensors of `{step.op}` are given twice, by `from` and by `{step.op}`",
            expander.place(step, "from", key=True),
            f"leave one of them out: `{step.op}: [a, b]`",
        )
    if isinstance(of, str):
        found = [*given[:1], taps.find(expander, of, scope, step, *loc)]
    elif isinstance(of, list):
        found = [taps.find(expander, item, scope, step, *loc, i) for i, item in enumerate(of)]
    else:
        raise Problem(
            "bad-value",
            f"`{step.op}` takes a list of tensors",
            expander.place(step, *loc),
            f"write `{step.op}: [a, b]`",
        )
    if any(result.poisoned for result in found):
        raise Poisoned
    return found, rest, _options(expander, step, scope, options)


def doubts(expander: Expander, step: Step, tensors: Sequence[Result]) -> None:
    """Warn of merges that are legal and most likely a slip: of one tensor, or of a tensor with itself."""
    place = expander.place(step, str(step.op), key=True)
    if len(tensors) == 1:
        expander.findings.warning(
            "merge-of-one",
            f"`{step.op}` of one tensor does nothing",
            place,
            help=f"name what it is merged with: `{step.op}: [prev, other]`",
        )
        return
    origins = [_origin(expander, tensor) for tensor in tensors]
    if len(set(origins)) < len(origins) and step.op != "concat":
        expander.findings.warning(
            "merge-of-itself",
            f"`{step.op}` merges a tensor with itself",
            place,
            help="inside `do` and loops `in` is the input of that body: give the outer value a name with `as`",
        )


def _origin(expander: Expander, tensor: Result) -> Ref:
    """Where a tensor comes from, dropout and the like passed over."""
    ref = tensor.refs[0]
    node = expander.builder.nodes[ref.node]
    while node.op.family == "regularization" and len(node.inputs) == 1:
        ref = node.inputs[0]
        node = expander.builder.nodes[ref.node]
    return ref


def _options(expander: Expander, step: Step, scope: Scope, options: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for key, words in (("align", ALIGN), ("project", PROJECT)):
        if options.get(key) is None:
            continue
        where = (str(step.op), key)
        value = expander.value(options[key], Slot(words=frozenset(words)), scope, step, *where)
        if value not in words:
            choices = ", ".join(f"`{word}`" for word in words)
            place = expander.place(step, *where)
            remedy = renamed(str(value), words, place, most=0)
            message = f"`{key}` is one of {choices}, got `{value}`"
            raise Problem("bad-value", message, place, remedy.help, fix=remedy.fix)
        found[key] = value
    return found


def mended(
    expander: Expander, tensors: list[Result], options: dict[str, Any], path: str, step: Step, scope: Scope
) -> list[Result]:
    """The operands of a merge after `align` and `project`; what they insert lies below the merge's path."""
    if not tensors:
        return tensors  # the merge itself says so
    if options.get("align", "error") != "error":
        tensors = _aligned(expander, tensors, options["align"], path, step, scope)
    if "project" in options:
        tensors = _projected(expander, tensors, options["project"], path, step, scope)
    return tensors


def _aligned(
    expander: Expander, tensors: list[Result], align: str, path: str, step: Step, scope: Scope
) -> list[Result]:
    """Equal spatial sizes: crop to the smallest, pad to the largest (centred), or resize to the first."""
    first = tensors[0].specs[0]
    where = expander.place(step, str(step.op), "align")
    for tensor in tensors[1:]:
        if len(tensor.specs[0].shape) != len(first.shape):
            return tensors  # the merge itself says so
    found = list(tensors)
    if align == "resize":
        for k, tensor in enumerate(tensors[1:], 1):
            if tensor.specs[0].spatial != first.spatial:
                resize = _resize(expander, tensor.specs[0], first, where)
                found[k] = nodes.add(
                    expander, resize, [tensor], expander.paths.named(f"{path}/", f"resize{k}"), step, scope
                )
        return found
    sides: list[list[tuple[int, int]]] = [[] for _ in tensors]
    for axis, base in enumerate(first.spatial):
        offsets = [_offset(expander, tensor.specs[0].spatial[axis], base, where) for tensor in tensors]
        target = min(offsets) if align == "crop" else max(offsets)
        for pairs, offset in zip(sides, offsets, strict=True):
            whole = abs(offset - target)
            pairs.append((whole // 2, whole - whole // 2))  # the odd pixel goes off bottom and right
    for k, (tensor, pairs) in enumerate(zip(tensors, sides, strict=True)):
        if any(map(any, pairs)):
            mend: Op = Crop(cropping=tuple(pairs)) if align == "crop" else Pad(padding=tuple(pairs))
            found[k] = nodes.add(expander, mend, [tensor], expander.paths.named(f"{path}/", f"{align}{k}"), step, scope)
    return found


def _offset(expander: Expander, size: Size, base: Size, where: Any) -> int:
    """`size - base` as one number for all legal inputs."""
    try:
        difference = expander.builder.constant(size - base)
    except (SizeError, TypeError) as error:
        message = f"sizes `{base}` and `{size}` cannot be aligned: {error}"
        help = "give both inputs the same name for the size, or give them numbers"
        raise Problem("align-varies", message, where, help) from None
    if difference is None:
        raise Problem(
            "align-varies",
            f"how far `{base}` and `{size}` differ depends on the input size",
            where,
            "restrict the input with `expect: [H/32, ...]` before, use `padding: same`, or give the input numbers",
            notes=tuple(f"legal up to here: {domain}" for domain in expander.builder.domains.values()),
        )
    return difference


def _resize(expander: Expander, x: TensorSpec, first: TensorSpec, where: Any) -> Op:
    if all(isinstance(size, int) for size in first.spatial):
        return Resize(size=tuple(int(str(size)) for size in first.spatial))
    ratios = [_ratio(expander, a, b) for a, b in zip(first.spatial, x.spatial, strict=True)]
    if None in ratios:
        raise Problem(
            "align-varies",
            f"{x} cannot be resized to {first} by a whole factor",
            where,
            "give the input numbers, or align by `crop` or `pad`",
        )
    return Upsample(size=tuple(ratio or 1 for ratio in ratios))


def _ratio(expander: Expander, large: Size, small: Size) -> int | None:
    """The whole factor between two sizes, the same for all legal inputs."""
    if isinstance(small, Product):
        return 1 if small == large else None
    return next((factor for factor in range(1, STRIDES + 1) if expander.builder.equal(small * factor, large)), None)


def _projected(
    expander: Expander, tensors: list[Result], project: str, path: str, step: Step, scope: Scope
) -> list[Result]:
    """The first operand is the reference; those of another shape are brought to it."""
    reference = tensors[0].specs[0]
    where = expander.place(step, str(step.op), "project")
    found = [tensors[0]]
    for k, tensor in enumerate(tensors[1:], 1):
        spec = tensor.specs[0]
        if spec.shape == reference.shape:
            found.append(tensor)
            continue
        strides = _strides(expander, tensor, tensors[0], where, scope)
        name = expander.paths.named(f"{path}/", f"project{k}")
        if project == "auto":
            conv = make_op(
                Conv,
                {"filters": reference.channels, "kernel_size": 1, "strides": strides},
                defaults.of(expander, Conv, scope),
                lambda loc, key: where,
            )
            found.append(nodes.add(expander, conv, [tensor], name, step, scope))
            continue
        missing = _channels(reference, where) - _channels(spec, where)
        if missing < 0:
            message = f"`project: pad` adds channels, {spec} has more than {reference}"
            raise Problem(
                "bad-value", message, where, labels=makers(expander, tensors[0], tensor, spec.rank - 1, scope)
            )
        if any(stride > 1 for stride in strides):
            tensor = nodes.add(expander, MaxPool(pool_size=1, strides=strides), [tensor], f"{name}_stride", step, scope)
        if missing:
            tensor = nodes.add(expander, PadChannels(after=missing), [tensor], name, step, scope)
        found.append(tensor)
    return found


def _channels(spec: TensorSpec, where: Any) -> int:
    if not isinstance(spec.channels, int):
        raise Problem("unknown-size", f"the number of channels must be known, got `{spec.channels}`", where)
    return spec.channels


def _strides(expander: Expander, tensor: Result, first: Result, where: Span, scope: Scope) -> tuple[int, ...]:
    """The strides at which a 1x1 window over a tensor leaves the sizes of the first one."""
    x, reference = tensor.specs[0], first.specs[0]
    labels: tuple[Label, ...] = ()
    if x.rank == reference.rank:
        strides = tuple(
            next((s for s in range(1, STRIDES + 1) if expander.builder.equal(same_window(size, s), wanted)), 0)
            for size, wanted in zip(x.spatial, reference.spatial, strict=True)
        )
        if all(strides):
            return strides
        labels = makers(expander, first, tensor, strides.index(0), scope)
    message = f"no stride projects {x} to {reference}"
    raise Problem("shape-mismatch", message, where, "make the sizes multiples before", labels=labels)
