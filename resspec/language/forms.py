"""Parts of a file in a form that they do not have: inputs without names, a graph that is a mapping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from resspec import edits
from resspec.diagnostics import Edit, Fix, Span
from resspec.language import slips
from resspec.language.errors import Misfit, Where, shown
from resspec.ops import by_kind


def inputs(value: Any) -> Any:
    """`inputs` as it must be, a mapping; a list of sizes or of inputs has no names."""
    if isinstance(value, dict) and any(map(_is_step, _listed(value.get("graph")))):
        raise Misfit("`graph` stands inside `inputs`", "give both the same indentation", at=("graph",), key=True)
    if not isinstance(value, list):
        return value
    if all(isinstance(item, dict) for item in value):
        raise Misfit(
            "`inputs` is a mapping of names to shapes, got a list",
            "leave the dashes out",
            fix=lambda where: _undashed(where, len(value)),
        )
    first = value[0] if len(value) == 1 else value
    sizes = first if isinstance(first, list) else None
    example = shown(sizes).strip("`") if sizes is not None else "[224, 224, 3]"
    help = f"give every input a name: `inputs: {{image: {example}}}`"
    single = sizes is not None and all(isinstance(size, int | str | None) for size in sizes)
    raise Misfit(
        "`inputs` is a mapping of names to shapes, got a list",
        help,
        fix=lambda where: _named(where, len(value) == 1 and sizes is first is not value) if single else None,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_step(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and value in by_kind())


def _undashed(where: Where, count: int) -> Fix | None:
    """Blanks for the dashes of a block list, whose items keep their places."""
    found = []
    above = None
    for i in range(count):
        item, whole = where((i,), False), where((), False)
        if item is None or whole is None or item.column != whole.column + 2:
            return None
        if item.line != (whole.line if above is None else above + 1):
            return None  # the dash may stand on a line of its own
        above = item.end_line
        found.append(Edit(Span(item.file, item.line, item.column - 2, item.line, item.column), "  "))
    return Fix(tuple(found), certain=True)


def _named(where: Where, nested: bool) -> Fix | None:
    whole, item = where((), False), where((0,), False)
    if whole is None or item is None:
        return None
    if nested:  # a list of one shape: the name takes the place of the dash, or of the bracket
        dash = Span(whole.file, whole.line, whole.column, item.line, item.column)
        if (whole.end_line, whole.end_column) == (item.end_line, item.end_column):
            return Fix((Edit(dash, "image: "),))
        end = Span(whole.file, item.end_line, item.end_column, whole.end_line, whole.end_column)
        return Fix((Edit(dash, "{image: "), Edit(end, "}")))
    return edits.wrapped(whole, "{image: ", "}")


def steps(section: str) -> Callable[[Any], Any]:
    """`graph` or `do` as it must be, a list; keys below it are steps without their dash."""

    def check(value: Any) -> Any:
        if value is None:
            help = f"indent the steps below `{section}`, or write `{section}: [...]`"
            raise Misfit(f"`{section}` holds no steps", help, key=True)
        if not isinstance(value, dict):
            return value
        keys = list(value)
        words = [key for key in keys if isinstance(key, str) and key.startswith("-")]
        if words:
            raise Misfit(
                f"`{words[0]}` is a word: there is no space after the dash",
                f"write `- {words[0][1:]}`",
                at=(words[0],),
                key=True,
                fix=lambda where: _spaced(where, words),
            )
        raise Misfit(
            f"`{section}` is a list of steps, got a mapping",
            "begin every step with `-`",
            fix=lambda where: _dashed(where, keys),
        )

    return check


def _spaced(where: Where, keys: list[str]) -> Fix | None:
    places = [where((key,), True) for key in keys]
    return Fix(
        tuple(
            Edit(Span(place.file, place.line, place.column + 1, place.line, place.column + 1), " ")
            for place in places
            if place is not None
        ),
        certain=True,
    )


def _dashed(where: Where, keys: list[Any]) -> Fix | None:
    """A dash before every key of a block mapping, and the lines below it moved along."""
    found: list[Edit] = []
    for key in keys:
        name, value, whole = where((key,), True), where((key,), False), where((), False)
        if name is None or value is None or whole is None or name.column != whole.column:
            return None
        found.append(Edit(edits.before(name), "- "))
        found += edits.indented(name.file, name.line + 1, value.end_line)
    return Fix(tuple(found))


def no_shape(value: int | str) -> Misfit:
    """A lone size, or sizes as a text, where a list of sizes is wanted."""
    meant = slips.as_list(value) if isinstance(value, str) else None
    if meant is not None:
        help = f"write `{meant}`"
    else:
        help = f"write `[{value}]` for a vector, `[{value}, {value}, 3]` for an image"
    return Misfit(
        f"a shape is a list of sizes, got {shown(value)}",
        help,
        fix=lambda where: (
            edits.replaced(where((), False), meant, certain=True)
            if meant is not None
            else edits.wrapped(where((), False), "[", "]")
        ),
    )


def no_type(value: bool | int | float) -> Misfit:
    """A lone value where the type of a parameter is wanted; it is its default."""
    kind = {bool: "bool", int: "int", float: "float"}[type(value)]
    meant = f"{kind} = {shown(value).strip('`')}"
    return Misfit(
        f"a parameter says its type, got {shown(value)}",
        f"write `{meant}`",
        fix=lambda where: edits.replaced(where((), False), meant, certain=True),
    )
