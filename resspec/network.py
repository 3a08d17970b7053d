"""What `load` returns: a graph with the file it came from, and what can be made of it."""

from __future__ import annotations

import json
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resspec.analysis.summary import Summary, summarize
from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph
from resspec.language.document import Document
from resspec.plugin import Plugin

if TYPE_CHECKING:
    import keras  # noqa: TID251 -- for types only

    from resspec.weights.loading import Weights


@dataclass(frozen=True, repr=False)
class Network(Graph):
    """A graph with the file it came from: what `load` returns."""

    document: Document | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()
    plugins: tuple[Plugin, ...] = ()
    folder: Path = Path()
    """where the document lies, and what belongs to it"""

    def __repr__(self) -> str:
        return f"<resspec.Network {self.name}: {len(self.nodes)} nodes>"

    def summary(self, at: Mapping[str, int] | None = None) -> Summary:
        """Parameters, FLOPs, memory, receptive field, per block and in total; `at` fixes unknown sizes."""
        return summarize(self, at=at)

    def to_keras(
        self,
        *,
        weights: str | Path | Weights | None = None,
        weights_map: str | None = None,
        allow: Sequence[str] = (),
        adapt: Mapping[str, str] | None = None,
        **options: Any,
    ) -> keras.Model:
        """A flat functional `keras.Model` of built-in layers; options as in `resspec.build`."""
        from resspec.keras_backend.budget import check_budget

        try:
            check_budget(self, **{key: value for key, value in options.items() if key == "max_parameters"})
            with ExitStack() as stack:
                if isinstance(weights, str | Path):
                    weights = stack.enter_context(
                        self.weights_from(weights, weights_map=weights_map, allow=allow, adapt=adapt)
                    )
                    if weights.require().unsure:  # whoever opened them has seen it
                        python_warnings.warn(f"{weights.archive.path.name}: {weights.unsure}", stacklevel=2)
                if weights is not None:
                    options["values"] = weights.require().values(options.get("progress"))
                from resspec.keras_backend.build import build as to_model

                lower = {op: rule for plugin in self.plugins for op, rule in plugin.lower().items()}
                return to_model(self, lower=lower, **options)
        except SpecError as error:  # the texts are known here, so that the lines can be shown
            raise SpecError(error.diagnostics, {**self.sources, **error.sources}) from error.__cause__

    def weights_from(
        self,
        path: str | Path,
        *,
        weights_map: str | None = None,
        allow: Sequence[str] = (),
        adapt: Mapping[str, str] | None = None,
    ) -> Weights:
        """The weights of a file matched with this network; a context manager. Needs no Keras.

        `weights_map` names the names in the file (`torchvision`: a part of the map beside the spec) or a map
        elsewhere (`maps/net.weights.yaml#torchvision`); without it the one that fits is taken. `allow` are
        names, `*` for any characters, of what may keep its initial values or be left in the file;
        `adapt` says of paths how weights of another shape are made to fit: `channels` (of the input) or `fresh`.
        """
        from resspec.weights.home import Home
        from resspec.weights.loading import open_weights

        home = (
            None if self.document is None else Home(self.document, self.folder, self.params, self.sources, self.plugins)
        )
        return open_weights(self, path, home, weights_map=weights_map, allow=allow, adapt=adapt)

    def render(
        self,
        path: str | Path | None = None,
        *,
        family: str | None = None,
        level: str = "blocks",
        expand: Sequence[str] = (),
        at: Mapping[str, int] | None = None,
        shapes: str = "change",
        title: str = "",
        theme: str = "auto",
        scale: float = 2.0,
        width_mm: float | None = None,
    ) -> str | Path:
        """A figure of the network: the text of an SVG, or a file at `path` in the format of its suffix.

        `family` is a layout (None for the one that suits), `level` how much is opened (`stages`,
        `blocks`, `layers`, `full`), `expand` paths of blocks that are open besides, `at` values of
        unknown sizes, `shapes` which are written (`change`, `all`, `none`), `scale` pixels a unit for
        PNG, `width_mm` the width of a PDF. `SpecError` as `resspec.render.formats.draw` says.
        """
        from resspec.render.figure import Figure
        from resspec.render.formats import draw, write
        from resspec.render.paint.painters import Options

        figure = Figure(self, family, level, tuple(expand), at, shapes, title)
        options = Options(theme, scale, width_mm)
        if path is None:
            return draw(figure, ".svg", options).decode()
        write(figure, path, options)
        return Path(path)

    def _repr_svg_(self) -> str:
        """What a notebook shows that runs no scripts."""
        return str(self.render())

    def _repr_html_(self) -> str:
        """What a notebook shows: the interactive page, in a frame of its own."""
        from html import escape

        from resspec.render.figure import Figure
        from resspec.render.formats import draw
        from resspec.render.paint.painters import Options

        page = draw(Figure(self), ".html", Options()).decode()
        return (
            f'<iframe srcdoc="{escape(page)}" title="{escape(self.name)}" sandbox="allow-scripts" '
            'style="width:100%;height:640px;border:0"></iframe>'
        )

    def to_json(self) -> str:
        """The canonical form as JSON text; the same spec gives the same bytes."""
        return json.dumps(self.to_dict(), indent=2) + "\n"
