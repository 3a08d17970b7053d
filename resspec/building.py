"""A network into a model file, with progress on the way: what `resspec build` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resspec.api import Network
from resspec.chain import deep_chain
from resspec.diagnostics import SpecError
from resspec.quiet import quietly

if TYPE_CHECKING:
    import keras  # noqa: TID251 -- for types only

    from resspec.weights.loading import Weights


@contextmanager
def weights_of(
    network: Network, path: str | None, weights_map: str | None, allow: Sequence[str], adapt: Mapping[str, str]
) -> Iterator[Weights | None]:
    """The weights of a file, all as they must be; None without a file. Raises SpecError."""
    if path is None:
        yield None
        return
    with network.weights_from(path, weights_map=weights_map, allow=allow, adapt=adapt) as found:
        try:
            yield found.require()
        except SpecError as error:  # the texts of the spec, so that its lines can be shown
            raise SpecError(error.diagnostics, {**network.sources, **error.sources}) from error.__cause__


def run(network: Network, target: Path, *, quiet: bool, **options: Any) -> tuple[keras.Model, Path]:
    """Build and save; the model and the path of its sidecar. `quiet` shows no progress."""
    from resspec.keras_backend.budget import check_budget

    options = {name: value for name, value in options.items() if value is not None}
    try:
        check_budget(network, **{k: v for k, v in options.items() if k == "max_parameters"})
    except SpecError as error:
        raise SpecError(error.diagnostics, dict(network.sources)) from None
    with _Progress(quiet) as progress:
        progress.say("importing Keras")
        with quietly():
            from resspec.keras_backend.save import save

        progress.say(f"building {network.name}")
        model = network.to_keras(progress=progress.step, **options)
        progress.say(f"writing {target}")
        assert network.document is not None
        _, sidecar = save(model, network, target, network.document.text)
    note = deep_chain(network)
    if note is not None:
        from resspec import report

        print(report.text([note], network.sources))
    return model, sidecar


class _Progress:
    """One line on the standard error that says what is being done; nothing when quiet."""

    def __init__(self, quiet: bool) -> None:
        self._bar: Any = None
        self._context: Any = nullcontext()
        if not quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = self._context = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> _Progress:
        self._context.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(*error)

    def say(self, what: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=what, total=None)

    def step(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)


def shapes(model: keras.Model) -> dict[str, tuple[int | None, ...]]:
    """Output name -> shape without the batch axis."""
    found = model.output
    if isinstance(found, dict):
        return {name: tuple(tensor.shape[1:]) for name, tensor in found.items()}
    return {model.output_names[0]: tuple(found.shape[1:])}
