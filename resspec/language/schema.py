"""What a spec file may hold: the one definition, from which the JSON Schema is made.

The models check the form of a file. What its names mean, and whether the sizes fit, is found
out while expanding. A value that may be an expression has the type `Value` here: its place in the
language (an op's argument, a parameter) gives it a type later.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from resspec import edits, limits, yamltree
from resspec.diagnostics import Fix
from resspec.language import beside, forms
from resspec.language.errors import Misfit, Where, shown
from resspec.suggest import nearest

VERSION = 1
RESERVED = frozenset(
    (
        *("in", "prev", "as", "from", "when", "output", "let", "do", "share", "trainable", "repeat", "for", "of"),
        *("match", "else", "expect", "tap", "true", "false", "null", "and", "or", "not", "if", "resspec"),
    )
)
STRUCTURAL = ("repeat", "for", "tap", "expect")
"""keys of steps that are no op and no block"""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Value = Any
"""a number, a word, an expression, a list, `match`, or the settings of a named thing"""


def _name(value: Any) -> Any:
    if isinstance(value, str) and not NAME.fullmatch(value):
        help = "parameters are declared under `params`" if "(" in value else None
        raise Misfit(f"`{value}` is not a name: letters, digits and `_`, a letter first", help)
    if isinstance(value, str) and value in RESERVED:
        raise ValueError(f"`{value}` is a word of the language and cannot be a name")
    return value


def _reason(value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        raise Misfit("`allow` needs a reason for every code", "say in quotes why the warning may stand")
    return value


Reason = Annotated[str, BeforeValidator(_reason), Field(min_length=1)]
Name = Annotated[str, BeforeValidator(_name), Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Switch = bool | str
Size = int | str | None


BESIDE = beside.KEYS
"""keys that may stand beside a step's op"""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


_TYPE = re.compile(r"(?P<list>list\[)?(?P<item>int|float|bool|str)(?(list)\])(?P<null>\s*\?|\s+or\s+null)?")


def fits(item: str, value: Any) -> bool:
    """Whether a value is an `int`, `float`, `bool` or `str` of the language; a whole float is an integer."""
    if isinstance(value, bool):
        return item == "bool"
    if isinstance(value, float):
        return item == "float" or (item == "int" and value.is_integer())
    return isinstance(value, str) if item == "str" else isinstance(value, int) and item != "bool"


class Param(Model):
    """A parameter of a spec or block: `{type: int, min: 1, default: 4}`, or in short `int = 4`."""

    type: Annotated[str, Field(description="int, float, bool, str, list[...] of these; a trailing ? allows null")]
    default: Value = Field(None, description="value when the caller gives none; without it the parameter is required")
    enum: list[Value] | None = Field(None, description="the values that are allowed")
    min: float | int | None = None
    max: float | int | None = None
    doc: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            kind, equals, default = value.partition("=")
            if not _TYPE.fullmatch(kind.strip()):
                raise _no_type(kind.strip(), value)
            found: dict[str, Any] = {"type": kind.strip()}
            if equals:
                # the text is kept: whether it is a word or an expression depends on the type
                found["default"] = _short_default(default.strip())
            return found
        if isinstance(value, bool | int | float):
            raise forms.no_type(value)
        return value

    @model_validator(mode="after")
    def _known_type(self) -> Param:
        if not _TYPE.fullmatch(self.type):
            raise _no_type(self.type, None)
        for i, choice in enumerate(self.enum or ()):
            if not self._may_be(choice):
                message = f"`enum` of {self.type} holds {shown(choice)}, which no value can be"
                raise Misfit(message, f"write values of type {self.type}", at=("enum", i))
        return self

    def _may_be(self, value: Any) -> bool:
        """Whether a value is of this type."""
        if value is None:
            return self.nullable
        items = value if self.is_list and isinstance(value, list) else [value]
        return self.is_list == isinstance(value, list) and all(fits(self.item, item) for item in items)

    @property
    def item(self) -> str:
        """`int` of `list[int]?`."""
        match = _TYPE.fullmatch(self.type)
        assert match is not None
        return match["item"]

    @property
    def is_list(self) -> bool:
        return self.type.startswith("list")

    @property
    def nullable(self) -> bool:
        return self.type.rstrip().endswith(("?", "null"))

    @property
    def required(self) -> bool:
        return "default" not in self.model_fields_set


TYPES = ("int", "float", "bool", "str")


def _no_type(written: str, whole: str | None) -> Misfit:
    """A type that is none; `whole` is the short form `integer = 3` that it begins."""
    near = nearest(written.rstrip("?"), TYPES)

    def fix(where: Where) -> Fix | None:
        place = where((), False) if whole is not None else where(("type",), False)
        if near is None or place is None or not edits.one_line(place, whole if whole is not None else written):
            return None
        whole_type = near + "?" * written.endswith("?")
        return edits.replaced(edits.first(place, len(written)), whole_type, certain=True)

    message = f"`{written}` is not a type: int, float, bool, str, list[...] of these, or with `?`"
    help = f"did you mean `{near}`?" if near else None
    if near is None and whole == written and NAME.fullmatch(written):
        help = f"a parameter says its type first: `str = {written}`"
    return Misfit(message, help, at=("type",), fix=fix)


def _short_default(text: str) -> Any:
    if text.startswith("$"):
        return text
    return yamltree.parse_value(text, "the default")


class Step(Model):
    """One step of a graph: an op or block with its arguments, and what stands beside it."""

    op: str | None = None
    """the one key: an op, a block, `repeat`, `for`, `tap` or `expect`; None for a body or a list"""
    arguments: Value = None
    inline: list[Step] | None = None
    """a nested list of steps, which stands for its items"""
    name: str | None = Field(None, alias="as")
    source: str | list[str] | dict[str, str] | None = Field(None, alias="from")
    when: Switch | None = None
    output: bool = False
    let: dict[Name, Value] = {}
    share: str | None = None
    trainable: Switch | None = None
    do: Annotated[list[Step] | None, BeforeValidator(forms.steps("do"))] = None

    tree: Any = Field(None, exclude=True)
    """the step's place in its file, a `yamltree.Tree` that `attach` puts in"""

    @model_validator(mode="before")
    @classmethod
    def _normal(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"op": value}
        if isinstance(value, list):
            return {"inline": value}
        if not isinstance(value, dict):
            raise Misfit(f"a step is a name, a list of steps, or a mapping with one op, got {_plain(value)}")
        found = {key: item for key, item in value.items() if key in BESIDE}
        keys = [key for key in value if key not in BESIDE]
        if not keys and "do" not in value:
            raise Misfit("a step needs an op, a block, `repeat`, `for`, `tap`, `expect` or `do`")
        if len(keys) > 1:
            raise beside.misfit(value, keys)
        if keys:
            if not isinstance(keys[0], str):
                raise Misfit(f"an op is a name, got {_plain(keys[0])}", at=(keys[0],), key=True)
            found |= {"op": keys[0], "arguments": value[keys[0]]}
        return found


def _plain(value: Any) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a mapping", str: "a text"}
    return "nothing" if value is None else kinds.get(type(value), "something else")


class Block(Model):
    """A function from tensors to tensors: typed params and a body. A bare list is a block without params."""

    doc: str | None = None
    params: dict[Name, Param] = {}
    inputs: list[Name] = Field([], description="names of the inputs, where there are several")
    let: dict[Name, Value] = {}
    graph: list[Step]
    outputs: dict[Name, str] = Field({}, description="result name -> tap, where there are several")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"graph": value} if isinstance(value, list) else value


class InputDecl(Model):
    """An input of the network: sizes of one example, channels last; a name is an unknown size."""

    shape: Annotated[list[Size], Field(max_length=limits.RANK)] | dict[Any, Any] = Field(
        description="a list of sizes, or `match` with a list in every case"
    )
    dtype: Literal["float32", "float16", "bfloat16", "float64", "int32", "int64", "uint8", "bool"] = "float32"

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, int | str):
            raise forms.no_shape(value)
        return {"shape": value} if isinstance(value, list) or (isinstance(value, dict) and "match" in value) else value


class Check(Model):
    """What must hold: counts and shapes, at given params (`with`) and input sizes (`at`)."""

    model_config = ConfigDict(extra="allow")

    with_: dict[str, Value] = Field({}, alias="with", description="parameters to set")
    at: dict[str, int] = Field({}, description="values of unknown sizes")
    when: Switch | None = None
    params: Value = Field(None, description="trainable parameters")
    total_params: Value = Field(None, description="all weights, as Keras's count_params()")
    flops: Value = None
    macs: Value = None
    depth: Value = None
    layers: Value = None
    shapes: dict[str, list[Value]] = Field({}, description="output name -> shape; a bare output name is the short form")


class SpecFile(Model):
    """A network as data."""

    resspec: int = Field(description=f"version of the language; this release reads {VERSION}")
    name: str = Field("network", description="may use params: resnet$(depth)")
    doc: str | None = None
    meta: dict[str, Any] = Field({}, description="paper, license, url ...: data that nothing reads")
    params: dict[Name, Param] = Field({}, description="what a caller may set")
    variants: dict[str, dict[str, Value]] = Field({}, description="named settings of params")
    let: dict[Name, Value] = Field({}, description="computed values, from top to bottom")
    use: dict[Name, str] = Field({}, description="blocks of other files: blocks/attention.yaml#se")
    defaults: dict[str, dict[str, Value]] = Field({}, description="arguments that ops take where a step gives none")
    inputs: Annotated[dict[Name, InputDecl], BeforeValidator(forms.inputs)] = {}
    blocks: dict[Name, Block] = {}
    graph: Annotated[list[Step], BeforeValidator(forms.steps("graph"))] = []
    checks: list[Check] = []
    allow: dict[str, Reason] = Field({}, description="warnings to live with: code -> the reason")

    @model_validator(mode="after")
    def _version(self) -> SpecFile:
        if self.resspec != VERSION:
            raise Misfit(
                f"the language version {self.resspec} is not known to this release, which reads {VERSION}",
                "install the release of resspec that the file was written for",
                at=("resspec",),
            )
        return self


def attach(steps: list[Step], tree: yamltree.Tree) -> None:
    """Tell every step where it stands: the two trees have one form."""
    assert isinstance(tree, yamltree.Sequence)
    for step, item in zip(steps, tree.items, strict=True):
        step.__dict__["tree"] = item  # the model is frozen against everybody else
        if step.inline is not None:
            attach(step.inline, item)
        elif step.do is not None:
            assert isinstance(item, yamltree.Mapping)
            entry = item.get("do")
            assert entry is not None
            attach(step.do, entry.value)
