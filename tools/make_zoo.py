"""Write docs/zoo.md: every shipped variant, what it costs, and how close it comes to its reference.

    python tools/make_zoo.py                      from docs/parity.json
    python tools/make_zoo.py --results a.json b.json   from results of tools/parity.py, which it keeps there

Counts come from the specs, accuracies from the `meta` of the specs, differences from tools/parity.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from resspec import api
from resspec.analysis import legal
from resspec.cli.output import summarized

DOCS = Path(__file__).resolve().parent.parent / "docs"
SIDE = 256
"""for unknown sizes, the nearest legal one to this"""

KEPT = DOCS / "parity.json"

HEAD = """\
# The zoo

Made by `make zoo`. A reference is a network of another library with the same weights: random ones, with random
statistics of batch normalization, saved by that library and read through the map beside the spec. The difference is
max |a - b| / max |a| of the outputs, the largest of three input sizes (of one where it says so) and of the backends
named, in float32; the bar is 1e-5. `make test-parity` measures all of it anew. `-p` behind a reference is what the
variant needs besides, to be the same network and to read its files. Parameters are those that are trained;
multiply-adds (MACs) are for one example of the size named. Accuracies are those of the paper or library that is named,
not of weights that come with resspec: there are none.
"""


def page(results: list[dict[str, Any]]) -> str:
    """The whole text."""
    return HEAD + "\n".join(rows(results)) + "\n"


def rows(results: list[dict[str, Any]]) -> list[str]:
    """A heading and a table for each family."""
    held: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in results:
        held[one["spec"]].append(one)
    lines = []
    for name in api.shipped():
        opened = api.open_source(name)
        meta = opened.document.spec.meta
        top1 = meta.get("top1", {})
        source = f" Top-1: {meta['top1_source']}." if top1 and meta.get("top1_source") else ""
        lines += ["", f"## {name}", "", f"[{meta['paper']}]({meta['url']}).{source}", ""]
        lines += [
            "| variant | input | parameters | MACs | top-1 | reference | difference |",
            "|---|---|--:|--:|--:|---|--:|",
        ]
        for variant in opened.document.spec.variants or [None]:
            network = api.network(opened, variant=variant)
            at = {unknown: legal.around(network, unknown, SIDE, 1)[0] for unknown in network.domains}
            summary = summarized(network, at)
            sizes = " ".join("x".join(map(str, one.shape)) for one in legal.choice(network, at).inputs.values())
            label = f"{name}@{variant}" if variant else name
            references, differences = told([*held[label], *(held[name] if variant == name else [])])
            macs = "" if summary.macs is None else f"{summary.macs / 1e9:.3f} G"
            accuracy = top1.get(variant or name, "")
            lines.append(
                f"| `{variant or name}` | {sizes} | {summary.params.trainable:,} | {macs} | {accuracy} "
                f"| {references} | {differences} |"
            )
    return lines


def told(results: list[dict[str, Any]]) -> tuple[str, str]:
    """The references of a variant, and the largest difference to each with its backends."""
    labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in results:
        labels[" ".join([one["label"], *wishes(one.get("params", {}))])].append(one)
    differences = []
    for several in labels.values():
        worst = max(one["difference"] for one in several)
        backends = ", ".join(dict.fromkeys(one["backend"] for one in several))
        backends += ", one size" * all(len(one["sizes"]) == 1 for one in several)
        differences.append(f"{worst:.1e} ({backends})" if worst else f"0 ({backends})")
    return "<br>".join(labels), "<br>".join(differences)


def wishes(params: dict[str, Any]) -> list[str]:
    """What has to be asked for. Numbers are only the sizes that were measured."""
    found = {name: str(value).lower() if isinstance(value, bool) else value for name, value in params.items()}
    return [f"`-p {name}={value}`" for name, value in found.items() if isinstance(value, str)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", nargs="+", type=Path, help="results of tools/parity.py")
    parser.add_argument("--print", action="store_true", dest="show", help="print the page instead of writing it")
    options = parser.parse_args()
    if options.results:
        results = [one for path in options.results for one in json.loads(path.read_text())]
    else:
        results = json.loads(KEPT.read_text())
    if options.show:
        print(page(results), end="")
        return 0
    kept = [{key: value for key, value in one.items() if key != "seconds"} for one in results]
    KEPT.write_text("[\n" + ",\n".join(json.dumps(one) for one in kept) + "\n]\n")
    (DOCS / "zoo.md").write_text(page(results))
    print(f"docs/zoo.md: {len(results)} measurements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
