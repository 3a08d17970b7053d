"""What `resspec doctor` does: the probes that need no training on one network, in one pass, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from resspec.diagnostics import Diagnostic, Findings
from resspec.lints import Linter
from resspec.network import Network
from resspec.probes import data, gradients, paths, shatter, variance
from resspec.probes.base import Progress, Subject, Verdict, refused, session
from resspec.probes.places import Map
from resspec.source import Source

BUDGET = 8 * 10**9
"""multiply-accumulates of a forward pass over the batch"""
LARGE = 10**9
"""multiply-accumulates an example from which on pictures are made smaller, where the spec allows it"""
NEAR = 64
"""the size that they get"""
DEEP = 30
"""layers in a row, without a way around any of them, from which on training gets harder with every further one"""

DEGRADES = 'He et al. 2015, "Deep Residual Learning for Image Recognition", table 2: 34 plain layers err more than 18'


@dataclass(frozen=True)
class Line:
    """What was found on one subject: a verdict with a name."""

    about: str
    verdict: Verdict

    def __str__(self) -> str:
        mark = {True: "ok  ", False: "SICK", None: "note"}[self.verdict.ok]
        text = f"{mark}  {self.about:<9}  {self.verdict.text}"
        if self.verdict.ok is not True and self.verdict.place is not None:
            text += f"; at {self.verdict.place}"
        return f"{text}: {self.verdict.help}" if self.verdict.help else text


@dataclass(frozen=True)
class Diagnosis:
    """Five lines on one network: gradients, shattering, variance, paths, spec."""

    network: Network
    lines: tuple[Line, ...]

    @property
    def healthy(self) -> bool:
        return all(line.verdict.ok is not False for line in self.lines)

    def __str__(self) -> str:
        return "\n".join(map(str, self.lines))

    def to_dict(self) -> dict[str, Any]:
        return {
            "network": self.network.name,
            "healthy": self.healthy,
            "lines": [{"about": line.about, **line.verdict.to_dict()} for line in self.lines],
        }


def diagnose(
    spec: Source | Network,
    *,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    plugins: Sequence[str] = (),
    seed: int = 0,
    progress: Progress,
) -> Diagnosis:
    """What is healthy about a network at initialization, what is not, and what to change.

    Raises SpecError for a spec with errors, and `probe-refused` for a network without layers with weights.
    """
    progress("reading the spec")
    subject = Subject(spec, dict(params or {}), dict(inputs or {}), tuple(plugins))
    network = subject.sized(NEAR, LARGE)
    where = Map(network)
    if len(where.layers) < 2:
        raise refused(f"`{network.name}` has {len(where.layers)} layer with weights; there is nothing to examine")
    batch = int(min(32, max(4, BUDGET // max(1, network.summary().macs or 1))))
    progress("importing Keras, building the network")
    opened = session(network, where.layers, also=where.stream, seed=seed, gradients=True)
    inputs_ = data.noise(network, batch, seed)
    progress("gradients")
    derived = opened.derive(inputs_, seed, weights=True, training=True)
    found = gradients.curve(network, network.name, where.layers, [gradients.norms(network, where.layers, derived)])
    course = variance.course(network, network.name, where.stream, [[derived.value(i) for i in where.stream]])
    progress("shattering")
    opened.calibrate(inputs_)
    pairs = opened.derive(shatter.neighbours(inputs_, seed), seed, alike=True).by_tap(where.layers[0])
    kept = gradients.verdict(found)
    reached = bool(kept.ok) and bool((found.weights > 0).all())
    lines = {
        "gradients": kept,
        "shatter": shattered(network, pairs),
        "variance": variance.verdict(course),
        "paths": routed(network),
        "spec": written(network, _dead(network, found, derived), seed, reached=reached),
    }
    return Diagnosis(network, tuple(Line(about, _short(one, network)) for about, one in lines.items()))


def shattered(network: Network, pairs: Any) -> Verdict:
    """Whether gradients of inputs that are near have something in common."""
    if not any("float" in network.nodes[i].outputs[0].dtype for i in network.inputs.values()):
        return Verdict(None, "cannot be told of inputs that are whole numbers", source=shatter.SOURCE)
    return shatter.judged(network, network.name, shatter.between_neighbours(pairs))


def routed(network: Network) -> Verdict:
    """The paths; many layers in a row without a way around are a sickness."""
    found = paths.count(network, network.name)
    told = paths.verdict(found)
    where = Map(network)
    row = _row(where)
    if len(row) <= DEEP:
        return told
    text = f"{len(row)} layers stand in a row without a way around any of them"
    return Verdict(
        False, text, f"at most {DEEP}", DEGRADES, where.span(row[len(row) // 2]),
        "put a sum with a shortcut around every two layers: `add: [prev, in]` at the end of a block",
    )  # fmt: skip


def _row(where: Map) -> list[int]:
    """The layers that every path from the inputs to the first output leads through."""
    end = next(iter(where.network.outputs.values())).node
    bypassed: set[int] = set()
    counts = _through(where, end)
    for i in where.layers:
        if counts[i] != counts[end]:
            bypassed.add(i)
    return [i for i in where.layers if i not in bypassed]


def _through(where: Map, end: int) -> list[int]:
    """For each node how many paths from an input to `end` lead through it; exact."""
    nodes = where.nodes
    before = [0] * len(nodes)
    for i, node in enumerate(nodes):
        sources = {ref.node for ref in node.inputs}
        before[i] = sum(before[j] for j in sources) if sources else 1
    after = [0] * len(nodes)
    after[end] = 1
    for i in range(end, -1, -1):
        for j in {ref.node for ref in nodes[i].inputs}:
            after[j] += after[i]
    return [a * b for a, b in zip(before, after, strict=True)]


def written(network: Network, dead: list[int], seed: int, *, reached: bool) -> Verdict:
    """Dead branches, and the warnings of `check` on this network; `reached`: every layer gets a gradient."""
    if dead:
        return _dying(network, dead, seed)
    # what is unused is not in the network, so it cannot make it sick
    warnings = sorted(warned(network), key=lambda one: one.code.startswith("unused"))
    if not warnings:
        return Verdict(True, "no warnings" + ", and every layer gets a gradient" * reached, source="`resspec check`")
    first = warnings[0]
    more = f" (and {len(warnings) - 1} more, see `resspec check`)" if len(warnings) > 1 else ""
    sick = None if first.code.startswith("unused") else False
    return Verdict(
        sick, f"{first.code}: {first.message}{more}", "no warnings", "`resspec check`", first.span, first.help
    )


def warned(network: Network) -> tuple[Diagnostic, ...]:
    """The warnings of `check` on this network and its file, without those that the file allows."""
    if network.document is None:
        return network.warnings
    linter = Linter(network.document)
    linter.network(network)
    found = Findings()
    for warning in network.warnings:
        found.add(warning)
    return tuple(one for one in linter.finish(found) if one.code != "unused-allow")  # other variants may need it


def _dead(network: Network, found: gradients.Curve, derived: Any) -> list[int]:
    """Layers without any gradient, while one before them gets some; not those behind a factor that starts at zero."""
    where = Map(network)
    by_path = dict(zip(found.paths, found.weights, strict=True))
    alive = [i for i in where.layers if by_path[network.nodes[i].path] > 0]
    if not alive:
        return []
    suspects = [
        i
        for i in where.layers
        if by_path[network.nodes[i].path] == 0 and where.depth[i] >= min(where.depth[j] for j in alive)
    ]
    if not suspects:
        return []
    waking = {
        network.index[path]
        for path, weights in derived.weights().items()
        if any(
            not value.any() and gradient.any() and value.ndim <= 1 for value, gradient in weights.values() if value.size
        )
        and network.nodes[network.index[path]].op.family in ("norm", "other")
    }
    return [i for i in suspects if not waking & _reached(where, i)]


def _reached(where: Map, i: int) -> set[int]:
    """The nodes that a node leads to up to the next sum."""
    found: set[int] = set()
    waiting = list(where.view.readers[i])
    while waiting:
        j = waiting.pop()
        if j not in found and len(where.nodes[j].inputs) == 1:
            found.add(j)
            waiting += where.view.readers[j]
    return found


def _dying(network: Network, dead: list[int], seed: int) -> Verdict:
    """Where nothing but zeros comes out although something else goes in."""
    where = Map(network)
    watched = [
        i for i in sorted(where.used) if "float" in network.nodes[i].outputs[0].dtype and network.nodes[i].inputs
    ]
    opened = session(network, also=watched, seed=seed)
    values = opened.values(data.noise(network, 4, seed), training=True)
    empty = {i for i in watched if not values[network.nodes[i].path].any()}
    causes = [i for i in sorted(empty) if not any(ref.node in empty for ref in network.nodes[i].inputs)]
    cause = causes[0] if causes else dead[0]
    what = (
        f"`{network.nodes[cause].op.kind}` (`{network.nodes[cause].path}`) lets nothing but zeros through"
        if causes
        else f"nothing depends on `{network.nodes[cause].path}`"
    )
    many = f"{len(dead)} layer{'s get' if len(dead) > 1 else ' gets'}"
    branches = f"{many} no gradient, first `{network.nodes[dead[0]].path}`"
    return Verdict(
        False,
        f"dead branch: {what}; {branches}",
        "every layer gets a gradient",
        "Prince 2023, figure 11.5: a ReLU on what is never positive switches its block off",
        where.span(cause),
        "take this step away, or put a layer with weights or `batch_norm` right before it",
    )


def _short(verdict: Verdict, network: Network) -> Verdict:
    return replace(verdict, text=verdict.text.removeprefix(f"{network.name}: "))
