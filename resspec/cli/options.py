"""Arguments and options that several commands share, and the types of their values."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from resspec import api, yamltree
from resspec.diagnostics import SpecError

F = TypeVar("F", bound=Callable[..., Any])


def complete_spec(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    names = [name for name in api.shipped() if name.startswith(incomplete.partition("@")[0])]
    if "@" in incomplete:
        name = incomplete.partition("@")[0]
        return [
            f"{name}@{v}" for v in api.open_source(name).document.spec.variants if f"{name}@{v}".startswith(incomplete)
        ]
    return names + glob.glob(f"{incomplete}*.yaml")


SIZE = re.compile("[0-9]{1,18}")
"""a size as an option gives it; other digits than these are text, and more of them no number"""


class Pair(click.ParamType[tuple[str, Any]]):
    """`name=value`, the value read as YAML."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        name, equals, raw = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{value!r} is not name=value", param, ctx)
        try:
            return name, yamltree.parse_value(raw, f"the value of `{name}`")
        except SpecError as error:
            self.fail("; ".join(one.message for one in error.diagnostics), param, ctx)


class Way(click.ParamType[tuple[str, str]]):
    """`stem=channels`."""

    name = "path=how"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        path, equals, how = str(value).partition("=")
        if not equals or not path:
            self.fail(f"{value!r} is not path=how, such as stem=channels", param, ctx)
        return path, how


class Sizes(click.ParamType[dict[str, int]]):
    """`H=512,W=512`."""

    name = "H=512,W=512"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        if isinstance(value, dict):
            return value
        found = {}
        for part in str(value).split(","):
            name, _, size = part.partition("=")
            if not SIZE.fullmatch(size.strip()):
                self.fail(f"{part!r} is not a size such as H=512", param, ctx)
            found[name.strip()] = int(size)
        return found


class Rebound(click.ParamType[Any]):
    """`image=None,None,3`."""

    name = "input=sizes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        name, equals, sizes = str(value).partition("=")
        if not equals:
            self.fail(f"{value!r} is not input=sizes, such as image=None,None,3", param, ctx)
        shape: list[int | str | None] = []
        for part in sizes.split(","):
            part = part.strip()
            shape.append(int(part) if SIZE.fullmatch(part) else None if part in ("None", "null", "?", "") else part)
        return name, shape


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def wrap(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return wrap


SPEC = click.argument("spec", shell_complete=complete_spec)
PARAMS = click.option("-p", "--param", "params", type=Pair(), multiple=True, help="Set a parameter; the value is YAML.")
INPUTS = click.option("-i", "--input", "inputs", type=Rebound(), multiple=True, help="Rebind an input's shape.")
PLUGINS = click.option("--plugin", "plugins", multiple=True, help="A package or entry point with further ops.")
AT = click.option("--at", type=Sizes(), default={}, help="Values of unknown sizes.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
FORCE = click.option("-f", "--force", is_flag=True, help="Overwrite the file.")
OUT = click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write to a file instead of the terminal.")
FITTING = _options(
    click.option(
        "--map", "weights_map", metavar="NAME|FILE",
        help="Names in the file of weights: torchvision, keras, ..., or a map elsewhere, FILE#NAME.",
    ),
    click.option(
        "--allow", multiple=True, metavar="NAME",
        help="What may keep its initial values, or be left in the file; * for any characters.",
    ),
    click.option(
        "--adapt", type=Way(), multiple=True, metavar="PATH=HOW",
        help="Make weights of another shape fit: channels (of the input), or fresh.",
    ),
)  # fmt: skip
"""how a file of weights is matched with a network"""
WEIGHTS = _options(
    click.option("--weights", type=click.Path(exists=True, dir_okay=False), help="A file of weights, of any library."),
    FITTING,
)
GRAPH = _options(SPEC, PARAMS, INPUTS, PLUGINS)
