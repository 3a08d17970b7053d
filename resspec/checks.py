"""What a spec says must hold of it (`checks:`), held against its graph.

A check with `with` looks at the network under those parameters; one without looks at the network
under the defaults and under every variant. `when` filters, `at` fixes unknown sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from resspec import limits
from resspec.analysis import legal
from resspec.analysis.cost import Cost, costs, depth, layers, number, sum_costs
from resspec.diagnostics import Findings, SpecError
from resspec.failures import Failures
from resspec.graph import Graph
from resspec.language import environment, errors
from resspec.language.document import Document, settings
from resspec.language.schema import Check
from resspec.language.scope import Binding, Problem
from resspec.language.slots import NUMBER, integral
from resspec.sizes import Periodic, Product, unknown
from resspec.suggest import renamed

Expand = Callable[[Mapping[str, Any]], Graph]


class Counts:
    """What a check may count of one graph, each found out when it is asked for."""

    def __init__(self, graph: Graph, at: Mapping[str, int]) -> None:
        self.graph, self.at = graph, at

    @cached_property
    def total(self) -> Cost:
        return sum_costs(costs(self.graph, self.at))


COUNTS: dict[str, tuple[str, Callable[[Counts], int | None]]] = {
    "params": ("trainable parameters", lambda c: c.total.params.trainable),
    "total_params": ("weights in total", lambda c: c.total.params.total),
    "macs": ("multiply-accumulates", lambda c: c.total.macs),
    "flops": ("FLOPs", lambda c: c.total.flops),
    "depth": ("layers on the longest path", lambda c: depth(c.graph)),
    "layers": ("ops", lambda c: layers(c.graph)),
}
"""what a check may count: key -> (in words, how it is found)"""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run of all checks did."""

    networks: int
    """graphs that were expanded: the defaults, the variants, and those of the checks"""
    checks: int
    """checks that were applied"""
    graph: Graph | None
    """the network under the defaults, None if it has findings"""


NOTHING = Checked(0, 0, None)
"""what is checked of a file that holds no network"""


def run(document: Document, given: Mapping[str, Any], expand: Expand, findings: Findings) -> Checked:
    """Expand the defaults, every variant and every check's `with`, and hold the checks against them."""
    spec = document.spec
    cases: list[tuple[str, dict[str, Any]]] = [("", dict(given))]
    for name, values in spec.variants.items():
        if _sound(document, values, findings, "variants", name):
            cases.append((f" of variant `{name}`", settings(document, name, given)))
    networks = _Networks(expand, findings)
    failures = Failures()
    applied = 0
    used: set[int] = set()
    for label, values in cases:
        graph = networks.under(values)
        if graph is None:
            continue
        for i, check in enumerate(spec.checks):
            if not _alone(check) and _applies(document, check, i, values, findings):
                used.add(i)
                applied += 1
                _hold(document, check, i, values, graph, label, findings, failures)
    for i, check in enumerate(spec.checks):
        if _alone(check) and _sound(document, check.with_, findings, "checks", i, "with"):
            values = {**given, **check.with_}
            if _applies(document, check, i, values, findings):
                used.add(i)
                applied += 1
                graph = networks.under(values)
                if graph is not None:
                    _hold(document, check, i, values, graph, "", findings, failures)
    failures.tell(findings)
    for i in range(len(spec.checks)):
        if i not in used and not findings.failed:
            findings.warning(
                "check-unused",
                "this check never applied: its `when` holds for no variant",
                document.span("checks", i),
                help="change `when`, or set parameters by `with`",
            )
    if networks.nodes > limits.CHECKED_NODES:
        findings.error(
            "too-many-networks",
            f"the variants and checks of this file have more than {limits.CHECKED_NODES:,} ops together, "
            f"{limits.NETWORK} at least for each network; the rest was not looked at",
            document.span("variants", key=True) if spec.variants else document.span("checks", key=True),
            help="split the file",
        )
    return Checked(networks.count, applied, networks.default)


def _sound(document: Document, values: Mapping[str, Any], findings: Findings, *loc: str | int) -> bool:
    """Whether the parameters may be set to these values; what may not is told where it stands, not once a network."""
    refused = environment.refused(document, values, *loc)
    for diagnostic in refused:
        findings.add(diagnostic)
    return not refused


def _alone(check: Check) -> bool:
    """Whether a check looks at one network only; `with: {}` is the one under the defaults."""
    return "with_" in check.model_fields_set


class _Networks:
    """The graphs under different parameters, each expanded once, as long as there are not too many."""

    def __init__(self, expand: Expand, findings: Findings) -> None:
        self.expand, self.findings = expand, findings
        self.count = self.nodes = 0
        self.default: Graph | None = None
        self._known: dict[str, Graph | None] = {}

    def under(self, values: Mapping[str, Any]) -> Graph | None:
        """The graph under `values`, or None where it has findings or the limit is reached."""
        key = repr(sorted(values.items()))
        if key not in self._known:
            if self.nodes > limits.CHECKED_NODES or self.findings.full:
                return None
            self._known[key] = graph = self._expanded(values)
            self.count += 1
            self.nodes += max(len(graph.nodes), limits.NETWORK) if graph is not None else limits.NODES // 10
            if self.count == 1:
                self.default = graph
        return self._known[key]

    def _expanded(self, values: Mapping[str, Any]) -> Graph | None:
        try:
            return self.expand(values)
        except SpecError as error:
            for diagnostic in error.diagnostics:
                self.findings.add(diagnostic)
            return None


def _applies(document: Document, check: Check, i: int, values: Mapping[str, Any], findings: Findings) -> bool:
    if check.when is None:
        return True
    try:
        env = environment.evaluate(document, values, Findings())
        found = environment.value(document, check.when, NUMBER, env, ("checks", i, "when"))
    except Problem as problem:
        findings.add(problem.diagnostic)
        return False
    if not isinstance(found, bool):
        findings.error("bad-value", f"`when` is true or false, got `{found}`", document.span("checks", i, "when"))
        return False
    return found


def _hold(
    document: Document,
    check: Check,
    i: int,
    values: Mapping[str, Any],
    graph: Graph,
    label: str,
    findings: Findings,
    failures: Failures,
) -> None:
    env = environment.evaluate(document, values, Findings())
    refused = legal.refusal(graph, check.at, label)
    if refused is not None:
        where = document.span("checks", i, "at", refused.name, key=refused.code == "unknown-name")
        findings.error(refused.code, refused.message, where, help=refused.help)
        return
    at = legal.choice(graph, check.at).at
    for name, size in {**{name: unknown(name) for name in graph.domains}, **graph.relations}.items():
        env.bindings[name] = Binding(at.get(name, size))
    counts = Counts(graph, at)
    told = f" at {', '.join(f'{k} = {v}' for k, v in check.with_.items())}" if check.with_ else label

    def expected(raw: Any, several: bool, *loc: str | int) -> Any:
        try:
            found = integral(environment.value(document, raw, NUMBER, env, ("checks", i, *loc)))
        except Problem as problem:
            findings.add(problem.diagnostic)
            return None
        if isinstance(found, tuple) == several and all(map(_is_size, found if several else (found,))):
            return found
        wanted = "a list of sizes" if several else "a number"
        findings.error(
            "bad-value", f"`{loc[-1]}` is {wanted}, got {errors.shown(found)}", document.span("checks", i, *loc)
        )
        return None

    for key, (words, count) in COUNTS.items():
        raw = getattr(check, key)
        if raw is None:
            continue
        wanted, got = expected(raw, False, key), count(counts)
        if wanted is None or wanted == got:
            continue
        where = document.span("checks", i, key)
        if got is None:
            names = ", ".join(f"{name}: ..." for name in graph.domains)
            findings.error("unknown-size", f"`{key}` depends on the input size", where, help=f"add `at: {{{names}}}`")
        else:
            failures.add(where, f"expected {_number(wanted)} {words}", told, f"{got:,}", raw, str(got))
    bare = check.model_extra or {}
    for name, raw in {**check.shapes, **bare}.items():
        loc = ("shapes", name) if name in check.shapes else (name,)
        where = document.span("checks", i, *loc)
        if name not in graph.outputs:
            place = document.span("checks", i, *loc, key=True)
            remedy = renamed(name, [*graph.outputs, *COUNTS, "with", "at", "when", "shapes"], place)
            message = f"`{name}` is no output and nothing that a check counts"
            findings.error("unknown-argument", message, place, help=remedy.help, fix=remedy.fix)
            continue
        wanted = expected(raw, True, *loc)
        got_shape = tuple(number(size, at) or size for size in graph.spec(graph.outputs[name]).shape)
        if wanted is not None and wanted != got_shape:
            shown = ", ".join(map(str, got_shape))
            told_shape = ", ".join(map(str, wanted))
            failures.add(where, f"expected `{name}` to be ({told_shape})", told, f"({shown})", raw, f"[{shown}]")


def _is_size(value: Any) -> bool:
    return isinstance(value, int | float | Periodic | Product) and not isinstance(value, bool)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
