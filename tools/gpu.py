"""A built model on an accelerator: `KERAS_BACKEND=jax python tools/gpu.py --out gpu.json`.

Builds a spec on whatever device Keras sees, holds its outputs against those of the CPU, and times
inference and a training step against the twin written by hand, in float32 and mixed_bfloat16. Data are
random and lie on the device; a step ends when its result is on the host, so every time is synchronised.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
from bench import BACKENDS, Samples, amount, rounds, seconds, versions

EXACT, MIXED = 1e-3, 1e-1
"""bars of max |a - b| / max |b|: float32 without shortened products, and anything shorter"""
COMPARED = 8
"""images whose outputs are compared; a CPU computes them too"""


class Net(NamedTuple):
    """What is built: a spec, its depth, and the side of its square images."""

    spec: str
    depth: int
    side: int
    data_format: str = "channels_last"

    def images(self, batch: int) -> Any:
        import numpy as np

        shape = (batch, 3, self.side, self.side) if self.data_format == "channels_first" else (batch, *self.shape)
        return np.random.default_rng(0).standard_normal(shape, np.float32)

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.side, self.side, 3

    def built(self, dtype: str) -> Any:
        """Equal weights in every process: they depend on their paths alone."""
        import resspec

        inputs = {"image": list(self.shape)}
        return resspec.build(self.spec, depth=self.depth, inputs=inputs, dtype=dtype, data_format=self.data_format)

    def by_hand(self, dtype: str) -> Any:
        import keras
        from handwritten import twin

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(dtype)
        try:
            return twin(self.spec, self.depth, shape=self.shape)
        finally:
            keras.config.set_dtype_policy(before)


# -- outputs against the CPU's ---------------------------------------------------------------------


def on_cpu(net: Net) -> Any:
    """float32 outputs computed by the CPU: in this process on JAX, else in one that sees nothing but the CPU."""
    import keras

    images = net.images(COMPARED)
    if keras.backend.backend() == "jax":
        import jax

        try:
            cpu = jax.devices("cpu")[0]
        except RuntimeError:  # JAX_PLATFORMS leaves the CPU out
            return _elsewhere(net)
        model = net.built("float32")
        weights = [[jax.device_put(v.value, cpu) for v in group] for group in _groups(model)]
        return _array(_stateless(model)(*weights, jax.device_put(images, cpu)))
    return _elsewhere(net)


def _groups(model: Any) -> tuple[Any, Any]:
    return model.trainable_variables, model.non_trainable_variables


def _stateless(model: Any) -> Any:
    import jax

    return jax.jit(lambda trained, other, x: model.stateless_call(trained, other, x, training=False)[0])


def _elsewhere(net: Net) -> Any:
    import numpy as np

    hidden = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        target = f"{folder}/outputs.npy"
        command = [sys.executable, __file__, "--outputs", json.dumps([target, *net])]
        done = subprocess.run(command, env={**os.environ, **hidden}, capture_output=True, text=True)
        if done.returncode:
            raise click.ClickException(f"the CPU's outputs could not be computed:\n{done.stderr[-3000:]}")
        return np.load(target)


def _array(tensor: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32"))


@contextmanager
def full_precision() -> Iterator[None]:
    """Products of float32 in float32, which accelerators shorten by default."""
    import keras

    match keras.backend.backend():
        case "jax":
            import jax

            with jax.default_matmul_precision("highest"):
                yield
        case "torch":
            from torch.backends import cuda, cudnn

            before = cuda.matmul.allow_tf32, cudnn.allow_tf32
            cuda.matmul.allow_tf32 = cudnn.allow_tf32 = False
            try:
                yield
            finally:
                cuda.matmul.allow_tf32, cudnn.allow_tf32 = before
        case _:
            from tensorflow.config import experimental

            before = experimental.tensor_float_32_execution_enabled()
            experimental.enable_tensor_float_32_execution(False)
            try:
                yield
            finally:
                experimental.enable_tensor_float_32_execution(before)


def agreement(net: Net, dtypes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The largest difference to the CPU, relative to the largest output."""
    import numpy as np

    reference = on_cpu(net)
    images = net.images(COMPARED)
    found = []

    def compare(what: str, outputs: Any, bar: float) -> None:
        difference = float(np.abs(_array(outputs) - reference).max() / np.abs(reference).max())
        found.append({"what": what, "difference": difference, "bar": bar, "met": difference <= bar})

    with full_precision():
        compare("float32, full products", net.built("float32").predict_on_batch(images), EXACT)
    for dtype in dtypes:
        compare(f"{dtype}, as it is", net.built(dtype).predict_on_batch(images), MIXED)
    return found


# -- times -----------------------------------------------------------------------------------------


def times(net: Net, dtype: str, batch: int, steps: int, warmup: int, jit: bool | str, tick: Any) -> dict[str, Samples]:
    """Seconds of single steps, built and by hand in turns."""
    import keras
    import numpy as np

    models = {"resspec": net.built(dtype)}
    if net.data_format == "channels_last":
        from handwritten import carry_over

        models["by hand"] = net.by_hand(dtype)
        carry_over(models["resspec"], models["by hand"])
    x = keras.ops.convert_to_tensor(net.images(batch))
    y = keras.ops.convert_to_tensor(np.random.default_rng(1).integers(0, 1000, batch, dtype=np.int32))
    for model in models.values():
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), loss, jit_compile=jit)
    kinds = {
        "inference": {who: lambda model=model: model.predict_on_batch(x) for who, model in models.items()},
        "training step": {who: lambda model=model: model.train_on_batch(x, y) for who, model in models.items()},
    }
    found = {}
    for kind, calls in kinds.items():
        for call in calls.values():
            for _ in range(warmup):
                call()
                tick()
        timed = {who: lambda call=call: seconds(call) for who, call in calls.items()}
        found[kind] = rounds(timed, steps, tick)
    return found


def device() -> dict[str, Any]:
    """The backend and what it computes on."""
    import keras

    backend = keras.backend.backend()
    match backend:
        case "jax":
            import jax

            first = jax.devices()[0]
            name, accelerator = first.device_kind, first.platform != "cpu"
        case "torch":
            import torch

            accelerator = torch.cuda.is_available()
            name = torch.cuda.get_device_name() if accelerator else "cpu"
        case _:
            import tensorflow as tf

            cards = tf.config.list_physical_devices("GPU")
            accelerator = bool(cards)
            name = tf.config.experimental.get_device_details(cards[0]).get("device_name", "GPU") if cards else "cpu"
    return {"backend": backend, "device": name, "accelerator": accelerator}


def measured(
    net: Net, dtypes: tuple[str, ...], batch: int, steps: int, warmup: int, jit: bool | str, tick: Any
) -> dict[str, Any]:
    rows = []
    for dtype in dtypes:
        for kind, samples in times(net, dtype, batch, steps, warmup, jit, tick).items():
            medians = {who: statistics.median(several) for who, several in samples.items()}
            ours, theirs = medians["resspec"], medians.get("by hand")
            rows.append(
                {
                    "dtype": dtype,
                    "what": kind,
                    "resspec": ours,
                    "by_hand": theirs,
                    "ratio": ours / theirs if theirs else None,
                    "images_per_second": batch / ours,
                }
            )
    return {
        **device(),
        **net._asdict(),
        "batch": batch,
        "steps": steps,
        "jit": jit,
        "versions": versions(),
        "agreement": agreement(net, dtypes),
        "times": rows,
    }


def show(found: dict[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    where = found["device"] if found["accelerator"] else f"{found['device']}, no accelerator"
    size = f"{found['batch']} x {found['side']} x {found['side']} x 3"
    console.print(f"{found['spec']} {found['depth']}, {size}, {found['backend']} on {where}")
    table = Table("dtype", "what", "resspec", "by hand", "ratio", "images/s", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in found["times"]:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.3f}"
        rate = f"{row['images_per_second']:,.1f}"
        table.add_row(row["dtype"], row["what"], amount(row["resspec"]), amount(row["by_hand"]), ratio, rate)
    console.print(table)
    table = Table("outputs against the CPU's", "difference", "bar", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for row in found["agreement"]:
        verdict = "met" if row["met"] else "[red]missed[/]"
        table.add_row(row["what"], f"{row['difference']:.1e}", f"{row['bar']:.0e}", verdict)
    console.print(table)


@click.command()
@click.option("--spec", type=click.Choice(["resnet_v2", "densenet"]), default="resnet_v2", show_default=True)
@click.option("--depth", type=int, help="50 for resnet_v2, 121 for densenet.")
@click.option("--size", "side", type=click.IntRange(min=32), default=224, show_default=True, help="Side of an image.")
@click.option("--batch", type=click.IntRange(min=1), default=64, show_default=True)
@click.option("--steps", type=click.IntRange(min=1), default=50, show_default=True, help="Timed steps of each model.")
@click.option("--warmup", type=click.IntRange(min=1), default=5, show_default=True, help="Steps before them.")
@click.option("--dtype", "dtypes", multiple=True, default=("float32", "mixed_bfloat16"), show_default=True)
@click.option("--data-format", type=click.Choice(["channels_last", "channels_first"]), default="channels_last")
@click.option("--jit/--no-jit", default=None, help="Compile the steps; Keras decides by default.")
@click.option("--backend", type=click.Choice(BACKENDS), help="KERAS_BACKEND by default.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write what was measured to a JSON file.")
@click.option("--quick", is_flag=True, help="A small network and few steps: whether it runs, not how fast.")
@click.option("--outputs", hidden=True)
def main(
    spec: str,
    depth: int | None,
    side: int,
    batch: int,
    steps: int,
    warmup: int,
    dtypes: tuple[str, ...],
    data_format: str,
    jit: bool | None,
    backend: str | None,
    out: str | None,
    quick: bool,
    outputs: str | None,
) -> None:
    """Check and time a built model on the device that Keras sees; 1 if outputs disagree."""
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if outputs is not None:
        import numpy as np

        target, *fields = json.loads(outputs)
        net = Net(*fields)
        np.save(target, _array(net.built("float32").predict_on_batch(net.images(COMPARED))))
        return
    depth = depth or {"resnet_v2": 50, "densenet": 121}[spec]
    if quick:
        depth, side, batch, steps, warmup = {"resnet_v2": 18}.get(spec, depth), 32, 2, 2, 1
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} steps"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"{spec} {depth}", total=None)
        found = measured(
            Net(spec, depth, side, data_format),
            dtypes,
            batch,
            steps,
            warmup,
            "auto" if jit is None else jit,
            lambda: progress.advance(task),
        )
    if out is not None:
        Path(out).write_text(json.dumps(found, indent=2) + "\n")
    show(found)
    if not all(row["met"] for row in found["agreement"]):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
