"""Data for probes, none of it downloaded: MNIST-1D made from its recipe, scikit-learn's digits, arrays of a file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from resspec.analysis import legal
from resspec.analysis.cost import shape_at
from resspec.diagnostics import SpecError
from resspec.graph import Node
from resspec.network import Network
from resspec.ops.dense import Embedding
from resspec.probes.base import refused
from resspec.tensor import TensorSpec

Array = np.ndarray[Any, Any]

NAMES = ("mnist1d", "digits")


@dataclass(frozen=True, eq=False)
class Data:
    """Examples with labels, and examples that no training sees. Labels are integers, or arrays as the outputs."""

    name: str
    x: Array
    y: Array
    x_test: Array
    y_test: Array

    @property
    def classes(self) -> int:
        """Number of classes, if labels are integers; 0 if not."""
        return int(self.y.max()) + 1 if self.y.ndim == 1 and np.issubdtype(self.y.dtype, np.integer) else 0


def load(name: str) -> Data:
    """`mnist1d`, `digits`, or the path of a file with the arrays x and y, and x_test and y_test if there are any.

    Raises SpecError: `needs-package` without scikit-learn, `bad-data`.
    """
    if name == "mnist1d":
        return mnist1d()
    if name == "digits":
        return digits()
    if not name.endswith(".npz"):
        raise refused(
            f"data are {', '.join(NAMES)} or a file that ends in `.npz`, got `{name}`",
            code="bad-data",
            help="write the arrays with `numpy.savez(path, x=x, y=y)`",
        )
    return _from_file(Path(name))


def fitted(data: Data, network: Network) -> Data:
    """The data with the shape of the network's one input; an axis of size 1 is added or left out.

    Raises SpecError `probe-refused` for several inputs, `bad-data` where shapes or classes do not fit.
    """
    spec = single_input(network)
    wanted = tuple(spec.shape)
    found = data.x.shape[1:]
    plain = tuple(size for size in found if size != 1)
    if not _agree(wanted, found):
        if len(wanted) != len([s for s in wanted if s == 1]) + len(plain) or not _agree(
            tuple(size for size in wanted if size != 1), plain
        ):
            node = network.nodes[next(iter(network.inputs.values()))]
            raise refused(
                f"the examples of `{data.name}` are {_shape(found)}, the input of `{network.name}` is {_shape(wanted)}",
                code="bad-data",
                span=node.origin.span,
                help=f"rebind the input (`-i {node.path}={','.join(map(str, found))}`), or give other data",
            )
        ends = iter(plain)
        found = tuple(1 if size == 1 else next(ends) for size in wanted)
    return Data(
        data.name,
        data.x.reshape(-1, *found).astype(spec.dtype),
        data.y,
        data.x_test.reshape(-1, *found).astype(spec.dtype),
        data.y_test,
    )


def single_input(network: Network) -> TensorSpec:
    """The input of a network that has one; SpecError `probe-refused` if there are several."""
    if len(network.inputs) != 1:
        names = ", ".join(f"`{name}`" for name in network.inputs)
        raise refused(f"this probe needs a network with one input, `{network.name}` has {names}")
    return network.nodes[next(iter(network.inputs.values()))].outputs[0]


def noise(network: Network, batch: int, seed: int) -> dict[str, Array]:
    """Standard normal numbers for every input, whole numbers within the vocabulary for tokens: `(batch, ...)`.

    Unknown sizes are the smallest legal ones.
    """
    at = legal.choice(network, {name: domain.smallest() or 1 for name, domain in network.domains.items()}).at
    random = np.random.default_rng([seed, 0x5EED])
    found = {}
    for name, i in network.inputs.items():
        spec = shape_at(network.nodes[i].outputs[0], at)
        shape = (batch, *(int(str(size)) for size in spec.shape))
        if "float" in spec.dtype:
            found[name] = random.standard_normal(shape).astype(spec.dtype)
        else:
            found[name] = random.integers(0, _vocabulary(network, i), shape).astype(spec.dtype)
    return found


def batch(name: str, network: Network, size: int, seed: int) -> dict[str, Array]:
    """Examples to look at: `noise`, or so many random ones of the data of that name."""
    if name == "noise":
        return noise(network, size, seed)
    found = fitted(load(name), network)
    chosen = np.random.default_rng([seed, 0xBA7]).choice(len(found.x), min(size, len(found.x)), replace=False)
    return {next(iter(network.inputs)): found.x[chosen]}


def _vocabulary(network: Network, i: int) -> int:
    """How many tokens the embedding that reads an input knows; 2 where there is none."""
    readers: list[Node] = [node for node in network.nodes if any(ref.node == i for ref in node.inputs)]
    return next((int(node.op.input_dim) for node in readers if isinstance(node.op, Embedding)), 2)


@lru_cache(maxsize=1)
def digits() -> Data:
    """scikit-learn's 1,797 digits of 8x8x1, scaled to mean 0 and variance 1; every fifth one is for testing."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        help = "pip install 'resspec[probes]'"
        raise refused("the digits need scikit-learn", code="needs-package", help=help) from None
    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean()) / x.std()).astype(np.float32).reshape(-1, 8, 8, 1)
    test = np.arange(len(x)) % 5 == 4
    return Data("digits", x[~test], y[~test].astype(np.int64), x[test], y[test].astype(np.int64))


TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
"""the digits 0 to 9 as curves of twelve points (Greydanus and Kobak 2020, "Scaling down deep learning")"""

LENGTH, PADDING, SHIFTS = 72, (36, 60), 48
POINTS, SAMPLES, TRAINING = 40, 5000, 4000


@lru_cache(maxsize=4)
def mnist1d(seed: int = 42) -> Data:
    """MNIST-1D: 4,000 curves of 40 points for training and 1,000 for testing, of ten classes.

    By its recipe, number for number: each digit's curve is padded, stretched, scaled, shifted, gets
    smooth noise where it is empty and a little noise everywhere, is sheared and sampled at 40 points.
    """
    random = np.random.RandomState(seed)
    curves = np.array(TEMPLATES, float)
    curves -= curves.mean(1, keepdims=True)
    curves /= curves.std(1, keepdims=True)
    curves = (curves - curves[:, :1]) / 6
    labels = np.repeat(np.arange(10), SAMPLES // 10)
    x = np.stack([_example(curves[label], random) for label in labels])
    order = random.permutation(SAMPLES)
    x, labels = x[order], labels[order]
    x = ((x - x.mean()) / x.std()).astype(np.float32)
    return Data("mnist1d", x[:TRAINING], labels[:TRAINING], x[TRAINING:], labels[TRAINING:])


def _example(curve: Array, random: np.random.RandomState) -> Array:
    low, high = PADDING
    empty = low + int(random.rand() * (high - low + 1))
    x = _resampled(np.concatenate([curve + 1e-8, np.zeros(empty)]), LENGTH)  # the curve itself is nowhere exactly 0
    x *= 1 + 0.4 * (random.rand() - 0.5)
    x = np.roll(x, random.choice(SHIFTS))
    smooth = _smoothed(0.25 * random.randn(LENGTH))
    x = np.where(x != 0, x, smooth) + 0.02 * random.randn(LENGTH)
    x -= 0.75 * (random.rand() - 0.5) * np.linspace(-0.5, 0.5, LENGTH)
    return _resampled(x, POINTS)


def _resampled(x: Array, points: int) -> Array:
    """`x` at evenly spaced points, linear in between."""
    return np.asarray(np.interp(np.linspace(0, 1, points), np.linspace(0, 1, len(x)), x))


GAUSS = np.exp(-0.5 * (np.arange(-8, 9) / 2) ** 2)
"""a bell of standard deviation 2, cut off at four of them"""


def _smoothed(x: Array) -> Array:
    return np.convolve(np.pad(x, 8, mode="symmetric"), GAUSS / GAUSS.sum(), mode="valid")


def _from_file(path: Path) -> Data:
    from resspec import files

    if not path.exists():
        raise files.FileProblem("file-not-found", f"no file `{path}`")
    try:
        if not zipfile.is_zipfile(path):  # NumPy would take it for something pickled
            raise ValueError("it is no `.npz` file")
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in ("x", "y", "x_test", "y_test") if name in found}
            there = ", ".join(f"`{name}`" for name in found)
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise refused(
            f"`{path}` holds no plain arrays: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            code="bad-data",
            help="write numbers with `numpy.savez(path, x=x, y=y)`; objects, which are pickled, are not read",
        ) from None
    for key in ("x", "y"):
        if key not in arrays:
            raise _unfit(f"`{path}` has no array `{key}`, {f'only {there}' if there else 'it is empty'}")
    return _checked(str(path), arrays)


def _unfit(message: str) -> SpecError:
    help = "`x` are the examples and `y` their labels, as many; `x_test` and `y_test`, if given, are for testing"
    return refused(message, code="bad-data", help=help)


def _checked(name: str, arrays: Mapping[str, Array]) -> Data:
    arrays = {key: np.atleast_1d(value) for key, value in arrays.items()}
    if "x_test" not in arrays or "y_test" not in arrays:  # every fifth example is for testing
        last = np.arange(len(arrays["x"])) % 5 == 4
        if len(arrays["x"]) == len(arrays["y"]):
            arrays |= {"x_test": arrays["x"][last], "y_test": arrays["y"][last]}
            arrays |= {"x": arrays["x"][~last], "y": arrays["y"][~last]}
    for suffix in ("", "_test"):
        x, y = arrays.get(f"x{suffix}", arrays["x"]), arrays.get(f"y{suffix}", arrays["y"])
        if len(x) != len(y):
            raise _unfit(f"`{name}` has {len(x)} examples in `x{suffix}` and {len(y)} labels in `y{suffix}`")
        if not len(x):
            kept = "; of five or more the fifth would be kept for testing" if suffix else ""
            raise _unfit(f"`{name}` has no example for {'testing' if suffix else 'training'}{kept}")
        for key, values in ((f"x{suffix}", x), (f"y{suffix}", y)):
            if values.dtype.kind not in "fiub" or not np.isfinite(values).all():
                raise _unfit(f"`{key}` of `{name}` has values that are no finite numbers")
            if values.shape[1:] != arrays[key[0]].shape[1:]:
                of = f"{_shape(values.shape[1:])} an example, `{key[0]}` {_shape(arrays[key[0]].shape[1:])}"
                raise _unfit(f"`{key}` of `{name}` is {of}")
    if arrays["y"].ndim == 2 and arrays["y"].shape[1] == 1:
        arrays |= {"y": arrays["y"][:, 0], "y_test": arrays["y_test"][:, 0]}
    return Data(name, arrays["x"], arrays["y"], arrays["x_test"], arrays["y_test"])


def _agree(wanted: tuple[Any, ...], found: tuple[int, ...]) -> bool:
    return len(wanted) == len(found) and all(a == b or not isinstance(a, int) for a, b in zip(wanted, found))


def _shape(shape: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
