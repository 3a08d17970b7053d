"""Graphs and their costs as text: the tables and trees that the command line prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resspec.analysis.summary import Row, Summary
from resspec.tensor import shape_text

if TYPE_CHECKING:
    from rich.console import RenderableType


def count(value: int | None) -> str:
    """`64,666,152`; a dash where an unknown size has no value."""
    return "-" if value is None else f"{value:,}"


def scaled(value: int | None, unit: str = "") -> str:
    """`15.01 G`, in powers of 1000."""
    if value is None:
        return "-"
    for power, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= power:
            return f"{value / power:.4g} {prefix}{unit}"
    return f"{value} {unit}".strip()


def bytes_text(value: int | None) -> str:
    """`432.9 MiB`, in powers of 1024."""
    if value is None:
        return "-"
    size = float(value)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{value} B" if unit == "B" else f"{size:.4g} {unit}"
        size /= 1024
    raise AssertionError


def field_text(field: tuple[int, ...] | str | None) -> str:
    if field is None:
        return "-"
    return field if isinstance(field, str) else " x ".join(map(str, field))


def facts(summary: Summary) -> list[tuple[str, str]]:
    """The totals, a line each, as (what, how much)."""
    lines = [("inputs", ", ".join(f"{name} {spec}" for name, spec in summary.inputs.items()))]
    lines.append(("outputs", ", ".join(f"{name} {spec}" for name, spec in summary.outputs.items())))
    for name, domain in summary.sizes.items():
        lines.append(("legal sizes" if name else "", domain))
    params = summary.params
    lines += [
        (
            "parameters",
            f"{count(params.trainable)} trainable, {count(params.non_trainable)} not, {count(params.total)} in all",
        ),
        ("MACs", _per_example(scaled(summary.macs), summary)),
        ("FLOPs", _per_example(scaled(summary.flops), summary)),
        (
            "activations",
            _per_example(
                f"{bytes_text(summary.training_bytes)} training, {bytes_text(summary.inference_bytes)} inference",
                summary,
            ),
        ),
        ("layers", f"{count(summary.layers)} ops, {summary.depth} convolutions and products on the longest path"),
    ]
    seen = list(dict.fromkeys(field_text(f) for f in summary.receptive_field.values()))
    lines.append(("receptive field", seen[0] if len(seen) == 1 else f"{seen[0]} to {seen[-1]}"))
    lines.append(("digest", summary.digest[:16]))
    return lines


def _per_example(text: str, summary: Summary) -> str:
    if summary.macs is None and summary.sizes:
        return "depends on the input size: " + " ".join(f"--at {name}=..." for name in summary.unknowns)
    return f"{text} per example"


def shown_rows(rows: Iterable[Row], level: int | None) -> list[Row]:
    """Groups down to `level`, and ops that stand above it; all rows if `level` is None."""
    return [row for row in rows if level is None or row.level < level]


def summary_table(summary: Summary, level: int | None, width: int = 120) -> RenderableType:
    """The rows of a summary as a table, one a block or op; a narrow one leaves columns out rather than digits."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("path", no_wrap=True)
    table.add_column("op", no_wrap=True, overflow="ellipsis", max_width=18)
    table.add_column("output", no_wrap=True)
    wanted = [("parameters", 0), ("MACs", 0), ("memory", 90), ("field", 100)]
    titles = [title for title, least in wanted if width >= least]
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    for row in shown_rows(summary.rows, level):
        cells = {
            "parameters": count(row.cost.params.total) if row.cost.params.total else "",
            "MACs": scaled(row.cost.macs) if row.cost.macs != 0 else "",
            "memory": bytes_text(row.cost.activation_bytes),
            "field": field_text(row.field),
        }
        name = "  " * row.level + row.path.rsplit("/", 1)[-1]
        table.add_row(name, row.kind, " ".join(map(str, row.outputs)), *(cells[title] for title in titles))
    return table


@dataclass(slots=True)
class Branch:
    """A row with the rows below it, and how many equal ones follow each other."""

    row: Row
    below: list[Branch]
    last: str = ""
    times: int = 1

    def signature(self) -> tuple[object, ...]:
        """What makes two neighbours equal: what they are, compute and cost, not how they are called."""
        return (
            self.row.kind,
            self.row.outputs,
            self.row.cost,
            self.times,
            tuple(branch.signature() for branch in self.below),
        )


def tree(summary: Summary, level: int | None) -> list[str]:
    """The tree of blocks with shapes and counts, a line each; equal neighbours stand in one line with `x n`."""
    branches = _folded(_nested(summary.rows, level))
    lines = [_line(branch, prefix, end) for branch, prefix, end in _walk(branches, "")]
    width = max((len(left) for left, _, _ in lines), default=0)
    middle = max((len(shape) for _, shape, _ in lines), default=0)
    return [f"{left:<{width}}  {shape:<{middle}}  {cost}".rstrip() for left, shape, cost in lines]


def tree_data(summary: Summary, level: int | None) -> list[dict[str, Any]]:
    """The tree as plain data, nothing folded."""

    def data(branch: Branch) -> dict[str, Any]:
        row = branch.row
        return {
            "path": row.path,
            "op": row.kind,
            "outputs": [[s if isinstance(s, int) else str(s) for s in spec.shape] for spec in row.outputs],
            "params": row.cost.params.total,
            "macs": row.cost.macs,
            "below": [data(one) for one in branch.below],
        }

    return [data(branch) for branch in _nested(summary.rows, level)]


def _nested(rows: Sequence[Row], level: int | None) -> list[Branch]:
    top: list[Branch] = []
    stack: list[Branch] = []
    for row in rows:
        branch = Branch(row, [], row.path.rsplit("/", 1)[-1])
        while stack and not (stack[-1].row.is_group and row.path.startswith(stack[-1].row.path + "/")):
            stack.pop()
        if level is None or row.level < level:
            (stack[-1].below if stack else top).append(branch)
        stack.append(branch)
    return top


def _folded(branches: list[Branch]) -> list[Branch]:
    found: list[Branch] = []
    for branch in branches:
        branch.below = _folded(branch.below)
        if found and branch.row.is_group and found[-1].row.is_group:
            before = found[-1]
            times, before.times = before.times, 1
            same = before.signature() == branch.signature()
            before.times = times + same
            if same:
                before.last = branch.last
                continue
        found.append(branch)
    return found


def _walk(branches: list[Branch], prefix: str) -> Iterable[tuple[Branch, str, bool]]:
    for i, branch in enumerate(branches):
        end = i == len(branches) - 1
        yield branch, prefix, end
        yield from _walk(branch.below, prefix + ("   " if end else "│  "))


def _line(branch: Branch, prefix: str, end: bool) -> tuple[str, str, str]:
    row = branch.row
    name = row.path.rsplit("/", 1)[-1]
    if branch.times > 1:
        name = f"{name} .. {branch.last}  x {branch.times}"
    kind = "" if name == row.kind or name.rstrip("0123456789") == row.kind else f"  {row.kind}"
    left = f"{prefix}{'└─ ' if end else '├─ '}{name}{kind}"
    cost = []
    if row.cost.params.total:
        cost.append(f"{count(row.cost.params.total)} params")
    if row.cost.macs:
        cost.append(scaled(row.cost.macs, "MAC"))
    each = " each" if branch.times > 1 and cost else ""
    return left, " ".join(shape_text(spec.shape) for spec in row.outputs), ", ".join(cost) + each
