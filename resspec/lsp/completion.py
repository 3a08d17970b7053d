"""What may stand at the cursor: keys, ops, blocks, arguments, words, names in scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel

from resspec.language.schema import BESIDE, STRUCTURAL, Block, Check, InputDecl, Param, SpecFile
from resspec.language.syntax import FUNCTIONS
from resspec.language.warning_codes import WARNINGS
from resspec.lsp import texts
from resspec.lsp.callees import Callee
from resspec.lsp.index import Index, build
from resspec.lsp.positions import Cursor, Lines
from resspec.lsp.repair import MARK, before, typed
from resspec.lsp.sites import Argument, Call, Defaulted, Key, ParamName, ParamType, Site, Table, Tensor, Written
from resspec.lsp.symbols import TENSORS, Kind, Scope, Symbol
from resspec.ops.base import Op
from resspec.ops.foreign import ALLOWED


class Sort(Enum):
    """What a proposal is, for the editor's icon."""

    KEY = "key"
    OP = "op"
    BLOCK = "block"
    ARGUMENT = "argument"
    WORD = "word"
    VALUE = "value"
    TENSOR = "tensor"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that may stand at the cursor; `rank` puts the likelier ones first."""

    label: str
    sort: Sort
    detail: str = ""
    doc: str = ""
    rank: int = 1


ATTRIBUTES = ("channels", "height", "width", "depth", "length", "rank", "shape")
TYPES = ("int", "float", "bool", "str", "list[int]", "list[float]", "list[str]")
BESIDE_DOCS = {
    "as": "a name for the result",
    "from": "the input, instead of the previous result",
    "when": "the step is passed over when false",
    "output": "marks the result as an output of the network",
    "let": "values for this step alone",
    "share": "one set of weights for all steps with this key",
    "trainable": "false freezes the weights",
    "do": "the body of a loop, or one that stands alone",
}
assert set(BESIDE_DOCS) == BESIDE
STRUCTURAL_DOCS = {
    "repeat": "the body this many times; `i` counts from 0",
    "for": "walks lists side by side: `{width: [64, 128]}`",
    "tap": "fetches a result by its name",
    "expect": "asserts a shape: `[H/32, W/32, 2048]`",
}
assert set(STRUCTURAL_DOCS) == set(STRUCTURAL)


def proposals(
    lines: Lines,
    cursor: Cursor,
    name: str,
    ops: Mapping[str, type[Op]],
    known: Index | None,
    imports: Mapping[str, Block],
) -> tuple[Proposal, ...]:
    """All that may stand at the cursor. `known` is the last index of the whole file."""
    tree = before(lines, cursor, name)
    if tree is None:
        return ()
    index = build(tree, lines, ops, imports)
    site = next((site for site in index.sites if MARK in site.scalar.text), None)
    if site is None:
        return ()
    found = {one.label: one for one in reversed(list(_at(site, typed(lines, cursor), index, known)))}
    found.pop(MARK, None)
    return tuple(sorted(found.values(), key=lambda one: (one.rank, one.label)))


def _at(site: Site, word: str, index: Index, known: Index | None) -> Iterator[Proposal]:
    callees = {**(known.callees if known else {}), **index.callees}
    match site:
        case Call():
            if word.startswith("keras."):
                yield from (Proposal(f"keras.{one}", Sort.OP, "layer of Keras") for one in ALLOWED)
                return
            yield from _step(site, callees, {**(known.blocks if known else {}), **index.blocks})
        case Key():
            yield from _keys(site)
        case Argument():
            callee = callees.get(site.callee)
            for parameter in callee.parameters.values() if callee else ():
                if parameter.name not in site.given:
                    yield Proposal(parameter.name, Sort.ARGUMENT, parameter.type, parameter.doc)
        case Defaulted():
            for callee in callees.values():
                if callee.name not in index.blocks:
                    yield Proposal(callee.name, Sort.OP, "", callee.doc)
        case ParamName():
            for symbol in (known or index).symbols:
                if symbol.kind is Kind.PARAM and symbol.callee is None:
                    yield Proposal(symbol.name, Sort.VALUE, symbol.kind.value)
        case ParamType():
            yield from (Proposal(kind, Sort.WORD) for kind in TYPES)
        case Tensor():
            yield from _tensors(site, word, index, known)
        case Written():
            yield from _value(site, word, callees, index, known)


def _step(site: Call, callees: Mapping[str, Callee], blocks: Mapping[str, Symbol]) -> Iterator[Proposal]:
    for key, doc in BESIDE_DOCS.items():
        if key not in site.given and not site.bare:
            yield Proposal(key, Sort.KEY, "beside the step", doc, rank=2 if len(site.given) == 1 else 0)
    others = site.given - BESIDE - {site.scalar.text}
    if others:
        return
    for name, doc in STRUCTURAL_DOCS.items():
        yield Proposal(name, Sort.KEY, "", doc)
    for name in (*blocks, *callees):
        doc = callees[name].doc if name in callees else ""
        yield Proposal(name, Sort.BLOCK if name in blocks else Sort.OP, "block" if name in blocks else "", doc)


_MODELS: dict[Table, type[BaseModel]] = {
    Table.SPEC: SpecFile,
    Table.PARAM: Param,
    Table.BLOCK: Block,
    Table.INPUT: InputDecl,
    Table.CHECK: Check,
}


def _keys(site: Key) -> Iterator[Proposal]:
    if site.table is Table.ALLOW:
        yield from (Proposal(code, Sort.KEY, "warning") for code in WARNINGS - site.given)
        return
    model = _MODELS.get(site.table)
    if model is None:
        return
    for name, item in model.model_fields.items():
        key = item.alias or name
        if key not in site.given:
            yield Proposal(key, Sort.KEY, "required" if item.is_required() else "", item.description or "")


def _tensors(site: Tensor, word: str, index: Index, known: Index | None) -> Iterator[Proposal]:
    scope = site.scope
    head, dot, _ = word.rpartition(".")
    if dot:
        for one in scope.meant(head):
            for callee in _called(one, index):
                yield from (Proposal(f"{head}.{result}", Sort.TENSOR) for result in callee.results)
        return
    for name, doc in (("prev", "the previous result"), ("in", "the input of this body")):
        yield Proposal(name, Sort.TENSOR, doc)
    for one in _visible(scope, index, known):
        if one.kind in TENSORS:
            yield Proposal(one.name, Sort.TENSOR, one.kind.value, rank=0)


def _called(symbol: Symbol, index: Index) -> Iterator[Callee]:
    """What the steps call that define a tap."""
    for owner in symbol.owners:
        for entry in getattr(owner, "entries", ()):
            if entry.key.text in index.callees:
                yield index.callees[entry.key.text]


def _value(
    site: Written, word: str, callees: Mapping[str, Callee], index: Index, known: Index | None
) -> Iterator[Proposal]:
    text = site.scalar.text
    callee = callees.get(site.callee or "")
    parameter = callee.parameters.get(site.argument or "") if callee else None
    if text == MARK and "." not in word:
        words = dict.fromkeys((*(parameter.words if parameter else ()), *sorted(site.slot.words)))
        yield from (Proposal(one, Sort.WORD, rank=0) for one in words)
        if site.argument in ("output", "trainable") and not words:
            yield from (Proposal(one, Sort.WORD, rank=0) for one in ("true", "false"))
    if not _takes_names(site, text):
        return
    if "." in word:
        head = word.rpartition(".")[0]
        yield from (Proposal(f"{head}.{one}", Sort.VALUE, "of a tensor") for one in ATTRIBUTES)
        return
    for one in _visible(site.scope, index, known):
        if one.kind in TENSORS:
            yield Proposal(one.name, Sort.TENSOR, one.kind.value, rank=2)
        else:
            yield Proposal(one.name, Sort.VALUE, one.kind.value)
    for name in ("in", "prev"):
        yield Proposal(name, Sort.TENSOR, rank=3)
    for name in FUNCTIONS:
        yield Proposal(name, Sort.FUNCTION, rank=3)


def _takes_names(site: Written, text: str) -> bool:
    """Whether the mark stands in an expression: of a slot for numbers, or behind a `$`."""
    at = text.index(MARK)
    if any(hole.inside[0] <= at <= hole.inside[1] for hole in texts.holes(text)):
        return True
    return site.slot.numbers and not site.slot.text


def _visible(scope: Scope, index: Index, known: Index | None) -> Iterable[Symbol]:
    """Names in scope before the cursor, and values of the file from anywhere in it."""
    found = dict(scope.visible())
    if known is not None and index.root in scope.outwards():
        found = {**known.root.values, **found}
    return [symbol for name, symbol in found.items() if MARK not in name and "$" not in name]
