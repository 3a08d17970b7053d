"""How probes train: the settings, and what of the data is to be learnt. No Keras here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from resspec.network import Network
from resspec.ops.activation import Activation, Sigmoid, Softmax
from resspec.probes import data
from resspec.probes.base import Settings, Subject, refused, setting
from resspec.probes.blocks import without_shortcuts
from resspec.probes.places import Map
from resspec.quiet import quietly

if TYPE_CHECKING:
    from resspec.probes.training import Trainer

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """Stochastic gradient descent with momentum, the rate halved every few epochs."""

    data: str = setting("mnist1d", "mnist1d, digits, or a file.npz with x and y")
    epochs: int = setting(20, "passes over the data", least=1)
    rate: float = setting(0.05, "the learning rate at first", least=0)
    momentum: float = setting(0.9, "", least=0)
    halve: int = setting(20, "epochs after which the rate is halved, again and again; 0 for never", least=0)
    examples: int = setting(100, "in a batch", least=2)
    jit: bool = setting(True, "compile training for this machine, which deep networks pay for at the first step")
    twin: bool = setting(True, "train each network without its shortcuts as well")


@dataclass(frozen=True)
class Task:
    """What a network is to learn from labels, and how wrong it is."""

    kind: Literal["classes", "binary", "values"]
    probabilities: bool
    """whether the network ends in a softmax or sigmoid; else its outputs are logits"""

    def error(self, outputs: Array, labels: Array) -> float:
        """The share of wrong labels, or of the variance of the values that is left, at most 1; 1 where not finite."""
        if not np.isfinite(outputs).all():
            return 1.0
        if self.kind == "classes":
            return float((outputs.argmax(axis=-1) != labels).mean())
        labels = labels.reshape(outputs.shape)
        if self.kind == "binary":
            return float(((outputs > (0.5 if self.probabilities else 0)) != (labels > 0.5)).mean())
        return float(min(1.0, ((outputs - labels) ** 2).mean() / labels.var()))

    def loss(self, outputs: Array, labels: Array) -> float:
        """Mean cross entropy, or squared error."""
        outputs = outputs.astype(np.float64)
        with np.errstate(all="ignore"):
            if self.kind == "classes":
                logits = np.log(np.clip(outputs, 1e-30, None)) if self.probabilities else outputs
                logits = logits - logits.max(axis=-1, keepdims=True)
                right = np.take_along_axis(logits, labels[..., None].astype(int), axis=-1)[..., 0]
                return float((np.log(np.exp(logits).sum(axis=-1)) - right).mean())
            labels = labels.reshape(outputs.shape)
            if self.kind == "values":
                return float(((outputs - labels) ** 2).mean())
            p = np.clip(outputs, 1e-7, 1 - 1e-7)
            logits = np.log(p / (1 - p)) if self.probabilities else outputs
            return float((np.logaddexp(0, logits) - logits * labels).mean())


def task(network: Network, found: data.Data) -> Task:
    """What there is to learn. SpecError `bad-data` where labels and outputs do not fit."""
    ref = [*network.outputs.values()][-1]
    spec, op = network.spec(ref), network.nodes[ref.node].op
    function = op.kind if isinstance(op, Softmax | Sigmoid) else getattr(op, "activation", None)
    if isinstance(op, Activation):
        function = op.function
    probabilities = function in ("softmax", "sigmoid")
    whole = np.issubdtype(found.y.dtype, np.integer) or found.y.dtype == bool
    channels, rank = spec.channels, found.y.ndim - 1
    least, most = (f([f(found.y), f(found.y_test)]) for f in (np.min, np.max))
    if whole and isinstance(channels, int) and least >= 0:
        if rank == spec.rank - 1 and channels > 1 and most < channels:
            return Task("classes", probabilities)
        if channels == 1 and most <= 1 and rank in (spec.rank - 1, spec.rank):
            return Task("binary", probabilities)
    if not whole and rank == spec.rank and (found.y.shape[-1] == channels):
        return Task("values", False)
    shape = "x".join(map(str, found.y.shape[1:])) or "one number"
    what = f"whole numbers from {least} to {most}" if whole else "numbers"
    raise refused(
        f"the labels of `{found.name}` are {what}, {shape} an example, which `{network.name}` with outputs of {spec} "
        "cannot learn",
        code="bad-data",
        span=network.nodes[ref.node].origin.span,
        help="labels are classes from 0 on, one for each place of the output, or values as many as the outputs",
    )


@dataclass(frozen=True)
class Candidate:
    """A network to train: what was asked for, or its twin without shortcuts."""

    label: str
    subject: Subject
    twin: bool

    def load(self, **params: Any) -> Network:
        network = self.subject.load(**params)
        return without_shortcuts(network) if self.twin else network


def candidates(subjects: Sequence[Subject], recipe: Recipe) -> list[Candidate]:
    """The subjects, each residual one with its plain twin behind it if the recipe says so."""
    found = []
    for subject in subjects:
        found.append(Candidate(subject.label, subject, False))
        if recipe.twin and Map(subject.load()).units:
            found.append(Candidate(f"{subject.label} without shortcuts", subject, True))
    return found


def guess(found: data.Data, what: Task) -> float:
    """The loss of one who knows how often each label comes, and nothing else."""
    if what.kind == "values":
        return float(np.var(found.y))
    shares = np.unique(found.y, return_counts=True)[1] / found.y.size
    return float(-(shares * np.log(shares)).sum())


def chance(found: data.Data, what: Task) -> float:
    """The error of one who always says the most frequent label."""
    return 1.0 if what.kind == "values" else float(1 - np.unique(found.y, return_counts=True)[1].max() / found.y.size)


def prepared(network: Network, recipe: Recipe) -> data.Data:
    """The data of a recipe in the shape of the network's input."""
    return data.fitted(data.load(recipe.data), network)


def trainer(network: Network, recipe: Recipe, **options: Any) -> Trainer:
    """The network as a Keras model with its data; the first call imports Keras, without its greetings."""
    found = prepared(network, recipe)
    what = task(network, found)
    with quietly():
        from resspec.probes.training import Trainer

        return Trainer(network, found, what, recipe, **options)
