"""What a file declares and never uses: `unused-block`, `unused-param`, `unused-let`, `unused-input`, `unused-output`.

This is read off the file alone, so it holds for all parameters. A name counts as used where the word
stands in any value that could mean it. The name of a step (`as`) is no such thing: it gives the step
its path, which is a use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from resspec import yamltree
from resspec.diagnostics import Diagnostic, Span
from resspec.language.document import Document
from resspec.language.schema import Block, SpecFile, Step
from resspec.lints.view import every_step
from resspec.lints.words import Words, beside, inside, of_file, of_steps, words

OUTSIDE = "no value of the file uses it"


def warning(code: str, what: str, name: str, span: Span, why: str) -> Diagnostic:
    return Diagnostic(code, f"{what} `{name}` is never used", span, "warning", (), (why,), "use it, or remove it")


def unused_blocks(document: Document) -> Iterator[Diagnostic]:
    """Blocks of the file, or brought in by `use`, that no step of the graph leads to."""
    spec = document.spec
    reached: set[str] = set()
    waiting = [spec.graph]
    while waiting:
        for step in every_step(waiting.pop()):
            if step.op is not None and step.op not in reached:
                reached.add(step.op)
                waiting += [spec.blocks[step.op].graph] if step.op in spec.blocks else []
    for key, names in (("blocks", spec.blocks), ("use", spec.use)):
        for name in names:
            if name not in reached:
                yield warning(
                    "unused-block",
                    "block",
                    name,
                    document.span(key, name, key=True),
                    "no step of the graph leads to it",
                )


def unused_values(document: Document) -> Iterator[Diagnostic]:
    """Params and lets of the file, of its blocks and of its steps."""
    spec = document.spec
    used = of_file(spec)
    needed = used | words(spec.let)
    for name in spec.params:
        if name not in needed:
            yield warning("unused-param", "parameter", name, document.span("params", name, key=True), OUTSIDE)
    for name in _idle(spec.let, used):
        yield warning("unused-let", "value", name, document.span("let", name, key=True), OUTSIDE)
    for name, block in spec.blocks.items():
        yield from _of_block(document, name, block)
    for step in _steps(spec):
        for name in _idle(step.let, beside(step) | of_steps(step.do or ())) if step.let else ():
            span = yamltree.locate(step.tree, ("let", name), key=True)
            yield warning("unused-let", "value", name, span, "the step does not use it")


def _of_block(document: Document, name: str, block: Block) -> Iterator[Diagnostic]:
    why = f"block `{name}` does not use it"
    own = inside(block)
    needed = own | words(block.let)
    defaults = {param: words(declared.default) for param, declared in block.params.items()}
    times = Counter(word for found in defaults.values() for word in found)
    for param in block.params:
        if param not in needed and times[param] == (param in defaults[param]):
            span = document.span("blocks", name, "params", param, key=True)
            yield warning("unused-param", "parameter", param, span, why)
    for let in _idle(block.let, own):
        yield warning("unused-let", "value", let, document.span("blocks", name, "let", let, key=True), why)


def _idle(let: Mapping[str, Any], used: Words) -> Iterator[str]:
    """Names that neither `used` nor a later `let` has."""
    found = []
    needed = set(used)
    for name in reversed(list(let)):
        if name not in needed:
            found.append(name)
        needed |= words(let[name])
    yield from reversed(found)


def unused_inputs(document: Document) -> Iterator[Diagnostic]:
    """Inputs of a network or block that has several, where nothing reads one of them."""
    spec = document.spec
    used = of_steps(spec.graph)
    for name in spec.inputs if len(spec.inputs) > 1 else ():
        if name not in used:
            yield warning(
                "unused-input", "input", name, document.span("inputs", name, key=True), "no step of the graph reads it"
            )
    for name, block in spec.blocks.items():
        for k, entry in enumerate(block.inputs):
            if k and entry not in inside(block):  # the first is `in` as well
                where = document.span("blocks", name, "inputs", k)
                yield warning("unused-input", "input", entry, where, f"no step of block `{name}` reads it")


_PICKED = re.compile(r"\.([A-Za-z][A-Za-z0-9_]*|(?=\$))(\$?)")


def unused_outputs(document: Document) -> Iterator[Diagnostic]:
    """Results of a block that has several, where no step takes one of them; the first is the previous result."""
    spec = document.spec
    steps = list(_steps(spec))
    found = {pair for step in steps for text in _texts(step) for pair in _PICKED.findall(text)}
    picked = {name for name, _ in found}
    begun = tuple(name for name, built in found if built)  # the rest is known only when it is built
    called = {step.op for step in steps}
    for name in [name for name in spec.blocks if name in called]:
        for output in list(spec.blocks[name].outputs)[1:]:
            if output not in picked and not output.startswith(begun):
                span = document.span("blocks", name, "outputs", output, key=True)
                yield warning(
                    "unused-output", "result", output, span, f"no step takes `.{output}` of a call of `{name}`"
                )


def _steps(spec: SpecFile) -> Iterator[Step]:
    """All steps of the file."""
    for body in (spec.graph, *(block.graph for block in spec.blocks.values())):
        yield from every_step(body)


def _texts(raw: Any) -> Iterator[str]:
    """The texts of a step or value; those of a body are its own steps'."""
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, Step):
        yield from _texts([raw.arguments, raw.source, raw.when, raw.let])
    elif isinstance(raw, dict | list):
        for item in raw.values() if isinstance(raw, dict) else raw:
            yield from _texts(item)
