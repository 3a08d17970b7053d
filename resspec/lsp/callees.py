"""What a step may call, op or block, as one description: its parameters, their slots, words and defaults."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from resspec.language.arguments import param_slot
from resspec.language.merges import ALIGN, PROJECT
from resspec.language.schema import Block, Param
from resspec.language.slots import Slot, slots_of
from resspec.ops.base import Op
from resspec.ops.merge import Merge


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an op or block."""

    name: str
    slot: Slot
    type: str
    """in words: `integer`, `same or valid or integer`"""
    words: tuple[str, ...] = ()
    """values that are words"""
    default: str | None = None
    """as a file would write it; None if the argument must be given"""
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Callee:
    """An op or block."""

    name: str
    doc: str
    parameters: Mapping[str, Parameter]
    first: str | None
    """the parameter that a lone value fills"""
    merge: bool = False
    inputs: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


OPERANDS = Slot()
"""the slot of `of`: names of tensors"""


@cache
def of_op(kind: type[Op]) -> Callee:
    """An op as something to call."""
    slots = slots_of(kind)
    found = {
        name: Parameter(
            name,
            slots[name],
            _type(item.annotation),
            _words(item.annotation),
            None if item.is_required() else shown(item.default),
            item.description or "",
        )
        for name, item in sorted(kind.model_fields.items(), key=lambda one: one[0] != kind.primary)
    }
    merge = issubclass(kind, Merge)
    if merge:
        found = {
            "of": Parameter("of", OPERANDS, "list of tensors", (), "", "the tensors to merge"),
            "align": _choice("align", ALIGN, "mend spatial sizes that differ"),
            "project": _choice("project", PROJECT, "bring the others to the first one's shape"),
            **found,
        }
    doc = inspect.getdoc(kind) or ""
    return Callee(kind.kind, doc, found, kind.primary, merge, (), kind.results)


def _choice(name: str, words: tuple[str, ...], doc: str) -> Parameter:
    return Parameter(name, Slot(words=frozenset(words)), " or ".join(words), words, "", doc)


def of_block(name: str, block: Block) -> Callee:
    """A block as something to call."""
    found = {key: of_param(key, param) for key, param in block.params.items()}
    return Callee(
        name, block.doc or "", found, next(iter(found), None), False, tuple(block.inputs), tuple(block.outputs)
    )


def of_param(name: str, param: Param) -> Parameter:
    words = tuple(one for one in param.enum or () if isinstance(one, str))
    bounds = [f"{sign} {limit}" for sign, limit in ((">=", param.min), ("<=", param.max)) if limit is not None]
    if param.enum is not None:
        bounds.append("one of " + ", ".join(shown(one) for one in param.enum))
    default = None if param.required else shown(param.default)
    return Parameter(name, param_slot(param), " ".join([param.type, *bounds]), words, default, param.doc or "")


def shown(value: Any) -> str:
    """A value as a file would write it."""
    if value is None:
        return "null"
    if value is PydanticUndefined:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, BaseModel):
        inside = ", ".join(f"{key}: {shown(item)}" for key, item in value.model_dump(exclude_none=True).items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


MOST = 4
"""words of a type that are told one by one"""

_NAMES: dict[Any, str] = {int: "integer", float: "number", bool: "true or false", str: "text", type(None): "null"}


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " or ".join(map(str, arguments)) if len(arguments) <= MOST else f"{', '.join(arguments[:MOST])}, ..."
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in arguments))
    if origin in (tuple, list):
        items = dict.fromkeys(_type(one) for one in arguments if one is not Ellipsis)
        return f"list of {' or '.join(items)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "settings"
    return _NAMES.get(annotation, "value")


def _words(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(one for one in get_args(annotation) if isinstance(one, str))
    if annotation is bool:
        return ("true", "false")
    if get_origin(annotation) in (Union, types.UnionType, Annotated):
        return tuple(dict.fromkeys(word for one in get_args(annotation) for word in _words(one)))
    return ()
