"""Write `docs/ops.md` from the op classes: `python tools/make_ops_reference.py`.

What an op takes is said once, in its class; this page is that, in words.
"""

from __future__ import annotations

import inspect
import types
import typing
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic_core import PydanticUndefined

from resspec.ops import OPS, slots
from resspec.ops.base import Op
from resspec.ops.foreign import ALLOWED
from resspec.ops.merge import Merge

TARGET = Path(__file__).resolve().parent.parent / "docs" / "ops.md"

FAMILIES = {
    "conv": "Convolutions", "dense": "Dense and embedding", "norm": "Normalization", "pool": "Pooling",
    "activation": "Activations", "resample": "Resampling", "merge": "Merges", "reshape": "Reshaping",
    "regularization": "Regularization", "attention": "Attention", "recurrent": "Recurrence",
    "preprocess": "Preprocessing", "other": "Learned and fixed tensors",
}  # fmt: skip

HEAD = """\
# Ops

Made by `make docs` from the classes of the ops; what a spec is, stands in [language.md](language.md).

Shapes are those of one example, channels last: `(h, w, c)` is an image, `(...)` any shape. An op with one spatial axis,
two or three is one op here: `conv` is what Keras calls Conv1D, Conv2D or Conv3D, by its input. Arguments bear Keras's
names and, where nothing is said, have Keras's meaning. The argument marked **first** is the one that a lone value
fills: `conv: 64` is `conv: {filters: 64}`. Any argument may be an expression or a `match`. Below each table stand the
initializers (with their defaults), regularizers and constraints, which have none unless they are given.

Types that many ops share:

"""

NAMED: dict[str, tuple[Any, str]] = {
    "per axis": (slots.PerAxis, "one integer for all spatial axes, or a list with one for each"),
    "side": (
        slots.Side,
        "one integer for all sides, one for each axis (both its sides), or a pair `[before, after]` an axis",
    ),
    "padding": (slots.Padding, "`same`, `valid`, or a *side*, which means the same on every backend"),
    "causal padding": (slots.CausalPadding, "*padding*, or `causal`, which looks back only"),
    "activation": (slots.ActivationName, ""),
    "initializer": (slots.Initializer, ""),
    "regularizer": (slots.Regularizer, ""),
    "constraint": (slots.Constraint, ""),
}
CONFIGS = {
    "initializer": slots.InitializerConfig,
    "regularizer": slots.RegularizerConfig,
    "constraint": slots.ConstraintConfig,
}


def type_text(annotation: Any, bounds: tuple[Any, ...] = ()) -> str:
    """A type as a reader wants it: `integer >= 1`, *padding*, `nearest` or `bilinear`."""
    for name, (known, _) in NAMED.items():
        if annotation == known:
            return f"*{name}*"
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return type_text(args[0], (*args[1:], *bounds))
    if origin is Literal:
        return " or ".join(f"`{word}`" for word in args)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_text(arg) for arg in args))
    if origin is tuple:
        items = [type_text(arg) for arg in args if arg is not Ellipsis]
        many = [item.replace("integer", "integers").replace("number", "numbers") for item in items]
        return f"list of {many[0]}" if Ellipsis in args else f"two {many[0]}" if len(items) == 2 else str(items)
    names = {int: "integer", float: "number", bool: "true or false", str: "text", type(None): "null"}
    return names[annotation] + bounds_text(bounds)


def bounds_text(bounds: tuple[Any, ...]) -> str:
    """` >= 1`; bounds that only keep numbers finite are left out."""
    found: list[str] = []
    for one in bounds:
        for part in getattr(one, "metadata", [one]):
            for key, sign in (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<")):
                limit = getattr(part, key, None)
                if limit is not None and abs(limit) < 2**30:
                    found.append(f"{sign} {limit:g}")
    last = {text.split()[0]: text for text in found}  # a field's own bound comes after that of its type
    return " " + " and ".join(last.values()) if last else ""


def default_text(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, slots.Config):
        settings = ", ".join(f"{key}: {item}" for key, item in value.model_dump(exclude_none=True).items())
        return f"`{{{settings}}}`"
    return f"`{value}`" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def named_types() -> list[str]:
    lines = []
    for name, (known, text) in NAMED.items():
        if name in CONFIGS:
            words, settings = words_of(known), list(CONFIGS[name].model_fields)[1:]
            text = ", ".join(f"`{word}`" for word in words)
            text += f"; with settings `{{name: {words[0]}, ...}}`: {', '.join(f'`{one}`' for one in settings)}"
        elif not text:
            text = ", ".join(f"`{word}`" for word in words_of(known))
        lines.append(f"- *{name}*: {text}")
    return lines


def words_of(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType, typing.Annotated) else ()
    return [word for part in parts for word in words_of(part)]


def op_lines(op: type[Op]) -> list[str]:
    """Heading, docstring and arguments of one op."""
    lines = [f"### `{op.kind}`", "", *map(escaped, (inspect.getdoc(op) or "").splitlines()), ""]
    least, most = op.arity
    if issubclass(op, Merge):
        lines += ["Takes `of`, `align` and `project` besides, see [Merges](language.md#merges).", ""]
    elif (least, most) != (1, 1):
        lines += [f"Inputs: {least} to {most}." if most is not None else f"Inputs: {least} or more.", ""]
    hints = typing.get_type_hints(op, include_extras=True)
    table: list[str] = []
    aside: list[str] = []
    for name, item in sorted(op.model_fields.items(), key=lambda pair: pair[0] != op.primary):
        kind, default = type_text(hints[name], tuple(item.metadata)), default_text(item.default)
        if kind.strip("*") in CONFIGS and not item.description:
            aside.append(f"`{name}`" if default == "null" else f"`{name}` ({default})")
            continue
        notes = "; ".join(note for note in ("**first**" * (name == op.primary), item.description) if note)
        table.append(f"| `{name}` | {kind} | {default} | {notes + ' ' * bool(notes)}|")
    if table:
        lines += ["| argument | type | default | |", "|---|---|---|---|", *table, ""]
    if aside:
        lines += [f"Also {', '.join(aside)}.", ""]
    return lines


def escaped(line: str) -> str:
    """Text in which `*` multiplies, outside code."""
    parts = line.split("`")
    return "`".join(part if i % 2 else part.replace("*", r"\*") for i, part in enumerate(parts))


def reference() -> str:
    """The whole page."""
    lines = [HEAD + "\n".join(named_types()), ""]
    groups = {family: [op for op in OPS if op.family == family] for family in FAMILIES}
    assert sum(map(len, groups.values())) == len(OPS)
    for family, title in FAMILIES.items():
        lines += [f"- **{title}**: " + ", ".join(f"[`{op.kind}`](#{op.kind})" for op in groups[family])]
    for family, title in FAMILIES.items():
        lines += ["", f"## {title}", ""]
        for op in groups[family]:
            lines += op_lines(op)
        lines.pop()
    lines += ["", "## `keras.<Class>`", "", "Built-in Keras layers that a spec may use by their class:", ""]
    lines += [", ".join(f"`{name}`" for name in sorted(ALLOWED)) + "."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"{TARGET.relative_to(TARGET.parent.parent)}: {len(OPS)} ops")
