"""From a graph to a figure: which blocks are open, which layout, which sizes. The one door to the layouts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import inf

from resspec.analysis import legal
from resspec.diagnostics import Diagnostic, SpecError
from resspec.graph import Graph
from resspec.render.layout.boxes import Boxes
from resspec.render.layout.compose import Composer
from resspec.render.layout.page import MARGIN, page
from resspec.render.layout.pieces import Piece
from resspec.render.layout.spine import spine
from resspec.render.scene import Scene
from resspec.render.view.view import LEVELS, MOST, Cell, Viewer

Layout = Callable[[Composer, Cell], Piece | None]

FAMILIES = ("spine", "u", "hourglass", "streams", "arcs", "plan", "full")
"""layouts that can be asked for; `full` is the spine of every layer, nothing folded"""

LONG = 1.45
"""height over width of a page, the text of a paper"""

NESTED = ("u", "hourglass", "streams")
"""layouts that are chosen by themselves where they apply"""

NEAR = 512
"""size that an unknown one is drawn with if it is legal, else the nearest legal one"""


@dataclass(frozen=True, slots=True)
class Figure:
    """What to draw: a graph and how."""

    graph: Graph
    family: str | None = None
    """a layout; None chooses by the graph"""
    level: str = "blocks"
    expand: tuple[str, ...] = ()
    """paths of blocks that are open in any case"""
    at: Mapping[str, int] | None = None
    shapes: str = "change"
    """which shapes are written: `change`, `all` or `none`"""
    title: str = ""
    room: float = inf
    """px of width that the page has: at the level `blocks` no more is opened than has room"""

    def scene(self) -> Scene:
        """The figure; `SpecError` with `family-refused` if the layout does not apply to this graph."""
        self.check()
        at = sizes(self.graph, self.at or {})
        boxes = Boxes(self.graph, at, self.shapes)
        scene = None
        for most in (MOST,) if self.room == inf or self.level != "blocks" else (MOST, 70, 35, 18, 0):
            composer = Composer(boxes, self.room - 2 * MARGIN)
            scene = page(self.graph, self._piece(composer, most), at, title=self.title)
            if scene.width <= self.room and scene.height <= LONG * self.room:
                break
        assert scene is not None
        return scene

    def check(self) -> None:
        """`SpecError` if a size or a level cannot be."""
        refused = legal.refusal(self.graph, self.at or {})
        if refused is not None:
            raise SpecError([Diagnostic(refused.code, refused.message, help=refused.help)])
        _known("level", self.level, LEVELS)

    def root(self, most: int = MOST, viewer: Viewer | None = None) -> Cell:
        """The whole network as a cell: what is open at this level. `SpecError` with `unknown-name`."""
        level = "full" if self.family == "full" else self.level
        _known("level", level, LEVELS)
        _known("path to open", self.expand, self.graph.groups)
        return (viewer or Viewer(self.graph)).view(level, self.expand, most)

    def _piece(self, composer: Composer, most: int) -> Piece:
        if self.family is not None:
            _known("family", self.family, FAMILIES)
        viewer = Viewer(self.graph)
        root = self.root(most, viewer)
        # levels are drawn as boxes: nothing is opened by itself
        levels = self.root(0, viewer) if self.family in (None, *NESTED) else root
        for name, layout in _layouts().items():
            if self.family == name or (self.family is None and name in NESTED):
                piece = layout(composer, levels if name in NESTED else root)
                if piece is not None and (self.family == name or self._holds(piece)):
                    return piece
        if self.family not in (None, "spine", "full"):
            raise _refused(self.family, self.graph)
        return spine(composer, root)

    def _holds(self, piece: Piece) -> bool:
        """Whether a page has room for a figure, its title and its legend."""
        return piece.width + 2 * MARGIN <= self.room and piece.height + 5 * MARGIN <= LONG * self.room


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two networks side by side, aligned by resolution, differences marked."""

    left: Figure
    right: Figure

    def scene(self) -> Scene:
        """The figure. Levels and sizes are those of each side; `SpecError` as of a single one."""
        from resspec.render.layout.compare import compare

        for one in (self.left, self.right):
            one.check()
        names = (self.left.title or self.left.graph.name, self.right.title or self.right.graph.name)
        ats = [sizes(one.graph, one.at or {}) for one in (self.left, self.right)]
        return compare(self.left.graph, self.right.graph, *ats, level=self.left.level, names=names)


def _layouts() -> dict[str, Layout]:
    """Layouts besides the spine, which takes every graph. Read when a figure is made: each is a file of its own."""
    from resspec.render.layout.arcs import arcs
    from resspec.render.layout.plan import plan
    from resspec.render.layout.streams import streams
    from resspec.render.layout.ushape import hourglass, u

    return {"u": u, "hourglass": hourglass, "streams": streams, "arcs": arcs, "plan": plan}


def sizes(graph: Graph, wanted: Mapping[str, int]) -> dict[str, int]:
    """A legal value for every unknown size: the one that is wanted, or the one nearest to `NEAR`."""
    found = dict(wanted)
    for name, domain in graph.domains.items():
        if name not in found:
            below, above = domain.near(NEAR)
            found[name] = below or above or 1
    return found


def _known(what: str, given: str | Collection[str], known: Collection[str]) -> None:
    from resspec.suggest import did_you_mean

    for one in (given,) if isinstance(given, str) else given:
        if one not in known:
            message = f"there is no {what} `{one}`"
            raise SpecError([Diagnostic("unknown-name", message, help=did_you_mean(one, known, most=12))])


def _refused(family: str, graph: Graph) -> SpecError:
    return SpecError(
        [
            Diagnostic(
                "family-refused",
                f"`{graph.name}` cannot be drawn as `{family}`",
                help="leave the family out to have one chosen, or ask for `spine`, which takes every network",
            )
        ]
    )
