"""The main job, end to end, on real data: `make demo`, or `python tools/demo.py`.

1. ResNet-200 from its spec: what it costs, built, saved, and run on a photograph.
2. ResNet-20 and its plain twin, from one spec, trained on scikit-learn's handwritten digits.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import resspec
from resspec import text
from resspec.quiet import quietly

console = Console(highlight=False)
ENOUGH = 20
"""epochs after which both networks have learnt what they can"""


def photograph() -> np.ndarray:
    """scikit-learn's `china.jpg`, the middle square at 224 x 224, channels centred: (1, 224, 224, 3)."""
    from PIL import Image
    from sklearn.datasets import load_sample_image

    pixels = load_sample_image("china.jpg")
    height, width, _ = pixels.shape
    left = (width - height) // 2
    square = Image.fromarray(pixels[:, left : left + height]).resize((224, 224), Image.Resampling.BILINEAR)
    return ((np.asarray(square, "float32") - 127.5) / 127.5)[None]


def large(spec: str) -> None:
    """Build the largest classifier of the zoo and run it once."""
    graph = resspec.load(spec)
    summary = graph.summary()
    console.rule(f"{graph.name}, from a spec of {len(graph.document.text.splitlines())} lines")
    console.print(text.summary_table(summary, 1, console.width))
    for what, how_much in text.facts(summary):
        console.print(f"{what:<16}{how_much}")
    with console.status("importing Keras and building"):
        started = time.monotonic()
        with quietly():
            import keras
        imported = time.monotonic()
        model = graph.to_keras()
        built = time.monotonic()
    console.print(f"\nbuilt in {built - imported:.1f} s, after {imported - started:.1f} s for importing Keras")
    assert model.count_params() == summary.params.total, "Keras counts other weights than the spec says"
    with console.status("running it on a photograph, and through a .keras file"):
        image = photograph()
        started = time.monotonic()
        logits = keras.ops.convert_to_numpy(model(image, training=False))
        took = time.monotonic() - started
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            model.save(path)
            again = keras.saving.load_model(path)(image, training=False)
    share = np.exp(logits - logits.max())
    share /= share.sum()
    assert np.isfinite(logits).all(), "the outputs are not finite"
    same = "equal" if np.array_equal(logits, keras.ops.convert_to_numpy(again)) else "NOT equal"
    console.print(f"a photograph of {image.shape[1:]} gives {logits.shape[1]} finite logits in {took:.1f} s")
    console.print(f"saved and loaded without resspec's help, its outputs are {same}")
    top = int(share.argmax())
    console.print(
        f"the likeliest class is {top}, at {share[0, top]:.1%}: the weights are random, so that means nothing yet"
    )


def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """1,797 handwritten digits of 8 x 8 pixels, four fifths to learn from: images (n, 8, 8, 1) and labels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels = (data.images[..., None] / 16).astype("float32"), data.target
    order = np.random.default_rng(0).permutation(len(images))
    cut = len(order) * 4 // 5
    train, test = order[:cut], order[cut:]
    return (images[train], labels[train]), (images[test], labels[test])


def train(variant: str, epochs: int, bar: Progress, compiled: bool) -> dict[str, Any]:
    """Train one variant of the CIFAR family on the digits; its losses and accuracies."""
    import keras

    (x, y), (x_test, y_test) = digits()
    keras.utils.set_random_seed(0)
    model = resspec.build(f"resnet_cifar@{variant}", inputs={"image": [8, 8, 1]})
    batch = 64
    steps = epochs * -(-len(x) // batch)
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.05, steps), momentum=0.9, nesterov=True),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=compiled,
    )
    task = bar.add_task(variant, total=steps, loss="compiling")

    class Bar(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            bar.update(task, advance=1, loss=f"loss {logs['loss']:.3f}" if logs else "")

    started = time.monotonic()
    history = model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0, callbacks=[Bar()]).history
    seconds = time.monotonic() - started
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    return {
        "network": variant,
        "parameters": model.count_params(),
        "loss": history["loss"][-1],
        "train": history["accuracy"][-1],
        "test": accuracy,
        "seconds": seconds,
    }


def small(epochs: int, compiled: bool) -> None:
    """The residual network beside its plain twin."""
    console.rule("ResNet-20 and its plain twin on handwritten digits")
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[loss]}"),
    )
    with Progress(*columns, console=console) as bar:
        results = [train(variant, epochs, bar, compiled) for variant in ("resnet20", "plain20")]
    table = Table(box=None, pad_edge=False)
    for title in ("network", "parameters", "training loss", "training accuracy", "test accuracy", "seconds"):
        table.add_column(title, justify="left" if title == "network" else "right")
    for row in results:
        table.add_row(
            row["network"],
            f"{row['parameters']:,}",
            f"{row['loss']:.4f}",
            f"{row['train']:.1%}",
            f"{row['test']:.1%}",
            f"{row['seconds']:.0f}",
        )
    console.print(table)
    console.print(
        "Same seed, data, schedule and number of weights; only the shortcuts differ, which have none. "
        + (
            "At 20 layers and on 8 x 8 digits the two end close together; that plain networks train worse as they grow "
            "deeper takes more layers than this to show."
            if epochs >= ENOUGH
            else "So few epochs show that both can be trained, and nothing else."
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", default="resnet_v2", help="the large network (a classifier of 224 x 224 images)")
    parser.add_argument("--epochs", type=int, default=25, help="passes over the 1,437 digits")
    parser.add_argument("--quick", action="store_true", help="ResNet-18 and two epochs, to see that everything works")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.spec, arguments.epochs = "resnet_v2@resnet18_v2", 2
    large(arguments.spec)
    small(arguments.epochs, compiled=not arguments.quick)


if __name__ == "__main__":
    main()
