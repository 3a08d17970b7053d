"""Draw shipped specs for `docs/gallery/`: `python tools/make_gallery.py`; `--check` says what is not current."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import resspec
from resspec.render.figure import Comparison, Figure
from resspec.render.paint.svg import svg

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "gallery"

NAMES = (
    "alexnet", "vgg", "resnet", "resnet_v2", "resnet_cifar", "densenet", "densenet_cifar", "nasnet",
    "efficientnet", "swin", "gpt2", "siamese", "unet", "attention_unet", "unetpp", "fpn", "hourglass", "hrnet",
)  # fmt: skip
"""specs that show something of their own, as they are drawn by default"""

MORE: dict[str, Callable[[], tuple[str, Figure | Comparison]]] = {
    "resnet34": lambda: ("resnet@resnet34", Figure(resspec.load("resnet@resnet34"))),
    "resnet34-beside-plain34": lambda: (
        "resnet@plain34 --compare resnet@resnet34",
        Comparison(Figure(resspec.load("resnet@plain34")), Figure(resspec.load("resnet@resnet34"))),
    ),
    "resnet200-stages": lambda: ("resnet_v2 --level stages", Figure(resspec.load("resnet_v2"), level="stages")),
    "resnet200-plan": lambda: ("resnet_v2 --family plan", Figure(resspec.load("resnet_v2"), "plan")),
    "densenet-arcs": lambda: ("densenet --family arcs", Figure(resspec.load("densenet"), "arcs")),
    "densenet201": lambda: ("densenet@densenet201", Figure(resspec.load("densenet@densenet201"))),
}
"""other figures: name -> what is asked for"""

HEAD = """\
# Gallery

Made by `make gallery`: specs as `resspec render NAME` draws them, and a few other figures. The layout is chosen by the
network itself; blocks of equal structure are drawn once, with the number of times. `resspec list` names all specs.
"""


def figures() -> dict[str, tuple[str, Figure | Comparison]]:
    """Name -> (what `render` is asked for, figure)."""
    found: dict[str, tuple[str, Figure | Comparison]] = {}
    for name in NAMES:
        found[name] = name, Figure(resspec.load(name))
    return found | {name: make() for name, make in MORE.items()}


def pages() -> dict[str, str]:
    """File name -> content of everything in the folder."""
    found = {}
    text = [HEAD]
    for name, (asked, figure) in figures().items():
        found[f"{name}.svg"] = svg(figure.scene())
        text.append(f"## {name}\n\n`resspec render {asked}`\n\n![{name}]({name}.svg)\n")
    found["README.md"] = "\n".join(text)
    return found


def stale() -> list[str]:
    """Files that are not what they would be now, or should not be there."""
    wanted = pages()
    there = {path.name for path in FOLDER.glob("*")}
    changed = [name for name, text in wanted.items() if name in there and (FOLDER / name).read_text() != text]
    return sorted({*changed, *(there ^ wanted.keys())})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which files are not current")
    if parser.parse_args().check:
        names = stale()
        print("\n".join(names) or "the gallery is current")
        sys.exit(bool(names))
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)
    print(f"{len(wanted)} files in {FOLDER.name}")


if __name__ == "__main__":
    main()
