"""The index of one file: every name with all its places, and what stands at each place. Pure, from the tree alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from resspec.diagnostics import Span
from resspec.language.arguments import param_slot
from resspec.language.schema import NAME, Block
from resspec.language.slots import NUMBER, TEXT
from resspec.lsp import callees as calls
from resspec.lsp import texts
from resspec.lsp.bodies import Bodies
from resspec.lsp.callees import Callee
from resspec.lsp.parts import EMPTY, declared, entries, header, part, scalars
from resspec.lsp.positions import Cursor, Lines, covers
from resspec.lsp.recorder import Recorder
from resspec.lsp.sites import Argument, Defaulted, Key, ParamName, ParamType, Site, Table
from resspec.lsp.symbols import Kind, Occurrence, Scope, Symbol
from resspec.ops.base import Op
from resspec.yamltree import Entry, Scalar, Sequence, Tree
from resspec.yamltree import Mapping as Node


@dataclass(frozen=True, eq=False)
class Index:
    """What is known of one file without expanding it."""

    tree: Tree
    root: Scope
    """parameters, lets and unknown sizes of the file"""
    graph: Scope
    symbols: tuple[Symbol, ...]
    occurrences: tuple[Occurrence, ...]
    sites: tuple[Site, ...]
    callees: Mapping[str, Callee]
    blocks: Mapping[str, Symbol]
    """blocks of the file and those of other files, by name"""
    steps: tuple[Tree, ...]

    def occurrence(self, cursor: Cursor) -> Occurrence | None:
        """The name under the cursor, the shortest one."""
        found = [one for one in self.occurrences if one.span is not None and covers(one.span, cursor)]
        return min(found, key=lambda one: _width(one.span), default=None)

    def site(self, cursor: Cursor) -> Site | None:
        """What stands under the cursor."""
        found = [one for one in self.sites if covers(one.span, cursor)]
        return min(found, key=lambda one: _width(one.span), default=None)

    def step(self, cursor: Cursor) -> Tree | None:
        """The innermost step around the cursor."""
        found = [one for one in self.steps if covers(one.span, cursor)]
        return min(found, key=lambda one: _width(one.span), default=None)

    def places(self, symbol: Symbol) -> list[Occurrence]:
        """All places of a name, in the order of the file."""
        found = [one for one in self.occurrences if one.symbol is symbol]
        return sorted(found, key=lambda one: one.span or one.whole)


def _width(span: Span | None) -> tuple[int, int]:
    assert span is not None
    return span.end_line - span.line, span.end_column - span.column


def build(tree: Tree, lines: Lines, ops: Mapping[str, type[Op]], imports: Mapping[str, Block] | None = None) -> Index:
    """The index of a tree, which need not be a legal spec. `imports` are the blocks that `use` brought."""
    return _File(tree, lines, ops, imports or {}).index()


class _File:
    def __init__(self, tree: Tree, lines: Lines, ops: Mapping[str, type[Op]], imports: Mapping[str, Block]) -> None:
        self.tree, self.ops, self.imports = tree, ops, imports
        self.found = Recorder(lines)
        self.root, self.callees = Scope(), {kind: calls.of_op(op) for kind, op in ops.items()}
        self.graph = Scope(self.root)
        self.blocks: dict[str, Symbol] = {}
        self.params: dict[str, dict[str, Symbol]] = {}
        self.block_inputs: dict[str, dict[str, Symbol]] = {}
        self.scopes: dict[str, Scope] = {}
        """the outermost scope of each block"""
        self.bodies = Bodies(self.found, self.callees, self.blocks, self.params, self.block_inputs)

    def index(self) -> Index:
        parts = {entry.key.text: entry.value for entry in entries(self.tree)}
        self.keys(self.tree, Table.SPEC, self.root)
        self.declare(parts)
        for entry in entries(parts.get("params")):
            self.param(entry, self.root, self.top_params[entry.key.text])
        self.bodies.lets(parts.get("let", EMPTY), self.root)
        self.inputs(parts.get("inputs"))
        if "name" in parts:
            self.found.value(parts["name"], TEXT, self.root, None, "name")
        for entry in entries(parts.get("variants")):
            self.settings(entry.value)
        self.keys(parts.get("allow"), Table.ALLOW, self.root)
        self.defaults(parts.get("defaults"))
        for entry in entries(parts.get("blocks")):
            self.block(entry)
        if "graph" in parts:
            self.bodies.walk(parts["graph"], self.graph)
        checks = parts.get("checks")
        for check in checks.items if isinstance(checks, Sequence) else ():
            self.check(check)
        self.found.resolve()
        return Index(
            self.tree,
            self.root,
            self.graph,
            tuple(self.found.symbols),
            tuple(self.found.occurrences),
            tuple(self.found.sites),
            self.callees,
            self.blocks,
            tuple(self.bodies.steps),
        )

    def keys(self, tree: Tree | None, table: Table, scope: Scope) -> None:
        found = entries(tree)
        given = frozenset(entry.key.text for entry in found)
        self.found.sites += [Key(entry.key, scope, table, given) for entry in found]

    # -- what may be used before it is declared ----------------------------------------------

    def declare(self, parts: Mapping[str, Tree]) -> None:
        """Blocks and the params of each: what calls and variants name."""
        found = self.found
        self.top_params = {
            entry.key.text: found.symbol(Kind.PARAM, entry.key.text, self.root, entry.value)
            for entry in entries(parts.get("params"))
        }
        for entry in entries(parts.get("use")):
            name = entry.key.text
            self.blocks[name] = found.symbol(Kind.BLOCK, name, self.root, entry.value)
            found.define(self.blocks[name], entry.key)
            if name in self.imports:
                self.callees[name] = calls.of_block(name, self.imports[name])
        for entry in entries(parts.get("blocks")):
            name = entry.key.text
            self.blocks[name] = found.symbol(Kind.BLOCK, name, self.root, entry.value)
            found.define(self.blocks[name], entry.key)
            scope = self.scopes[name] = Scope(self.root)
            params = entries(part(entry.value, "params"))
            self.params[name] = {
                one.key.text: found.symbol(Kind.PARAM, one.key.text, scope, one.value, name) for one in params
            }
            self.block_inputs[name] = {}
            for item in scalars(part(entry.value, "inputs")):
                symbol = found.symbol(Kind.INPUT, item.text, scope, item, name)
                scope.taps.append(symbol)
                found.define(symbol, item)
                self.block_inputs[name][item.text] = symbol
            self.callees[name] = calls.of_block(name, header(entry.value, params))

    def param(self, entry: Entry, scope: Scope, symbol: Symbol) -> None:
        """A declaration: its default sees the params before it."""
        found, tree = self.found, entry.value
        known = declared(tree)
        slot = param_slot(known) if known else TEXT
        if isinstance(tree, Scalar):
            found.sites.append(ParamType(tree, scope))
            kind, equals, _ = tree.text.partition("=")
            if equals and isinstance(tree.value, str):
                self.short_default(tree, len(kind) + 1, slot.text, scope)
        else:
            self.keys(tree, Table.PARAM, scope)
            if (default := part(tree, "default")) is not None:
                found.value(default, slot, scope, None, entry.key.text)
            if isinstance(kind_tree := part(tree, "type"), Scalar):
                found.sites.append(ParamType(kind_tree, scope))
        scope.values[entry.key.text] = symbol
        found.define(symbol, entry.key)

    def short_default(self, scalar: Scalar, start: int, text: bool, scope: Scope) -> None:
        """The default of `int = 4*width`; a text only holds names behind `$`."""
        default = scalar.text[start:]
        if not text and "$" not in default:
            self.found.expression(scalar, scope, start)
            return
        for hole in texts.holes(default):
            self.found.expression(scalar, scope, start + hole.inside[0], start + hole.inside[1])

    # -- sections ---------------------------------------------------------------------------

    def inputs(self, tree: Tree | None) -> None:
        for entry in entries(tree):
            symbol = self.found.symbol(Kind.INPUT, entry.key.text, self.graph, entry.value)
            self.graph.taps.append(symbol)
            self.found.define(symbol, entry.key)
            shape = part(entry.value, "shape")
            if shape is not None:
                self.keys(entry.value, Table.INPUT, self.root)
            self.sizes(shape if shape is not None else entry.value)

    def sizes(self, tree: Tree) -> None:
        """A name that is no value yet is an unknown size."""
        for item in tree.items if isinstance(tree, Sequence) else ():
            if self.unknown(item):
                assert isinstance(item, Scalar)
                symbol = self.found.symbol(Kind.SIZE, item.text, self.root, item)
                self.root.values[item.text] = symbol
                self.found.define(symbol, item)
                continue
            self.found.value(item, NUMBER, self.root, None, "shape")
        if isinstance(tree, Node):
            for entry in tree.entries:
                if entry.key.text == "match":
                    self.found.value(entry.value, NUMBER, self.root)
                else:
                    self.sizes(entry.value)

    def unknown(self, item: Tree) -> bool:
        named = isinstance(item, Scalar) and isinstance(item.value, str) and NAME.fullmatch(item.text)
        return bool(named) and self.root.value(getattr(item, "text", "")) is None

    def settings(self, tree: Tree | None) -> None:
        """Values that a variant or check gives to params; they are data, not expressions."""
        for entry in entries(tree):
            self.found.sites.append(ParamName(entry.key, self.root))
            symbol = self.top_params.get(entry.key.text)
            if symbol is not None:
                self.found.occur(symbol, entry.key)

    def defaults(self, tree: Tree | None) -> None:
        for entry in entries(tree):
            self.found.sites.append(Defaulted(entry.key, self.root))
            kind = self.ops.get(entry.key.text)
            arguments = entries(entry.value)
            given = frozenset(one.key.text for one in arguments)
            for one in arguments:
                self.found.sites.append(Argument(one.key, self.root, entry.key.text, given))
                parameter = calls.of_op(kind).parameters.get(one.key.text) if kind else None
                slot = parameter.slot if parameter else TEXT
                self.found.value(one.value, slot, self.root, entry.key.text, one.key.text)

    def block(self, entry: Entry) -> None:
        tree, scope = entry.value, self.scopes[entry.key.text]
        if not isinstance(tree, Node):
            self.bodies.walk(tree, scope)
            return
        self.keys(tree, Table.BLOCK, self.root)
        for one in entries(part(tree, "params")):
            self.param(one, scope, self.params[entry.key.text][one.key.text])
        self.bodies.lets(part(tree, "let") or EMPTY, scope)
        if (graph := part(tree, "graph")) is not None:
            self.bodies.walk(graph, scope)
        if (outputs := part(tree, "outputs")) is not None:
            self.found.tensor(outputs, scope)

    def check(self, tree: Tree) -> None:
        self.keys(tree, Table.CHECK, self.graph)
        for entry in entries(tree):
            key = entry.key.text
            if key == "with":
                self.settings(entry.value)
            elif key == "at":
                for one in entries(entry.value):
                    if (size := self.root.value(one.key.text)) is not None:
                        self.found.occur(size, one.key)
            elif key == "shapes":
                for one in entries(entry.value):
                    self.output(one)
            elif key in CHECK_KEYS:
                self.found.value(entry.value, NUMBER, self.root, None, key)
            else:
                self.output(entry)

    def output(self, entry: Entry) -> None:
        """The shape of an output, whose name is that of a step."""
        for tap in self.graph.meant(entry.key.text):
            self.found.occur(tap, entry.key, words=CHECK_KEYS)
        self.found.value(entry.value, NUMBER, self.root, None, entry.key.text)


CHECK_KEYS = frozenset(("with", "at", "when", "params", "total_params", "flops", "macs", "depth", "layers", "shapes"))
