"""What resspec costs, as ratios in one run: `python tools/bench.py`.

Every figure is a median of at least five, and what is compared takes turns (A B, B A, ...), so that the
noise of a shared machine hits both. Parts run in processes of their own, one for every Keras backend.

    python tools/bench.py --backend tensorflow --backend jax --write docs/performance.md
    python tools/bench.py --quick --only core --json
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import click

HERE = Path(__file__).resolve()
BEGIN, END = "<!-- bench {part}: begin -->", "<!-- bench {part}: end -->"
"""what stands between is one part of the figures, so that each part says when and where it was measured"""
BACKENDS = ("tensorflow", "jax", "torch")

CHECK, SUMMARY = 0.10, 0.12
"""whole processes, against `import keras`"""
HUNDRED = 1.0
"""s, check of a hundred variants"""
WARM = 0.020
"""s, load and summary of ResNet-200"""
GROWTH = 12.0
"""cost of ten times as many units"""
BUILD = {"tensorflow": 0.60, "jax": 0.80, "torch": 0.80}
MEMORY = 1.05
STEP = 1.02
STEPS_TIME = 40.0
"""s, about what the steps of one kind may take"""


class Net(NamedTuple):
    """A network to build: the spec, its depth, and the nearest model of keras.applications."""

    label: str
    spec: str
    depth: int
    nearest: str


NETS = (Net("ResNet-200", "resnet_v2", 200, "ResNet152V2"), Net("DenseNet-201", "densenet", 201, "DenseNet201"))
SMALL = (Net("ResNet-50", "resnet_v2", 50, "ResNet50V2"), Net("DenseNet-121", "densenet", 121, "DenseNet121"))

Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Row:
    """One line of the table. `figure` is what `bar` bounds: a ratio, or a number in `unit`."""

    part: str
    what: str
    ours: float
    against: str
    theirs: float | None
    figure: float
    bar: float | None = None
    spread: tuple[float, float] | None = None
    """least and greatest ratio of one round"""
    unit: str = "s"
    """of `ours` and `theirs`: s, bytes"""

    @property
    def verdict(self) -> str:
        return "" if self.bar is None else "met" if self.figure <= self.bar else "missed"


def compared(part: str, what: str, samples: Samples, ours: str, theirs: str, **more: Any) -> Row:
    """The ratio of two medians, and how far single rounds lie apart."""
    a, b = samples[ours], samples[theirs]
    rounds = [x / y for x, y in zip(a, b)]
    mine, other = statistics.median(a), statistics.median(b)
    return Row(part, what, mine, theirs, other, mine / other, spread=(min(rounds), max(rounds)), **more)


def rounds(calls: Mapping[str, Callable[[], float]], repeat: int, tick: Callable[[], None]) -> Samples:
    """What every call measures, `repeat` times, in turns; every other round backwards."""
    found: Samples = {name: [] for name in calls}
    for i in range(repeat):
        for name in reversed(calls) if i % 2 else calls:
            found[name].append(calls[name]())
            tick()
    return found


def seconds(call: Callable[[], Any]) -> float:
    gc.collect()
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


# -- parts: each yields rows, and runs others of its kind in workers ------------------------------


class Run(NamedTuple):
    """How a run measures: how often, how large, and whom it tells about progress."""

    repeat: int
    quick: bool
    backends: tuple[str, ...]
    say: Callable[[str], None]
    tick: Callable[[], None]

    def worker(self, name: str, *arguments: Any, backend: str = "tensorflow") -> Any:
        """What `worker_<name>(repeat, quick, *arguments)` gives in a fresh process."""
        command = [sys.executable, str(HERE), "--worker", json.dumps([name, self.repeat, self.quick, *arguments])]
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                command, env=_environment(backend), stdout=subprocess.PIPE, stderr=errors, text=True
            )
            assert process.stdout is not None
            result = None
            for line in process.stdout:
                if line.startswith("tick"):
                    self.tick()
                elif line.startswith("result "):
                    result = json.loads(line.removeprefix("result "))
            if process.wait() or result is None:
                errors.seek(0)
                raise click.ClickException(f"{name} on {backend} failed:\n{errors.read()[-3000:]}")
        return result


def processes(run: Run) -> Iterator[Row]:
    """Whole processes of the command line against a Python that imports Keras."""
    names = ["resnet_v2"] if run.quick else _shipped()
    script = Path(sys.executable).with_name("resspec")
    resspec = [str(script)] if script.exists() else [sys.executable, "-m", "resspec.cli"]
    keras = "import keras"
    commands = {keras: [sys.executable, "-c", keras]}
    for command in ("check", "summary"):
        commands |= {f"resspec {command} {name}": [*resspec, command, name] for name in names}
    commands["resspec sizes unet --near 512"] = [*resspec, "sizes", "unet", "--near", "512"]
    with tempfile.TemporaryDirectory() as folder:

        def process(command: Sequence[str]) -> None:
            subprocess.run(command, check=True, cwd=folder, env=_environment("tensorflow"), **_SILENT)

        run.say("processes")
        for command in commands.values():
            process(command)
        calls = {name: lambda command=command: seconds(lambda: process(command)) for name, command in commands.items()}
        samples = rounds(calls, run.repeat, run.tick)
    for name in commands:
        if name != keras:
            bar = CHECK if " check " in name else SUMMARY if name.endswith(" resnet_v2") else None
            yield compared("process", f"`{name}`", samples, name, keras, bar=bar)


def core(run: Run) -> Iterator[Row]:
    """What needs no Keras, in one process."""
    run.say("checks and summaries")
    times, variants = [], 0
    for _ in range(run.repeat):
        spent, variants = run.worker("check_all")
        times.append(spent)
    hundred = 100 * statistics.median(times) / variants
    what = f"check of all shipped specs ({variants} variants), for a hundred variants"
    yield Row("core", what, hundred, "", None, hundred, HUNDRED)
    warm = statistics.median(run.worker("warm"))
    yield Row("core", "load and summary of ResNet-200, warm", warm, "", None, warm, WARM)
    samples = run.worker("growth")
    small, large = samples
    what = f"load and summary of {large}, ten times as many units"
    yield compared("core", what, samples, large, small, bar=GROWTH)


def build(run: Run) -> Iterator[Row]:
    """A model against the same by hand, and against the nearest of keras.applications."""
    for backend in run.backends:
        run.say(f"builds on {backend}")
        for net in SMALL if run.quick else NETS:
            samples = run.worker("build", net, backend=backend)
            part = f"build, {backend}"
            bar = BUILD[backend]
            yield compared(part, net.label, samples, "resspec", "by hand", bar=bar)
            yield compared(part, net.label, samples, "resspec", f"keras.applications.{net.nearest}")
            what = f"{net.label} with weights from a file"
            yield compared(part, what, samples, "resspec, weights", "by hand, load_weights", bar=bar)


def memory(run: Run) -> Iterator[Row]:
    """The first build of a process: how much memory it takes above what was there, and how long."""
    for backend in run.backends:
        run.say(f"memory on {backend}")
        for net in SMALL[:1] if run.quick else NETS:
            found = {"resspec": [], "by hand": []}
            for i in range(run.repeat):
                for who in reversed(found) if i % 2 else found:
                    found[who].append(run.worker("first", net, who, backend=backend))
                    run.tick()
            space = {who: [one["bytes"] for one in several] for who, several in found.items()}
            spent = {who: [one["seconds"] for one in several] for who, several in found.items()}
            part = f"first build, {backend}"
            yield compared(part, f"{net.label}, peak memory", space, "resspec", "by hand", bar=MEMORY, unit="bytes")
            yield compared(part, f"{net.label}, time", spent, "resspec", "by hand", bar=BUILD[backend])


def steps(run: Run) -> Iterator[Row]:
    """Inference and training of a small variant, against the twin by hand."""
    for backend in run.backends:
        run.say(f"steps on {backend}")
        for net in SMALL[:1] if run.quick else SMALL:
            for what, samples in run.worker("steps", net, backend=backend).items():
                bar = None if run.quick else STEP
                yield compared(f"steps, {backend}", f"{net.label}, {what}", samples, "resspec", "by hand", bar=bar)


PARTS = {"processes": processes, "core": core, "build": build, "memory": memory, "steps": steps}


# -- workers: what runs in a process of its own ----------------------------------------------------


def tick() -> None:
    print("tick", flush=True)


def worker_check_all(repeat: int, quick: bool) -> tuple[float, int]:
    """(seconds, variants): the first check of everything in a process that has imported resspec."""
    from resspec import api

    names = api.shipped()
    variants = sum(len(api.open_source(name).document.spec.variants) or 1 for name in names)
    spent = seconds(lambda: [api.check(name) for name in names])
    tick()
    return spent, variants


def worker_warm(repeat: int, quick: bool) -> list[float]:
    call = _summarized("resnet_v2", 200)
    for _ in range(3):
        call()
    return rounds({"warm": lambda: seconds(call)}, 5 * repeat, tick)["warm"]


def worker_growth(repeat: int, quick: bool) -> Samples:
    """Times of a network, and of one with ten times as many units."""
    import resspec

    depths = (20, 182) if quick else (110, 1082)
    sizes = [len(resspec.load("resnet_cifar", depth=depth).nodes) for depth in depths]
    calls = {f"{size:,} ops": _summarized("resnet_cifar", depth) for size, depth in zip(sizes, depths)}
    for call in calls.values():
        call()
    timed = {name: lambda call=call: seconds(call) for name, call in calls.items()}
    return rounds(timed, 3 * repeat, tick)


def _summarized(name: str, depth: int) -> Callable[[], Any]:
    import resspec

    return lambda: resspec.load(name, depth=depth).summary()


def worker_build(repeat: int, quick: bool, net: Sequence[Any]) -> Samples:
    """Seconds of builds in a warm process, the session cleared between them."""
    import keras

    _, spec, depth, nearest = net
    by_hand, ours = _builders(spec, depth)
    theirs = getattr(keras.applications, nearest)
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for who, make in (("by hand", by_hand), ("resspec", ours)):
            files[who] = f"{folder}/{len(files)}.weights.h5"
            make().save_weights(files[who])
        calls = {
            "resspec": ours,
            "by hand": by_hand,
            f"keras.applications.{nearest}": lambda: theirs(weights=None),
            "resspec, weights": lambda: ours(weights=files["resspec"]),
            "by hand, load_weights": lambda: by_hand().load_weights(files["by hand"]),
        }

        def timed(call: Callable[[], Any]) -> float:
            keras.utils.clear_session()
            return seconds(call)

        for call in calls.values():
            timed(call)
        return rounds({name: lambda call=call: timed(call) for name, call in calls.items()}, repeat, tick)


def worker_first(repeat: int, quick: bool, net: Sequence[Any], who: str) -> dict[str, float]:
    """Bytes and seconds of the first build in a process where Keras and resspec are imported and have worked."""
    import keras

    _, spec, depth, _ = net
    by_hand, ours = _builders(spec, depth)
    call = ours if who == "resspec" else by_hand
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    gc.collect()
    kept = []
    before = _peak_so_far(reset=True)
    spent = seconds(lambda: kept.append(call()))
    return {"bytes": _peak_so_far() - before, "seconds": spent}


def worker_steps(repeat: int, quick: bool, net: Sequence[Any]) -> dict[str, Samples]:
    """Seconds of `predict_on_batch` and `train_on_batch`, both models with the same weights and data."""
    import keras
    import numpy as np
    from handwritten import carry_over, twin

    import resspec

    _, spec, depth, _ = net
    side, batch = (32, 2) if quick else (64, 8)
    models = {
        "resspec": resspec.build(spec, depth=depth, inputs={"image": [side, side, 3]}),
        "by hand": twin(spec, depth, shape=(side, side, 3)),
    }
    carry_over(models["resspec"], models["by hand"])
    random = np.random.default_rng(0)
    x = random.standard_normal((batch, side, side, 3), np.float32)
    y = random.integers(0, 1000, batch)
    for model in models.values():
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), loss)  # jit_compile is "auto"
    kinds = {
        "inference": {who: lambda model=model: model.predict_on_batch(x) for who, model in models.items()},
        "training step": {who: lambda model=model: model.train_on_batch(x, y) for who, model in models.items()},
    }
    found = {}
    for kind, calls in kinds.items():
        for call in calls.values():
            for _ in range(3):
                call()
        timed = {who: lambda call=call: seconds(call) for who, call in calls.items()}
        # many where they are quick, fewer where a backend takes its time
        several = min(8 * repeat, max(repeat, int(STEPS_TIME / sum(call() for call in timed.values()))))
        found[f"{kind} of {batch} x {side} x {side}"] = rounds(timed, several, tick)
    return found


def _builders(spec: str, depth: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    from handwritten import twin

    import resspec

    return lambda: twin(spec, depth), lambda **options: resspec.build(spec, depth=depth, **options)


def _peak_so_far(*, reset: bool = False) -> int:
    """Bytes that this process held at most; with `reset`, from now on, where the system can do that."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# -- where, and how it is shown --------------------------------------------------------------------

_SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _environment(backend: str) -> dict[str, str]:
    """That of a user who installed the packages: their modules are compiled."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}


def _shipped() -> list[str]:
    from resspec import shipped

    return shipped()


def machine() -> dict[str, Any]:
    """What the figures were measured on; no names of hosts or people."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        processor = platform.processor() or platform.machine()
    found = {"processor": processor, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}
    with suppress(OSError, ValueError, AttributeError):
        found["memory_gib"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    return found


def load() -> float | None:
    """How many processes wanted to run in the last minute, our own included."""
    try:
        return round(os.getloadavg()[0], 1)
    except (OSError, AttributeError):
        return None


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("resspec", "keras", "numpy", "pydantic", *BACKENDS):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def amount(value: float | None, unit: str = "s") -> str:
    """`3.71 s`, `412 ms`, `263 MB`."""
    if value is None:
        return ""
    if unit == "bytes":
        return f"{value / 1e6:,.0f} MB"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms" if value < 0.1 else f"{value * 1000:.0f} ms"


def cells(row: Row) -> tuple[str, ...]:
    """What the table shows: part, what, ours, theirs, the figure with its spread, bar, verdict."""
    if row.theirs is None:
        return row.part, row.what, amount(row.ours), "", "", amount(row.bar), row.verdict
    low, high = row.spread or (row.figure, row.figure)
    figure = f"{_ratio(row.figure)} ({_ratio(low)} to {_ratio(high)})"
    bar = "" if row.bar is None else f"{row.bar:g}"
    ours, theirs = amount(row.ours, row.unit), amount(row.theirs, row.unit)
    return row.part, row.what, ours, f"{theirs} {row.against}", figure, bar, row.verdict


def _ratio(value: float) -> str:
    return f"{value:.3f}" if 0.95 <= value < 1.1 else f"{value:.2f}"


TITLES = ("part", "what", "resspec", "against", "ratio (single rounds)", "bar", "")


def markdown(rows: Sequence[Row], repeat: int, before: float | None = None) -> str:
    """The machine, how busy it was (`before` the measurement and now), and the table, as in the documentation."""
    where, what = machine(), versions()
    busy = "" if before is None else f", load average {before} before and {load()} after"
    head = (
        f"{where['processor']}, {where['cores']} cores, {where.get('memory_gib', '?')} GiB of memory, "
        f"{where['system']}{busy}. {', '.join(f'{name} {version}' for name, version in what.items())}. "
        f"{repeat} rounds.\n\n"
    )
    lines = [TITLES, tuple(("---:" if title == "resspec" else "---") for title in TITLES), *map(cells, rows)]
    return head + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def written(text: str, part: str, table: str) -> str:
    """`text` with what stands between the two markers of a part replaced."""
    opening, closing = BEGIN.format(part=part), END.format(part=part)
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end:
        raise click.ClickException(f"the file has no lines {opening} and {closing}")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def show(rows: Sequence[Row]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*TITLES, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        colour = {"missed": "red", "met": "green"}.get(row.verdict, "")
        table.add_row(*cells(row)[:-1], f"[{colour}]{row.verdict}[/]" if colour else "")
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@click.command()
@click.option("--quick", is_flag=True, help="One round on small networks: whether it runs, not how fast.")
@click.option("--repeat", type=click.IntRange(min=1), help="Rounds; 5, or 1 with --quick.")
@click.option("--backend", "backends", type=click.Choice(BACKENDS), multiple=True, help="KERAS_BACKEND by default.")
@click.option("--only", type=click.Choice(list(PARTS)), multiple=True, help="Parts to run; all by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--write", "path", type=click.Path(exists=True, dir_okay=False), help="Write the tables into a page.")
@click.option("--worker", "work", hidden=True)
def main(
    quick: bool,
    repeat: int | None,
    backends: tuple[str, ...],
    only: tuple[str, ...],
    as_json: bool,
    path: str | None,
    work: str | None,
) -> None:
    """Measure resspec against Keras by hand, and print a table with bars and verdicts."""
    if work is not None:
        name, *arguments = json.loads(work)
        result = globals()[f"worker_{name}"](*arguments)
        print("result", json.dumps(result), flush=True)
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    repeat = repeat or (1 if quick else 5)
    backends = backends or (os.environ.get("KERAS_BACKEND", "tensorflow"),)
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed} measured"), TimeElapsedColumn())
    parts = {name: part for name, part in PARTS.items() if not only or name in only}
    page = Path(path) if path is not None else None
    if page is not None:
        for name in parts:
            written(page.read_text(), name, "")  # tells now, not minutes later, that there is no room for it
    rows: list[Row] = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        run = Run(
            repeat,
            quick,
            backends,
            lambda what: progress.update(task, description=what),
            lambda: progress.advance(task),
        )
        for name, part in parts.items():
            before = load()
            found = list(part(run))
            if page is not None:
                page.write_text(written(page.read_text(), name, markdown(found, repeat, before)))
            rows += found
    if as_json:
        data = [{**asdict(row), "verdict": row.verdict} for row in rows]
        click.echo(json.dumps({"machine": machine(), "load": load(), "versions": versions(), "rows": data}, indent=2))
    else:
        show(rows)


if __name__ == "__main__":
    main()
