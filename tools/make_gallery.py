"""Draw every shipped spec for `docs/gallery/`: `python tools/make_gallery.py`; `--check` says what is not current."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import resspec
from resspec.render.figure import Figure
from resspec.render.svg import svg

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "gallery"

MORE = {
    "resnet_v2-stages": ("resnet_v2", {"level": "stages"}, "`--level stages`"),
    "densenet201": ("densenet@densenet201", {}, "the variant `densenet201`"),
    "resnet34": ("resnet@resnet34", {}, "the variant `resnet34`"),
}
"""figures besides the default one of every spec: name -> (spec, options, what is special)"""

HEAD = """\
# Gallery

Made by `make gallery`: every shipped spec as `resspec render NAME` draws it, and a few more. The layout is chosen by
the network itself; blocks of equal structure are drawn once, with the number of times.
"""


def figures() -> dict[str, tuple[str, Figure, str]]:
    """Name -> (spec, figure, note)."""
    found = {name: (name, Figure(resspec.load(name)), "") for name in resspec.shipped()}
    for name, (spec, options, note) in MORE.items():
        found[name] = (spec, Figure(resspec.load(spec), **options), note)
    return found


def pages() -> dict[str, str]:
    """File name -> content of everything in the folder."""
    found = {}
    text = [HEAD]
    for name, (spec, figure, note) in figures().items():
        found[f"{name}.svg"] = svg(figure.scene())
        text.append(f"## {name}\n\n`resspec render {spec}`{', ' + note if note else ''}\n\n![{name}]({name}.svg)\n")
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
