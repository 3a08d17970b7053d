"""The names that a value of a spec may use, read off its text: what stands nowhere is used nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from resspec.language.schema import Block, SpecFile, Step

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

Words = frozenset[str]


def words(raw: Any) -> Words:
    """All words in the texts of a value; more than its names, never fewer. Keys of mappings are no names."""
    if isinstance(raw, str):
        return frozenset(_WORD.findall(raw))
    if isinstance(raw, dict):
        return union(words(value) for value in raw.values())
    if isinstance(raw, list):
        return union(words(value) for value in raw)
    return frozenset()


def union(parts: Iterable[Words]) -> Words:
    return frozenset().union(*parts)


def beside(step: Step) -> Words:
    """Words of one step, those of its `let` and of its body left out."""
    return union(map(words, (step.arguments, step.name, step.source, step.when, step.share, step.trainable)))


def of_steps(steps: Iterable[Step]) -> Words:
    """Words of steps, of their lets, of their bodies and of the lists in them."""
    return union(beside(step) | words(step.let) | of_steps(step.inline or step.do or ()) for step in steps)


def inside(block: Block) -> Words:
    """Words of the steps and results of a block."""
    return of_steps(block.graph) | words(block.outputs)


def of_block(block: Block) -> Words:
    """Words of a block by which it does not mean something of its own."""
    own = {*block.params, *block.let, *block.inputs}
    # a default may use the file's value of the same name
    defaults = union(words(param.default) for param in block.params.values())
    return ((inside(block) | words(block.let)) - own) | defaults


def of_file(spec: SpecFile) -> Words:
    """Words of everything in a file that may use its params and lets, the lets themselves left out."""
    checks = [check.model_dump(exclude_defaults=True) for check in spec.checks]
    shapes = [declared.shape for declared in spec.inputs.values()]
    defaults = [param.default for param in spec.params.values()]
    around = words([spec.name, spec.defaults, spec.variants, shapes, defaults, checks])
    return around | of_steps(spec.graph) | union(map(of_block, spec.blocks.values()))
