"""`batchnorm`: what batch norm computes, layer by layer, beside the same by hand.

In training with the statistics of the batch, in inference with moving ones, which need some updates to catch
up; how much an example's output depends on the others in a small batch; and ghost, group and layer norm in
its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from resspec.network import Network
from resspec.ops.norm import BatchNorm
from resspec.probes import data, fit
from resspec.probes.base import (
    Column,
    Progress,
    Result,
    Settings,
    Subject,
    Table,
    Verdict,
    labels,
    refused,
    session,
    setting,
)
from resspec.probes.norms import KINDS, with_norm
from resspec.probes.places import Map
from resspec.probes.variance import course, growth

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resspec.probes.session import Session

Array = np.ndarray[Any, Any]

EXACT = 1e-3
"""the largest difference to the computation by hand, relative to the spread of what comes out"""
NOISY = 0.25
"""the share of an output that depends on the rest of the batch from which on the batch is called too small"""

SOURCE = (
    'Ioffe and Szegedy 2015, "Batch Normalization"; Wu and He 2018, "Group Normalization"; '
    'Hoffer, Hubara and Soudry 2017, "Train longer, generalize better" (ghost batches)'
)


@dataclass(frozen=True, kw_only=True)
class Options(Settings):
    batch: int = setting(64, "examples that go in", least=2)
    batches: tuple[int, ...] = setting((2, 4, 8, 16, 32, 64), "sizes of batches that are compared", least=2)
    mates: int = setting(8, "random batches around one example", least=2)
    ghost: int = setting(8, "examples that ghost norm looks at", least=2)
    updates: int = setting(50, "steps of the moving statistics", least=1)
    data: str = setting("noise", "noise, mnist1d, digits, or a file.npz with x and y")


@dataclass(frozen=True)
class Layer:
    """One batch norm: statistics of what goes in and comes out, and differences to the computation by hand."""

    path: str
    mean: float
    """mean over channels of the batch means, in size"""
    variance: float
    out_mean: float
    out_variance: float
    training: float
    moving: float
    inference: float
    outside: float
    """the difference if epsilon stood outside of the root"""


@dataclass(frozen=True)
class Look:
    network: Network
    label: str
    momentum: float
    layers: tuple[Layer, ...]
    gaps: tuple[tuple[int, float], ...]
    """(updates, difference between training and inference, relative to the spread of the outputs)"""
    noise: dict[str, tuple[float, ...]]
    """kind -> for each size of batch, what of an output depends on the rest of the batch"""
    variances: dict[str, Array]
    """kind -> the variance across the batch along the stream, from its entry on"""


def run(subjects: Sequence[Subject], settings: Options, progress: Progress) -> Result:
    """Looks at each subject. SpecError `probe-refused` for a network without batch norm."""
    found = []
    for subject, label in zip(subjects, labels(subjects), strict=True):
        found.append(look(subject.load(), label, settings, progress))
    return Result(
        "batchnorm",
        "batch norm at initialization",
        tuple(one.label for one in found),
        settings.to_dict(),
        _tables(found, settings),
        tuple(verdict for one in found for verdict in verdicts(one, settings)),
        lambda figure: _draw(figure, found[0], settings),
        size=(7.2, 6.0),
        sources={name: text for one in found for name, text in one.network.sources.items()},
    )


def look(network: Network, label: str, settings: Options, progress: Progress) -> Look:
    """Everything about one network."""
    norms = [i for i, node in enumerate(network.nodes) if isinstance(node.op, BatchNorm) and i in Map(network).used]
    if not norms:
        raise refused(
            f"`{network.name}` has no `batch_norm`", help="give a network that has: a `norm` param may say so"
        )
    first = network.nodes[norms[0]].op
    assert isinstance(first, BatchNorm)
    progress(f"{label}: by hand")
    sources = [network.nodes[i].inputs[0].node for i in norms]
    opened = session(network, list(dict.fromkeys([*norms, *sources])), seed=settings.seed)
    inputs = data.batch(settings.data, network, settings.batch, settings.seed)
    layers = _by_hand(network, opened, norms, inputs)
    gaps = []
    opened = session(network, seed=settings.seed)
    for n in range(settings.updates + 1):
        progress(f"{label}: moving statistics", n, settings.updates)
        if n in (0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500) or n == settings.updates:
            gaps.append((n, _gap(opened, inputs)))
        opened.values(inputs, training=True)
    noise, variances = {}, {}
    for k, kind in enumerate(KINDS):
        progress(f"{label}: {kind} norm", k, len(KINDS))
        noise[kind], variances[kind] = _in_place(with_norm(network, kind, settings.ghost), settings)
    return Look(network, label, first.momentum, tuple(layers), tuple(gaps), noise, variances)


def _by_hand(network: Network, opened: Session, norms: Sequence[int], inputs: Any) -> list[Layer]:
    """Batch norm in NumPy beside Keras's: a training step, the statistics it moves, inference."""
    before = {network.nodes[i].path: opened.variables(network.nodes[i].path) for i in norms}
    trained = opened.values(inputs, training=True)
    tested = opened.values(inputs)
    found = []
    for i in norms:
        node = network.nodes[i]
        assert isinstance(node.op, BatchNorm)
        source = network.nodes[node.inputs[0].node].path
        start, after = before[node.path], opened.variables(node.path)
        gamma, beta = start.get("gamma", np.float64(1)), start.get("beta", np.float64(0))
        x, epsilon, momentum = trained[source].astype(np.float64), node.op.epsilon, node.op.momentum
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
        hand = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
        outside = gamma * (x - mean) / (np.sqrt(variance) + epsilon) + beta
        moved = momentum * start["moving_mean"] + (1 - momentum) * mean
        spread = momentum * start["moving_variance"] + (1 - momentum) * variance
        y = tested[source].astype(np.float64)
        inferred = gamma * (y - after["moving_mean"]) / np.sqrt(after["moving_variance"] + epsilon) + beta
        out = trained[node.path].astype(np.float64)
        found.append(
            Layer(
                node.path,
                float(np.abs(mean).mean()),
                float(variance.mean()),
                float(np.abs(out.mean(axis=axes)).max()),
                float(out.var(axis=axes).mean()),
                _apart(out, hand),
                max(_apart(after["moving_mean"], moved), _apart(after["moving_variance"], spread)),
                _apart(tested[node.path], inferred),
                _apart(outside, hand),
            )
        )
    return found


def _apart(a: Array, b: Array) -> float:
    """The largest difference, relative to the spread of the second."""
    return float(np.max(np.abs(a - b)) / (np.std(b) or 1.0))


def _gap(opened: Session, inputs: Any) -> float:
    """How far outputs in inference are from those in training; the moving statistics stay as they are."""
    state = [layer.get_weights() for layer in opened.model.layers]
    trained = opened.values(inputs, training=True)
    for layer, weights in zip(opened.model.layers, state, strict=True):
        layer.set_weights(weights)
    tested = opened.values(inputs)
    apart = [np.sqrt(np.mean((trained[name] - tested[name]) ** 2)) / (trained[name].std() or 1.0) for name in trained]
    return float(np.mean(apart))


def _in_place(network: Network, settings: Options) -> tuple[tuple[float, ...], Array]:
    """Dependence on the batch for each of its sizes, and variances along the stream, with one normalization."""
    stream = Map(network).stream
    opened = session(network, stream, seed=settings.seed)
    name, most = next(iter(network.outputs)), max(settings.batches)
    pool = data.batch(settings.data, network, most * settings.mates, settings.seed + 1)
    one = {key: value[:1] for key, value in data.batch(settings.data, network, 2, settings.seed).items()}
    random = np.random.default_rng([settings.seed, 0xBA7C])
    noise = []
    for size in settings.batches:
        outputs = []
        for _ in range(settings.mates):
            chosen = random.choice(len(next(iter(pool.values()))), size - 1, replace=False)
            batch = {key: np.concatenate([one[key], value[chosen]]) for key, value in pool.items()}
            outputs.append(opened.values(batch, training=True)[name][0].astype(np.float64))
        around = np.array(outputs)
        noise.append(float(np.sqrt(around.var(axis=0).mean() / max(np.mean(around**2), 1e-300))))
    values = opened.values({key: value[:most] for key, value in pool.items()}, training=True)
    return tuple(noise), course(network, "", stream, [[values[network.nodes[i].path] for i in stream]]).variances


def _tables(found: Sequence[Look], settings: Options) -> tuple[Table, ...]:
    return (
        Table(
            "norms",
            "other normalizations in the place of batch norm",
            (
                Column("network"), Column("norm"),
                Column("growth", "factor of the variance across the batch, a block"),
                Column("increment", "of the variance across the batch, a block"),
                *(Column(f"noise_{size}", f"of an output by the rest of {size}") for size in settings.batches),
            ),
            tuple(
                (one.label, kind, grown.factor, grown.increment, *one.noise[kind])
                for one in found
                for kind in KINDS
                for grown in [growth(one.variances[kind])]
            ),
        ),
        Table(
            "modes",
            "training against inference",
            (
                Column("network"), Column("updates", "of the moving statistics"),
                Column("difference", "relative to the spread of the outputs"),
                Column("remaining", "momentum^updates"),
            ),
            tuple((one.label, n, gap, one.momentum**n) for one in found for n, gap in one.gaps),
        ),
        Table(
            "layers",
            "each batch norm beside the computation by hand",
            (
                Column("network"), Column("layer"),
                Column("mean", "of what goes in, mean over channels of its size"),
                Column("variance", "of what goes in"),
                Column("out_mean", "largest of a channel"), Column("out_variance"),
                Column("training", "largest difference to the hand, relative to the spread"),
                Column("moving", "the same of the moving statistics after a step"),
                Column("inference", "the same in inference"),
                Column("outside", "the difference if epsilon were added to the deviation"),
            ),
            tuple(
                (
                    one.label, layer.path, layer.mean, layer.variance, layer.out_mean, layer.out_variance,
                    layer.training, layer.moving, layer.inference, layer.outside,
                )
                for one in found
                for layer in one.layers
            ),
        ),
    )  # fmt: skip


def verdicts(found: Look, settings: Options) -> list[Verdict]:
    """Exactness, the gap between modes, the smallest batch, and what other normalizations do."""
    worst = max(max(layer.training, layer.inference, layer.moving) for layer in found.layers)
    start, end = found.gaps[0], found.gaps[-1]
    sizes = list(settings.batches)
    batch = found.noise["batch"]
    fall = fit.exponential(np.log(sizes), batch).slope if len(sizes) > 1 else 0.0
    small = [size for size, noise in zip(sizes, batch, strict=True) if noise > NOISY]
    most = f"{max(small)}" if small else ""
    return [
        Verdict(
            worst < EXACT,
            f"{found.label}: {len(found.layers)} batch norms compute gamma (x - mean) / sqrt(variance + epsilon) + "
            f"beta in training, the same with moving statistics in inference; by hand within {worst:.1e}",
            f"differences below {EXACT:g} of the spread",
            SOURCE,
        ),
        Verdict(
            None,
            f"{found.label}: inference differs from training by {start[1]:.2g} of the outputs' spread at first, by "
            f"{end[1]:.2g} after {end[0]} updates with momentum {found.momentum:g}",
            "",
            SOURCE,
            help=f"let moving statistics catch up: {found.momentum:g}^n of the initial ones are left after n steps",
        ),
        Verdict(
            None,
            f"{found.label}: in a batch of {sizes[0]} the rest of the batch makes {batch[0]:.0%} of an output, in one "
            f"of {sizes[-1]} {batch[-1]:.0%}; it falls as size^{fall:.2f}. Ghost norm stays at "
            f"{found.noise['ghost'][-1]:.0%}, group and layer norm are free of it",
            f"below {NOISY:.0%}",
            SOURCE,
            help=f"for batches of {most} or less use `group_norm`" if most else None,
        ),
    ]


def _draw(figure: Figure, found: Look, settings: Options) -> None:
    from matplotlib.ticker import LogFormatter

    from resspec.probes import figure as look

    (inside, gap), (noise, along) = figure.subplots(2, 2)
    x = np.arange(1, len(found.layers) + 1)
    look.line(inside, x, [layer.variance for layer in found.layers], 0, "goes in")
    look.line(inside, x, [layer.out_variance for layer in found.layers], 1, "comes out")
    inside.set_yscale("log")
    for axis in (inside.yaxis.set_major_formatter, inside.yaxis.set_minor_formatter):
        axis(LogFormatter(minor_thresholds=(2, 0.5)))
    inside.set_title("variance at each batch norm")
    inside.set_xlabel("batch norm, from the input")
    inside.set_ylabel("mean over channels")
    inside.xaxis.get_major_locator().set_params(integer=True)
    inside.legend()
    n, gaps = zip(*found.gaps, strict=True)
    steps = np.arange(n[-1] + 1)
    look.line(gap, n, gaps, 0, "training against inference")
    gap.plot(steps, gaps[0] * found.momentum**steps, color=look.GREY, linestyle=":", linewidth=1,
             label=f"{found.momentum:g}$^n$")  # fmt: skip
    gap.set_title("difference of outputs")
    gap.set_xlabel("updates of the moving statistics")
    gap.set_yscale("log")
    gap.set_ylabel("over their spread")
    gap.legend()
    for k, kind in enumerate(KINDS[:-1]):
        look.line(noise, settings.batches, found.noise[kind], k, kind)
    noise.set_xscale("log", base=2)
    noise.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    noise.set_title("what the rest of the batch does")
    noise.set_xlabel("examples in the batch")
    noise.set_ylabel("share of an output")
    noise.legend()
    for k, kind in enumerate(KINDS):
        values = found.variances[kind]
        look.line(along, np.arange(len(values)), values, k, kind)
    # without a norm it may grow without bounds; the others are what is compared
    along.set_ylim(0, 1.6 * max(float(np.max(found.variances[kind])) for kind in KINDS[:-1]))
    along.xaxis.get_major_locator().set_params(integer=True)
    along.set_title("variance across the batch")
    along.set_xlabel("block")
    along.set_ylabel("mean over units")
    along.legend()
