"""What probes are given and what they return: settings, subjects, tables, verdicts, results. No Keras here."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from resspec import api
from resspec.analysis import legal
from resspec.diagnostics import Diagnostic, Span, SpecError
from resspec.network import Network
from resspec.quiet import quietly
from resspec.source import Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.session import Session

Value = int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name (a word), what it means with its unit, and how many digits people read."""

    name: str
    about: str = ""
    digits: int = 4


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers in rows. `name` is a word, `title` says what they are."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    def column(self, name: str) -> tuple[Any, ...]:
        """The values of one column."""
        at = [column.name for column in self.columns].index(name)
        return tuple(row[at] for row in self.rows)

    def records(self) -> list[dict[str, Value]]:
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def to_dict(self) -> dict[str, Any]:
        """Plain data; numbers that JSON lacks (infinite, none) are null."""
        return {
            "name": self.name,
            "title": self.title,
            "columns": [{"name": column.name, "about": column.about} for column in self.columns],
            "rows": [[plain(value) for value in row] for row in self.rows],
        }

    def to_csv(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([column.name for column in self.columns])
        writer.writerows(self.rows)
        return text.getvalue()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a number means. `ok` is None where there is nothing to judge.

    `text` says it in a sentence, `threshold` where the line was drawn, `source` who says so, `place`
    the step that causes it, `help` what to change.
    """

    ok: bool | None
    text: str
    threshold: str = ""
    source: str = ""
    place: Span | None = None
    help: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "text": self.text,
            "threshold": self.threshold,
            "source": self.source,
            "place": None if self.place is None else str(self.place),
            "help": self.help,
        }


@dataclass(frozen=True)
class Result:
    """What a probe found: tables, verdicts, and a figure that is drawn when asked for."""

    probe: str
    title: str
    networks: tuple[str, ...]
    settings: Mapping[str, Any]
    tables: tuple[Table, ...]
    verdicts: tuple[Verdict, ...]
    draw: Callable[[Figure], None] = field(compare=False, repr=False)
    size: tuple[float, float] = (7.2, 4.2)
    """of the figure, in inches"""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """texts of the files that verdicts point at"""

    @property
    def ok(self) -> bool:
        """Whether no verdict is bad."""
        return all(verdict.ok is not False for verdict in self.verdicts)

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)

    def save(self, path: str | Path) -> Path:
        """Write the figure: SVG, PNG or PDF by the suffix. The same result gives the same bytes."""
        from resspec.probes.figure import save

        return save(self, Path(path))

    def to_dict(self) -> dict[str, Any]:
        return {
            "probe": self.probe,
            "title": self.title,
            "networks": list(self.networks),
            "settings": {name: plain(value) for name, value in self.settings.items()},
            "ok": self.ok,
            "verdicts": [verdict.to_dict() for verdict in self.verdicts],
            "tables": [table.to_dict() for table in self.tables],
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_csv(self) -> str:
        """All tables, one after the other, an empty line between two."""
        return "\n".join(table.to_csv() for table in self.tables)


class Progress(Protocol):
    """Told what is being done, and how much of it: `progress("training plain20", 3, 20)`."""

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None: ...


def silent(what: str, done: int = 0, total: int = 0) -> None:
    """Progress that nobody looks at."""


def setting(default: Any, about: str, *, least: float | None = None, choices: Sequence[str] = ()) -> Any:
    """A field of `Settings`: what it is, its least value or its choices, for the command line and for checks."""
    return field(default=default, metadata={"about": about, "least": least, "choices": tuple(choices)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all probes may be told. Each has a class of its own below this, whose fields are its options."""

    seed: int = setting(0, "of initial values and data", least=0)
    seeds: int = setting(1, "how many seeds, from --seed on; means are shown", least=1)

    def __post_init__(self) -> None:
        for one in fields(self):
            least, choices = one.metadata.get("least"), one.metadata.get("choices")
            value = getattr(self, one.name)
            if isinstance(value, list):
                object.__setattr__(self, one.name, tuple(value))
            numbers = value if isinstance(value, (tuple, list)) else (value,)
            if least is not None and not all(least <= number < math.inf for number in numbers):  # nan neither
                raise refused(f"`{one.name}` must be a number of at least {least:g}, got {value}", code="bad-argument")
            if choices and value not in choices:
                raise refused(f"`{one.name}` is one of {', '.join(choices)}, got `{value}`", code="bad-argument")

    @property
    def every_seed(self) -> range:
        return range(self.seed, self.seed + self.seeds)

    def to_dict(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True)
class Subject:
    """A spec as it was asked for: it can be loaded, and loaded again with other parameters."""

    source: Source | Network
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    plugins: Sequence[str] = ()

    def load(self, **params: Any) -> Network:
        if isinstance(self.source, Network):
            if params:
                raise refused(
                    "a network that was loaded already has its parameters",
                    help="give the path or name of the spec instead",
                )
            return self.source
        return api.load(self.source, params={**self.params, **params}, inputs=self.inputs, plugins=self.plugins)

    def sized(self, near: int = 1, macs: int | None = None) -> Network:
        """The network with numbers for all sizes: unknown ones are the legal ones from `near` on.

        One of more than `macs` an example has its spatial sizes made small, where the spec allows it.
        """
        network = self.load()
        cost = network.summary().macs
        large = macs is not None and cost is not None and cost > macs
        if isinstance(self.source, Network) or not (network.domains or large):
            return network
        free = {
            name: [None] * (spec.rank - 1) + [spec.shape[-1]]
            for name, i in network.inputs.items()
            if (spec := network.nodes[i].outputs[0]).rank > 1
        }
        try:
            network = network if network.domains else replace(self, inputs={**self.inputs, **free}).load()
            at = {name: domain.near(near)[1] or domain.smallest() or near for name, domain in network.domains.items()}
            sized = {name: spec.shape for name, spec in legal.choice(network, at).inputs.items()}
            return replace(self, inputs={**self.inputs, **sized}).load()
        except SpecError:
            return network if not network.domains else self.load()

    def with_params(self, **params: Any) -> Subject:
        return replace(self, params={**self.params, **params})

    def over(self, name: str, values: Sequence[Any]) -> list[tuple[Any, Subject]]:
        """The subject at each value of a parameter; itself alone where there are no values.

        SpecError `unknown-param` comes from `load` if the spec has no such parameter.
        """
        return [(value, self.with_params(**{name: value})) for value in values] if values else [(None, self)]

    @property
    def label(self) -> str:
        """What the user calls it."""
        if isinstance(self.source, Network):
            return self.source.name
        return Path(str(self.source)).name.replace(".yaml", "").rpartition("@")[2]


def session(
    network: Network,
    taps: Sequence[int] = (),
    *,
    also: Sequence[int] = (),
    seed: int = 0,
    gradients: bool = False,
) -> Session:
    """The network as a Keras model that can be looked into; the first call imports Keras, without its greetings."""
    with quietly():
        from resspec.probes.session import Session

        return Session(network, taps, also=also, seed=seed, gradients=gradients)


def labels(subjects: Sequence[Subject]) -> list[str]:
    """A name for each: that of the network, or what was asked for where two are called the same."""
    names = [subject.load().name for subject in subjects]
    return names if len({*names}) == len(names) else [subject.label for subject in subjects]


def refused(
    message: str, *, code: str = "probe-refused", span: Span | None = None, help: str | None = None
) -> SpecError:
    """A finding that ends a probe."""
    return SpecError([Diagnostic(code, message, span, help=help)])


def plain(value: Any) -> Any:
    """`value` as JSON can hold it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    return value
