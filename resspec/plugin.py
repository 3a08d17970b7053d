"""A user's own ops: a Python package that the user names, never the spec.

A plugin is an object `resspec_plugin = Plugin(ops=(...), lower=...)` in a module, named by
`--plugin my_package.ops` or by an entry point in the group `resspec.plugins`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resspec.diagnostics import Diagnostic, SpecError
from resspec.ops.base import Op

GROUP = "resspec.plugins"


def _no_rules() -> Mapping[type[Op], Any]:
    return {}


@dataclass(frozen=True)
class Plugin:
    """Ops of a user. `lower` gives their Keras rules; it is called when a model is built, not before."""

    ops: tuple[type[Op], ...]
    lower: Callable[[], Mapping[type[Op], Any]] = field(default=_no_rules)


def find(name: str) -> Plugin:
    """The plugin of an entry point or module; `SpecError` (`bad-plugin`) if there is none."""
    points = importlib.metadata.entry_points(group=GROUP, name=name)
    try:
        for point in points:
            return _checked(point.load(), name)
        module = importlib.import_module(name)
    except (ImportError, ValueError, TypeError) as error:  # the latter two: an empty or a relative name
        raise _failed(f"plugin `{name}` cannot be imported: {error}") from None
    return _checked(getattr(module, "resspec_plugin", None), name)


def _checked(found: object, name: str) -> Plugin:
    if not isinstance(found, Plugin):
        raise _failed(f"`{name}` holds no `resspec_plugin = resspec.Plugin(...)`")
    for op in found.ops:
        if not (isinstance(op, type) and issubclass(op, Op)):
            raise _failed(f"plugin `{name}`: {op!r} is no subclass of resspec.Op")
    return found


def _failed(message: str) -> SpecError:
    return SpecError([Diagnostic("bad-plugin", message)])


def resolve(plugins: Iterable[str | Plugin]) -> tuple[Plugin, ...]:
    return tuple(find(plugin) if isinstance(plugin, str) else plugin for plugin in plugins)
