"""What stands under the cursor, in Markdown: a step with its shapes and counts, a name with its value."""

from __future__ import annotations

from collections.abc import Iterator

from resspec.diagnostics import Span
from resspec.lsp.callees import Callee, Parameter
from resspec.lsp.completion import BESIDE_DOCS, STRUCTURAL_DOCS
from resspec.lsp.facts import Facts, StepFacts
from resspec.lsp.index import Index
from resspec.lsp.positions import Cursor, Lines
from resspec.lsp.sites import Argument, Call, Defaulted, Key, Table
from resspec.lsp.symbols import Kind, Occurrence, Symbol
from resspec.yamltree import Mapping, Scalar, Tree

MOST = 6
"""places of one step that are listed"""


def hover(index: Index, facts: Facts, lines: Lines, cursor: Cursor) -> tuple[str, Span] | None:
    """The text to show and the stretch that it is about; None where nothing is known."""
    site, occurrence = index.site(cursor), index.occurrence(cursor)
    if isinstance(site, Call):
        step = index.step(cursor)
        return "\n\n".join(_call(site.scalar.text, index, facts.step(step.span) if step else None)), site.span
    if isinstance(site, Argument) and (text := _argument(site, index)):
        return text, site.span
    if occurrence is not None and occurrence.span is not None:
        return "\n\n".join(_symbol(occurrence, index, facts, lines)), occurrence.span
    if isinstance(site, Key) and site.table is Table.STEP and site.scalar.text in BESIDE_DOCS:
        return f"`{site.scalar.text}`: {BESIDE_DOCS[site.scalar.text]}", site.span
    if isinstance(site, Defaulted) and site.scalar.text in index.callees:
        return "\n\n".join(_callee(index.callees[site.scalar.text])), site.span
    return None


def _call(name: str, index: Index, found: StepFacts | None) -> Iterator[str]:
    if found is not None:
        yield from _facts(found)
    if name in STRUCTURAL_DOCS:
        yield f"`{name}`: {STRUCTURAL_DOCS[name]}"
    elif name in index.callees:
        yield from _callee(index.callees[name])


def _callee(callee: Callee) -> Iterator[str]:
    required = [one.name for one in callee.parameters.values() if one.default is None]
    yield f"**{callee.name}**" + (f" ({', '.join(f'`{one}`' for one in required)})" if required else "")
    if callee.doc:
        yield callee.doc
    if callee.parameters:
        yield "\n".join(f"- {_parameter(one)}" for one in callee.parameters.values())


def _parameter(one: Parameter) -> str:
    default = f" = `{one.default}`" if one.default else ""
    return f"`{one.name}`: {one.type}{default}" + (f"; {one.doc}" if one.doc else "")


def _argument(site: Argument, index: Index) -> str | None:
    callee = index.callees.get(site.callee)
    found = callee.parameters.get(site.scalar.text) if callee else None
    return _parameter(found) + f"\n\nof `{site.callee}`" if found else None


def _facts(found: StepFacts) -> Iterator[str]:
    """Shapes, weights and MACs of a step, at every place of the graph that it made."""
    if found.under:
        yield f"passed over by default; with {found.under}:"
    rows = [
        f"- `{one.path}`: {', '.join(one.inputs)} -> {', '.join(one.outputs)}, {one.params:,} parameters, "
        + ("MACs depend on the input size" if one.macs is None else f"{one.macs:,} MACs")
        for one in found.places[:MOST]
    ]
    if len(found.places) > MOST:
        rows.append(f"- and {len(found.places) - MOST} more")
    yield "\n".join(rows)


def _symbol(occurrence: Occurrence, index: Index, facts: Facts, lines: Lines) -> Iterator[str]:
    symbol = occurrence.symbol
    yield f"{symbol.kind.value} `{symbol.name}`" + (f" of block `{symbol.callee}`" if symbol.callee else "")
    if symbol.kind is Kind.BLOCK and symbol.name in index.callees:
        yield from _callee(index.callees[symbol.name])
    elif symbol.kind is Kind.PARAM:
        yield from _param(symbol, index, facts)
    elif symbol.kind is Kind.LET:
        yield from _let(symbol, facts, lines)
    elif symbol.kind is Kind.LOOP:
        yield f"in {symbol.owners[0].span.line}: `{_source(symbol, lines)}`"
    elif symbol.kind is Kind.INPUT and symbol.callee is None:
        yield facts.inputs.get(symbol.name, "")
    elif symbol.kind is Kind.SIZE:
        yield facts.sizes.get(symbol.name, "")
    elif symbol.kind is Kind.TAP:
        yield from _tap(symbol, index, facts)


def _param(symbol: Symbol, index: Index, facts: Facts) -> Iterator[str]:
    if symbol.callee is None:
        if symbol.name in facts.values:
            yield f"value: `{facts.values[symbol.name]}`"
        declared = facts.params.get(symbol.name)
    else:
        callee = index.callees.get(symbol.callee)
        declared = callee.parameters.get(symbol.name) if callee else None
        values = facts.arguments.get((symbol.callee, symbol.name), ())
        if values:
            yield "values in its calls: " + ", ".join(f"`{value}`" for value in values)
    if declared is not None:
        yield _parameter(declared)


def _let(symbol: Symbol, facts: Facts, lines: Lines) -> Iterator[str]:
    if symbol.scope.parent is None and symbol.name in facts.values:
        yield f"value: `{facts.values[symbol.name]}`"
    yield f"`{symbol.name}: {_source(symbol, lines)}`"


def _source(symbol: Symbol, lines: Lines) -> str:
    """What stands in the file behind a name, on its first line."""
    span = symbol.owners[0].span
    end = span.end_column - 1 if span.line == span.end_line else None
    return lines.line(span.line)[span.column - 1 : end]


def _tap(symbol: Symbol, index: Index, facts: Facts) -> Iterator[str]:
    for owner in symbol.owners:
        yield f"defined in line {owner.span.line}"
        found = facts.step(_maker(owner, index).span)
        if found is not None:
            yield from _facts(found)


def _maker(step: Tree, index: Index, depth: int = 8) -> Tree:
    """The step that makes what `{tap: prev, as: branch}` only names."""
    call = step.get("tap") if isinstance(step, Mapping) else None
    if call is None or not isinstance(call.value, Scalar) or depth == 0:
        return step
    if call.value.text == "prev":
        place = index.steps.index(step)
        return _maker(index.steps[place - 1], index, depth - 1) if place else step
    named = (one.symbol for one in index.occurrences if one.whole == call.value.span and not one.definition)
    symbol = next((one for one in named if one.kind is Kind.TAP), None)
    return _maker(symbol.owners[0], index, depth - 1) if symbol else step
