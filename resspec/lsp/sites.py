"""What stands at a place of a file, or would stand there: a key of some table, a callee, an argument, a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from resspec.diagnostics import Span
from resspec.language.slots import Slot
from resspec.lsp.symbols import Scope
from resspec.yamltree import Scalar


class Table(Enum):
    """A mapping whose keys the language knows."""

    SPEC = "spec"
    PARAM = "param"
    BLOCK = "block"
    INPUT = "input"
    CHECK = "check"
    STEP = "step"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Site:
    """A scalar of the file and the scope that it stands in."""

    scalar: Scalar
    scope: Scope

    @property
    def span(self) -> Span:
        return self.scalar.span


@dataclass(frozen=True, slots=True)
class Key(Site):
    """A key of a table of the language, such as `when` or `inputs`; `given` are the keys that stand beside it."""

    table: Table
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class Call(Site):
    """The name of an op or block in a step; `given` are all keys of the step."""

    given: frozenset[str]
    bare: bool
    """a word alone, without arguments and without keys beside it"""


@dataclass(frozen=True, slots=True)
class Argument(Site):
    """The name of an argument in a call or under `defaults`; `given` are all those that stand there."""

    callee: str
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class Written(Site):
    """A value; `callee` and `argument` where it is that of a call."""

    slot: Slot
    callee: str | None = None
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Tensor(Site):
    """The name of a tensor: in `from`, `tap`, a merge, `outputs`."""


@dataclass(frozen=True, slots=True)
class ParamName(Site):
    """The name of a param of the file, under `variants` or in a check's `with`."""


@dataclass(frozen=True, slots=True)
class Defaulted(Site):
    """The name of an op under `defaults`."""


@dataclass(frozen=True, slots=True)
class ParamType(Site):
    """The type of a param."""
