"""Write the tables of README.md between their markers: `python tools/readme_tables.py`.

No number in them is typed by hand: commands come from the command line, counts from the specs.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from resspec import api, files
from resspec.cli import main
from resspec.weights import naming

TARGET = Path(__file__).resolve().parent.parent / "README.md"


def table_of_commands() -> str:
    """Command and the first line of its help, in the order of the command line."""
    lines = ["| command | what it does |", "|---|---|"]
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None, name
        text = (command.help or "").strip().split("\n\n")[0].replace("\n", " ")
        lines.append(f"| `resspec {name}` | {text} |")
    return "\n".join(lines)


def table_of_specs() -> str:
    """Spec, its variants with the range of their trainable parameters, whose names its map of weights knows, source."""
    lines = ["| spec | input | variants | parameters | weights of | from |", "|---|---|--:|---|---|---|"]
    for name in api.shipped():
        opened = api.open_source(name)
        variants = opened.document.spec.variants or [None]
        summaries = [api.network(opened, variant=variant).summary() for variant in variants]
        counts = sorted({summary.params.trainable for summary in summaries})
        least, most = short(counts[0]), short(counts[-1])
        inputs = ", ".join(" x ".join(map(str, one.shape)) for one in summaries[0].inputs.values())
        path = files.SHIPPED / f"{name}{api.MAP}"
        known = ", ".join(naming.parse(path.read_text(), path.name).namings) if path.exists() else ""
        meta = opened.document.spec.meta
        lines.append(
            f"| `{name}` | {inputs} | {len(summaries)} | {least if least == most else f'{least} to {most}'} "
            f"| {known} | [{meta['paper']}]({meta['url']}) |"
        )
    return "\n".join(lines)


def short(count: int) -> str:
    """`25.6 M`."""
    return f"{count / 1e6:,.1f} M" if count >= 1e6 else f"{count / 1e3:,.0f} k"


def table_of_blocks() -> str:
    """The shipped blocks that specs may use."""
    lines = ["| block | what it is |", "|---|---|"]
    for path in sorted((files.SHIPPED / "blocks").glob("*.yaml")):
        for name, block in api.open_source(path).document.spec.blocks.items():
            if block.doc:  # the others are parts of these
                lines.append(f"| `resspec:blocks/{path.name}#{name}` | {block.doc} |")
    return "\n".join(lines)


TABLES = {"commands": table_of_commands, "specs": table_of_specs, "blocks": table_of_blocks}


def filled(text: str) -> str:
    """The text with every table made anew."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        assert text.count(begin) == text.count(end) == 1, name
        content = f"{begin}\n\n{table()}\n\n{end}"
        text = re.sub(rf"{begin}.*?{end}", lambda _, content=content: content, text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    TARGET.write_text(filled(TARGET.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{TARGET.name}: {', '.join(TABLES)}")
