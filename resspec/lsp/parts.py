"""Parts of trees that may have any form: what is not there is empty."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from resspec.diagnostics import Span, SpecError
from resspec.language.schema import Block, Param
from resspec.yamltree import Entry, Mapping, Scalar, Sequence, Tree, to_data

EMPTY = Sequence((), Span("", 1, 1, 1, 1))


def entries(tree: Tree | None) -> tuple[Entry, ...]:
    """The entries of a mapping."""
    return tree.entries if isinstance(tree, Mapping) else ()


def part(tree: Tree | None, name: str) -> Tree | None:
    """What stands under a key of a mapping."""
    entry = tree.get(name) if isinstance(tree, Mapping) else None
    return entry.value if entry else None


def declared(tree: Tree) -> Param | None:
    """A parameter as it is declared; None if that is wrong."""
    try:
        return Param.model_validate(to_data(tree))
    except (ValidationError, SpecError):
        return None


def header(tree: Tree, params: Iterable[Entry]) -> Block:
    """A block without its body, as far as it is right."""
    doc = part(tree, "doc")
    found = {one.key.text: known for one in params if (known := declared(one.value)) is not None}
    return Block.model_construct(
        doc=str(doc.value) if isinstance(doc, Scalar) else None,
        params=found,
        inputs=[item.text for item in scalars(part(tree, "inputs"))],
        outputs={entry.key.text: "" for entry in entries(part(tree, "outputs"))},
        graph=[],
    )


def scalars(tree: Tree | None) -> list[Scalar]:
    """The scalars of a list."""
    return [item for item in tree.items if isinstance(item, Scalar)] if isinstance(tree, Sequence) else []
