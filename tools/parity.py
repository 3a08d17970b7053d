"""Hold the shipped networks against those of other libraries: same weights, same outputs.

    python tools/parity.py                         every reference that this Keras backend can run
    python tools/parity.py --only 'resnet*' --json parity.json

A reference gets random weights and random statistics of batch normalization, is saved as its own library saves it, and
read back into the shipped spec through the map beside it. Both then see the same images or texts, at three sizes. The
difference is max |a - b| / max |a|, on one backend, in float32. Keras's networks run on any backend, PyTorch's with
KERAS_BACKEND=torch.

The statistics are those that the network itself has for such images, disturbed. Statistics out of the air would let the
signal die or grow from layer to layer, until the output says nothing of the first layers, or only of rounding.
"""

from __future__ import annotations

import argparse
import fnmatch
import gc
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from references.base import Reference

import resspec

BAR = 1e-5
CLASSES = 10

SIX = (
    "resnet@resnet50_keras", "densenet@densenet121_keras", "mobilenet_v2@mobilenet_v2_035", "xception",
    "efficientnet@efficientnet_b0", "convnext@convnext_tiny",
)  # fmt: skip
"""networks of six families that are held against keras.applications on every backend"""


class Measured(NamedTuple):
    """What one reference came to. `difference` is the largest of its sizes."""

    spec: str
    label: str
    naming: str
    form: str
    backend: str
    sizes: tuple[int, ...]
    difference: float
    seconds: float
    params: dict[str, Any] = {}
    """of the spec, beside those of its variant"""


def references() -> list[Reference]:
    """Those of the libraries that can be run here."""
    from references.keras_models import REFERENCES as found

    if keras.backend.backend() == "torch" and importlib.util.find_spec("timm"):
        from references.torch_models import REFERENCES as torch_models

        return [*found, *torch_models]
    return list(found)


def measure(reference: Reference, sizes: Iterable[int] = (), form: str = "") -> Measured:
    """Import the reference's weights at every size and compare; `form` is a suffix that its library writes."""
    sizes = tuple(sizes) or reference.sizes
    started, worst = time.monotonic(), 0.0
    library = Keras() if reference.naming == "keras" else Torch()
    form = form or library.forms[0]
    for size in sizes:
        shape = (size,) if reference.tokens else (size, size, 3)
        random = np.random.default_rng(size)
        keras.utils.set_random_seed(size)
        theirs = reference.build(shape, CLASSES)
        count = 8 if size < 256 else 2
        inputs = texts(random, count, shape, reference.tokens) if reference.tokens else pictures(random, count, shape)
        library.randomize(theirs, random, inputs)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"reference{form}"
            library.save(theirs, path)
            params = {"classes": CLASSES, **reference.params}
            params = {key: value for key, value in params.items() if value is not None}
            (name,) = resspec.load(reference.spec, params=params).inputs
            network = resspec.load(reference.spec, params=params, inputs={name: list(shape)})
            ours = network.to_keras(weights=path, weights_map=reference.naming)
        for a, b in zip(library.outputs(theirs, inputs), Keras().outputs(ours, inputs), strict=True):
            worst = max(worst, difference(a, b))
        del theirs, ours
        keras.backend.clear_session(free_memory=False)
        gc.collect()
    seconds = round(time.monotonic() - started, 1)
    return Measured(
        reference.spec,
        reference.label,
        reference.naming,
        form,
        keras.backend.backend(),
        sizes,
        worst,
        seconds,
        reference.params,
    )


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """max |a - b| / max |a|; infinite where no input changes `a`, which compares nothing."""
    varied = np.abs(a - a.mean(axis=0)).max() > 1e-3 * np.abs(a).max()
    found = float(np.abs(a - b).max() / np.abs(a).max())
    return found if varied and np.isfinite(found) else np.inf


def texts(random: np.random.Generator, count: int, shape: tuple[int, ...], tokens: int) -> np.ndarray:
    """Numbers of tokens."""
    return random.integers(0, tokens, (count, *shape), dtype=np.int32)


def pictures(random: np.random.Generator, count: int, shape: tuple[int, ...]) -> np.ndarray:
    """Images of 0 to 255, each of a colour of its own."""
    colours = random.uniform(0, 255, (count, 1, 1, shape[-1]))
    return (colours * random.uniform(0, 1, (count, *shape))).astype(np.float32)


def disturbed(
    mean: np.ndarray, variance: np.ndarray, random: np.random.Generator, least: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Statistics near these; no variance is so small, beside the mean or the others, that it blows up rounding."""
    variance = np.maximum(variance, least * (mean**2 / 2 + variance.mean()) + 1e-3)
    mean = mean + random.normal(0, 0.05, mean.shape) * np.sqrt(variance)
    return mean.astype(np.float32), (variance * random.uniform(0.9, 1.2, variance.shape)).astype(np.float32)


def untracked() -> AbstractContextManager[object]:
    """Without the intermediate results that PyTorch keeps for gradients: gigabytes for a large picture."""
    if keras.backend.backend() != "torch":
        return nullcontext()
    import torch

    return torch.no_grad()


class Keras:
    """The networks of keras.applications, on any backend."""

    forms = (".keras", ".weights.h5", ".h5")

    def randomize(self, model: Any, random: np.random.Generator, inputs: np.ndarray) -> None:
        """Weights that no initializer would give: factors and variances around 1, shifts and means around 0."""
        for variable in model.weights:
            name = variable.path.rpartition("/")[2]
            if name in ("gamma", "variance", "variable"):  # the last is ConvNeXt's factors
                variable.assign(random.uniform(0.4, 1.2, variable.shape))
            elif name in ("beta", "bias", "mean"):
                variable.assign(random.normal(0, 0.1, variable.shape))
        layers = list(model._flatten_layers(include_self=False))
        norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
        momenta = [norm.momentum for norm in norms]
        for layer in layers:
            if isinstance(layer, keras.layers.Normalization) and layer.weights:
                layer.finalize_state()
        for norm in norms:
            norm.momentum = 0.0
        with untracked():
            model(inputs, training=True)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            mean, variance = map(keras.ops.convert_to_numpy, (norm.moving_mean, norm.moving_variance))
            mean, variance = disturbed(mean, variance, random)
            norm.moving_mean.assign(mean)
            norm.moving_variance.assign(variance)

    def save(self, model: Any, path: Path) -> None:
        if path.name.endswith(".weights.h5"):
            model.save_weights(path)
        else:
            model.save(path)

    def outputs(self, model: Any, inputs: np.ndarray) -> list[np.ndarray]:
        with untracked():
            return [keras.ops.convert_to_numpy(one) for one in keras.tree.flatten(model(inputs, training=False))]


class Torch:
    """Networks of PyTorch, which Keras runs as its backend too."""

    forms = (".pth", ".safetensors")

    def randomize(self, model: Any, random: np.random.Generator, inputs: np.ndarray) -> None:
        import torch

        with torch.no_grad():
            for name, array in model.state_dict().items():
                if name.endswith(("gamma", "layer_scale")) or (name.endswith("weight") and array.ndim == 1):
                    array.copy_(torch.from_numpy(random.uniform(0.4, 1.2, array.shape)))
                elif name.endswith("bias"):
                    array.copy_(torch.from_numpy(random.normal(0.3, 0.3, array.shape)))
                elif name.endswith("weight"):  # some begin so small that epsilon is all that a norm sees
                    array.div_(array.std() * array[0].numel() ** 0.5)
            norms = [part for part in model.modules() if hasattr(part, "running_var")]
            for norm in norms:
                norm.momentum, norm.was = 1.0, norm.momentum
            model.train()
            self.outputs(model, inputs)
            model.eval()
            for norm in norms:
                norm.momentum = norm.was
                mean, variance = norm.running_mean.cpu().numpy(), norm.running_var.cpu().numpy()
                mean, variance = disturbed(mean, variance, random, least=0.5)
                norm.running_mean.copy_(torch.from_numpy(mean))
                norm.running_var.copy_(torch.from_numpy(variance))

    def save(self, model: Any, path: Path) -> None:
        import torch

        if path.suffix == ".safetensors":
            from safetensors.torch import save_file

            # of the names of a shared array the file takes one
            first = {array.data_ptr(): name for name, array in reversed(model.state_dict().items())}
            save_file({first[array.data_ptr()]: array.contiguous() for array in model.state_dict().values()}, path)
        else:
            torch.save(model.state_dict(), path)

    def outputs(self, model: Any, inputs: np.ndarray) -> list[np.ndarray]:
        import torch

        given = torch.from_numpy(inputs).to(next(model.parameters()).device)
        with torch.no_grad():
            found = model(given.permute(0, 3, 1, 2) if given.ndim == 4 else given)
        several = [found] if isinstance(found, torch.Tensor) else list(found)
        return [np.moveaxis(one.cpu().numpy(), 1, -1) if one.ndim == 4 else one.cpu().numpy() for one in several]


def ends(chosen: Iterable[Reference]) -> list[Reference]:
    """The smallest and the largest network of each family and naming."""
    families: dict[tuple[str, str], list[Reference]] = {}
    for one in chosen:
        families.setdefault((one.spec.partition("@")[0], one.naming), []).append(one)

    def parameters(one: Reference) -> int:
        return resspec.load(one.spec, params=one.params).summary().params.total

    found = []
    for members in families.values():
        members.sort(key=parameters)
        found += members[:: max(1, len(members) - 1)]
    return found


def run(chosen: Iterable[Reference], quick: bool) -> Iterator[Measured]:
    """Measure one after the other; the forms of files take turns."""
    for k, reference in enumerate(chosen):
        forms = Keras.forms if reference.naming == "keras" else Torch.forms
        yield measure(reference, reference.sizes[:1] if quick else (), forms[k % len(forms)])


def main() -> int:
    from rich.console import Console

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="*", help="names of specs, with * for any characters, commas between several")
    parser.add_argument("--naming", default="*", help="keras, torchvision, timm, ...; with ! before it all others")
    parser.add_argument("--six", action="store_true", help="one network of Keras's from each of six families")
    parser.add_argument("--ends", action="store_true", help="the smallest and the largest of each family")
    parser.add_argument("--quick", action="store_true", help="one size each")
    parser.add_argument("--json", help="write the results here")
    options = parser.parse_args()
    chosen = [
        one
        for one in references()
        if fnmatch.fnmatch(one.naming, options.naming.lstrip("!")) != options.naming.startswith("!")
        and any(fnmatch.fnmatch(one.spec, name) for name in options.only.split(","))
    ]
    if options.six:
        chosen = [one for one in chosen if one.spec in SIX and one.naming == "keras"]
    if options.ends:
        chosen = ends(chosen)
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    console.print(f"{len(chosen)} references on {keras.backend.backend()}, Keras {keras.version()}")
    found = []
    for one in run(chosen, options.quick):
        verdict = "" if one.difference <= BAR else "  [bold red]above the bar[/]"
        at = "/".join(map(str, one.sizes))
        line = f"{one.spec:38} {one.label:44} {one.naming:12} {one.form:12} {at:12} {one.difference:8.1e}"
        console.print(f"{line} {one.seconds:6.1f} s{verdict}")
        found.append(one)
    worst = max((one.difference for one in found), default=0.0)
    console.print(f"largest difference {worst:.1e}, the bar is {BAR:.0e}")
    if options.json:
        Path(options.json).write_text(json.dumps([one._asdict() for one in found], indent=1) + "\n")
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
