"""Walks the steps of a body: what each of them calls, takes, names and holds."""

from __future__ import annotations

from collections.abc import Mapping as Table_
from collections.abc import Sequence as Items

from resspec.language.schema import BESIDE, STRUCTURAL
from resspec.language.slots import NUMBER, TEXT, Slot
from resspec.lsp.callees import Callee
from resspec.lsp.recorder import Recorder
from resspec.lsp.sites import Argument, Call, Key, Table, Written
from resspec.lsp.symbols import Kind, Scope, Symbol
from resspec.yamltree import Entry, Mapping, Scalar, Sequence, Tree

SIZES = Slot(numbers=True)


class Bodies:
    """Walks bodies. `callees` are the ops and blocks of the file, `blocks` the symbols of the latter.

    `params` and `inputs` are the symbols that belong to each block.
    """

    def __init__(
        self,
        found: Recorder,
        callees: Table_[str, Callee],
        blocks: Table_[str, Symbol],
        params: Table_[str, Table_[str, Symbol]],
        inputs: Table_[str, Table_[str, Symbol]],
    ) -> None:
        self.found, self.callees, self.blocks = found, callees, blocks
        self.params, self.inputs = params, inputs
        self.steps: list[Tree] = []
        """every step, in order; lists that only hold steps are none"""

    def walk(self, tree: Tree, scope: Scope) -> None:
        """The steps of a body, or of a list inside it."""
        for item in tree.items if isinstance(tree, Sequence) else ():
            if isinstance(item, Sequence):
                self.walk(item, scope)
            else:
                self.steps.append(item)
                self.step(item, scope)

    def step(self, tree: Tree, scope: Scope) -> None:
        if isinstance(tree, Scalar):
            if isinstance(tree.value, str):
                self.call(tree, scope, frozenset(), bare=True)
            return
        assert isinstance(tree, Mapping)
        given = frozenset(entry.key.text for entry in tree.entries)
        parts = {entry.key.text: entry for entry in tree.entries if entry.key.text in BESIDE}
        calls = [entry for entry in tree.entries if entry.key.text not in BESIDE]
        looping = bool(calls) and calls[0].key.text in ("repeat", "for")
        outer = scope
        if looping:
            inner = self.loop(calls[0], scope)
        else:
            inner = Scope(scope, body=False)
        if "let" in parts:
            self.lets(parts["let"].value, inner)
        for name, entry in parts.items():
            self.found.sites.append(Key(entry.key, inner, Table.STEP, given))
            if name in ("when", "trainable"):
                self.found.value(entry.value, NUMBER, outer if looping else inner, None, name)
            elif name == "share":
                self.found.value(entry.value, TEXT, outer if looping else inner, None, name)
            elif name == "output":
                self.found.value(entry.value, NUMBER, inner, None, name)
            elif name == "from":
                self.found.tensor(entry.value, outer if looping else inner)
                self.handed(entry.value, calls)
        for number, entry in enumerate(calls):
            self.call(entry.key, inner, given, bare=False)
            if number == 0:
                self.arguments(entry, inner)
        if "do" in parts:
            self.walk(parts["do"].value, inner if looping else Scope(inner))
        if "as" in parts and isinstance(label := parts["as"].value, Scalar) and isinstance(label.value, str):
            # the result of a loop is named outside of it
            self.found.tap(label, outer if looping and "$" not in label.text else inner, tree)

    def handed(self, source: Tree, calls: Items[Entry]) -> None:
        """`from: {gate: x}` names the inputs of the block that is called."""
        inputs = self.inputs.get(calls[0].key.text, {}) if calls else {}
        for entry in source.entries if isinstance(source, Mapping) else ():
            if entry.key.text in inputs:
                self.found.occur(inputs[entry.key.text], entry.key)

    def call(self, name: Scalar, scope: Scope, given: frozenset[str], *, bare: bool) -> None:
        self.found.sites.append(Call(name, scope, given, bare))
        if name.text in self.blocks:
            self.found.occur(self.blocks[name.text], name)

    def lets(self, tree: Tree, scope: Scope) -> None:
        """Values in order, each of which sees those before it."""
        for entry in tree.entries if isinstance(tree, Mapping) else ():
            loops = self.found.value(entry.value, NUMBER, scope, None, entry.key.text)
            symbol = self.found.symbol(Kind.LET, entry.key.text, scope, entry.value)
            symbol.loops = loops
            scope.values[entry.key.text] = symbol
            self.found.define(symbol, entry.key)

    def loop(self, entry: Entry, scope: Scope) -> Scope:
        """The scope of a turn: `i`, and the variables of `for`."""
        self.found.loops += 1
        identity = self.found.loops
        inner = Scope(scope, loop=identity)

        def variable(name: str) -> Symbol:
            symbol = self.found.symbol(Kind.LOOP, name, inner, entry.value)
            symbol.loops = frozenset((identity,))
            inner.values[name] = symbol
            return symbol

        variable("i")
        if entry.key.text == "for" and isinstance(entry.value, Mapping):
            for one in entry.value.entries:
                start = 0
                for part in one.key.text.split(","):
                    name = part.strip()
                    if name:
                        self.found.define(variable(name), one.key, start + part.index(name))
                    start += len(part) + 1
        return inner

    def arguments(self, entry: Entry, scope: Scope) -> None:
        """What stands behind the key of a step."""
        name, tree = entry.key.text, entry.value
        if name in STRUCTURAL:
            self.structural(name, tree, scope)
            return
        callee = self.callees.get(name)
        if callee is not None and callee.merge and not isinstance(tree, Mapping):
            self.found.tensor(tree, scope)
        elif isinstance(tree, Mapping) and not (
            _matches(tree) and (callee is None or "match" not in callee.parameters)
        ):
            self.named(name, callee, tree.entries, scope)
        else:
            parameter = callee.parameters.get(callee.first) if callee is not None and callee.first else None
            slot = parameter.slot if parameter else TEXT
            self.found.value(tree, slot, scope, name, parameter.name if parameter else None)

    def named(self, name: str, callee: Callee | None, entries: Items[Entry], scope: Scope) -> None:
        given = frozenset(entry.key.text for entry in entries)
        symbols = self.params.get(name, {})
        for entry in entries:
            key = entry.key.text
            self.found.sites.append(Argument(entry.key, scope, name, given))
            if key in symbols:
                self.found.occur(symbols[key], entry.key)
            if callee is not None and callee.merge and key == "of":
                self.found.tensor(entry.value, scope)
                continue
            parameter = callee.parameters.get(key) if callee else None
            self.found.value(entry.value, parameter.slot if parameter else TEXT, scope, name, key)

    def structural(self, name: str, tree: Tree, scope: Scope) -> None:
        """`repeat`, `for`, `tap`, `expect`; the values of a loop are those around it."""
        outer = scope.parent or scope
        if name == "tap":
            self.found.tensor(tree, scope)
        elif name == "repeat":
            self.found.value(tree, NUMBER, outer, name, name)
        elif name == "expect":
            self.found.value(tree, SIZES, scope, name, name)
        elif isinstance(tree, Mapping):
            for entry in tree.entries:
                self.found.value(entry.value, NUMBER, outer, name, entry.key.text)
        elif isinstance(tree, Scalar):
            self.found.sites.append(Written(tree, outer, NUMBER, name, name))


def _matches(tree: Mapping) -> bool:
    return tree.get("match") is not None
