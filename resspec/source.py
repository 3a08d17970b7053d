"""Where a spec comes from: a file, or a shipped one by its name, with `@variant` behind it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resspec import files
from resspec.diagnostics import Diagnostic, SpecError
from resspec.language import document as documents
from resspec.language.document import Document
from resspec.suggest import did_you_mean, nearest

Source = str | Path


@dataclass(frozen=True)
class Opened:
    """A source that was found: its document, the files it uses, and the variant that its name asks for."""

    document: Document
    sources: dict[str, str]
    variant: str | None
    folder: Path = Path()
    """of the document; what it uses lies below it, what belongs to it beside it"""


def open_source(source: Source) -> Opened:
    """Read and parse a file, or a shipped spec by its name; `name@variant` picks a variant."""
    text = str(source)
    name, _, variant = text.partition("@") if not Path(text).exists() else (text, "", "")
    if "/" in name or name.endswith((".yaml", ".yml")) or isinstance(source, Path):
        path = Path(name)
        try:
            content = files.read_file(path)
        except files.FileProblem as problem:
            help = problem.help
            if problem.code == "file-not-found" and (near := nearest(path.name, files.beside(path))):
                help = f"did you mean `{path.with_name(near)}`?"
            raise SpecError([Diagnostic(problem.code, problem.message, help=help)]) from None
        folder = path.parent
        found, sources = documents.load(content, name, folder)
    else:
        try:
            _, content = files.read_below(files.SHIPPED, f"{name}.yaml")
        except files.FileProblem:
            known = shipped()
            here = next((f"./{name}{end}" for end in (".yaml", ".yml", "") if Path(f"{name}{end}").is_file()), None)
            near = (
                f"did you mean the file `{here}`?"
                if here
                else did_you_mean(name, known) or "`resspec list` names them all"
            )
            file = "a file is given with `/` or `.yaml` in its name"
            raise SpecError(
                [
                    Diagnostic(
                        "unknown-spec",
                        f"no spec named `{name}` is shipped",
                        help=f"{near}{'' if near.endswith('?') else ';'} {file}" if near else file,
                    )
                ]
            ) from None
        folder = files.SHIPPED
        found, sources = documents.load(content, f"{name}.yaml", folder)
    return Opened(found, sources, variant or None, folder)


def shipped() -> list[str]:
    """Names of the specs that come with the package."""
    return sorted(path.stem for path in files.SHIPPED.glob("*.yaml") if "." not in path.stem)
