"""One spec file, read and checked for form: text, located tree, model, and the files it uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from resspec import edits, files, limits, yamltree
from resspec.diagnostics import Diagnostic, Findings, Label, Span, SpecError
from resspec.language import errors
from resspec.language.schema import Block, InputDecl, Param, SpecFile, Step, attach
from resspec.suggest import Remedy, did_you_mean, nearest, renamed

SHIPPED_PREFIX = "resspec:"
_FROM_ROOT = "paths count from the folder of the spec that the command was given; `resspec:` means shipped files"


@dataclass(frozen=True, eq=False)
class Document:
    """A file of the language. `imports` holds the blocks that `use` brings: name -> (file, block)."""

    name: str
    text: str
    tree: yamltree.Tree
    spec: SpecFile
    imports: dict[str, tuple[Document, str]] = field(default_factory=dict)

    def span(self, *loc: str | int, key: bool = False) -> Span:
        return yamltree.locate(self.tree, loc, key=key)

    def block(self, name: str) -> tuple[Document, Block] | None:
        """The block `name` as this file sees it, with the file that it stands in."""
        if name in self.spec.blocks:
            return self, self.spec.blocks[name]
        if name in self.imports:
            document, original = self.imports[name]
            return document.block(original)
        return None

    @property
    def is_library(self) -> bool:
        """Whether the file holds blocks for others and no network."""
        return bool(self.spec.blocks) and not self.spec.inputs and not self.spec.graph

    @property
    def block_names(self) -> list[str]:
        return [*self.spec.blocks, *self.imports]


def parse(text: str, name: str) -> Document:
    """The text of one file as a document without imports; `SpecError` with all its mistakes of form."""
    tree = yamltree.parse(text, name)
    if not isinstance(tree, yamltree.Mapping):
        raise _failed(
            Diagnostic(
                "bad-spec",
                "a spec is a mapping that begins with `resspec: 1`",
                tree.span,
                help="put the steps under `graph:`, below `resspec: 1` and `inputs:`"
                if isinstance(tree, yamltree.Sequence)
                else "`resspec new net.yaml` writes one to begin with",
            ),
            name,
            text,
        )
    try:
        spec = SpecFile.model_validate(yamltree.to_data(tree))
    except ValidationError as error:

        def where(loc: tuple[str | int, ...], key: bool) -> Span:
            return yamltree.locate(tree, loc, key=key)

        raise SpecError(errors.findings(error, where, "the spec", _keys), {name: text}) from None
    document = Document(name, text, tree, spec)
    for steps, loc in _bodies(spec):
        attach(steps, _subtree(tree, loc))
    return document


def _keys(loc: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand beside the one at the end of `loc`."""
    parts: dict[str, type[BaseModel]] = {"params": Param, "blocks": Block, "inputs": InputDecl}
    model = parts.get(str(loc[0]), SpecFile) if len(loc) > 1 else SpecFile
    if loc[0] == "blocks" and len(loc) > 3:
        model = Param
    return [item.alias or key for key, item in model.model_fields.items()]


def _bodies(spec: SpecFile) -> Iterator[tuple[list[Step], tuple[str, ...]]]:
    if "graph" in spec.model_fields_set:
        yield spec.graph, ("graph",)
    for name, block in spec.blocks.items():
        yield block.graph, ("blocks", name, "graph")


def _subtree(tree: yamltree.Tree, loc: tuple[str, ...]) -> yamltree.Tree:
    for part in loc:
        # a bare list is a block without the level `graph`
        entry = tree.get(part) if isinstance(tree, yamltree.Mapping) else None
        tree = entry.value if entry else tree
    return tree


def _failed(diagnostic: Diagnostic, name: str, text: str) -> SpecError:
    return SpecError([diagnostic], {name: text})


@dataclass(slots=True)
class Library:
    """Reads the files that a root spec uses: below one folder, or shipped. Each file is read once."""

    root: Path
    findings: Findings
    sources: dict[str, str] = field(default_factory=dict)
    _documents: dict[str, Document] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def resolve(self, document: Document) -> None:
        """Fill in `document.imports`, and those of the files that it uses."""
        self._open.append(document.name)
        for name, target in document.spec.use.items():
            span = document.span("use", name)
            path, _, block = target.partition("#")
            block = block or name
            if name in document.spec.blocks:
                self.findings.error(
                    "name-collision",
                    f"`{name}` is both used and defined in `blocks`",
                    document.span("use", name, key=True),
                    labels=[Label(document.span("blocks", name, key=True), "defined here")],
                    help="rename one of them",
                )
                continue
            other = self._read(path, span)
            if other is None:
                continue
            if other.block(block) is None:
                written = "#" in target and edits.one_line(span, target)
                begin = span.column + len(path) + 1
                place = Span(span.file, span.line, begin, span.line, span.end_column) if written else None
                remedy = renamed(block, other.block_names, place)
                message = f"`{path}` has no block `{block}`"
                if "#" not in target and remedy.help is not None:  # the name of the key is that of the block
                    near = nearest(block, other.block_names)
                    help = f"name the block behind `#`: `{path}#{near or '...'}`"
                    plain = near is not None and edits.one_line(span, target)
                    fix = edits.replaced(edits.behind(span), f"#{near}") if plain else None
                    remedy = Remedy(help if near else f"{help}; {remedy.help}", fix)
                self.findings.error("unknown-block", message, span, help=remedy.help, fix=remedy.fix)
                continue
            document.imports[name] = (other, block)
        self._open.pop()

    def _read(self, path: str, span: Span) -> Document | None:
        shipped = path.startswith(SHIPPED_PREFIX)
        root = files.SHIPPED if shipped else self.root
        try:
            _, text = files.read_below(root, path.removeprefix(SHIPPED_PREFIX))
        except files.FileProblem as problem:
            help = problem.help
            if problem.code == "file-not-found":
                wanted = root / path.removeprefix(SHIPPED_PREFIX)
                near = nearest(wanted.name, files.beside(wanted))
                help = f"did you mean `{path.removesuffix(wanted.name)}{near}`?" if near else _FROM_ROOT
            self.findings.error(problem.code, problem.message, span, help=help)
            return None
        if path in self._open:
            chain = " -> ".join([*self._open[self._open.index(path) :], path])
            self.findings.error("import-cycle", f"files use each other in a circle: {chain}", span)
            return None
        if path not in self._documents:
            if len(self._documents) >= limits.FILES:
                self.findings.error("too-many-files", f"a spec uses at most {limits.FILES} files", span)
                return None
            self.sources[path] = text
            try:
                document = parse(text, path)
            except SpecError as error:
                for diagnostic in error.diagnostics:
                    self.findings.add(diagnostic)
                return None
            self._documents[path] = document
            self.resolve(document)
        return self._documents[path]


def load(text: str, name: str, root: Path) -> tuple[Document, dict[str, str]]:
    """A spec with all the files that it uses, and their texts by name; `SpecError` with every finding."""
    document = parse(text, name)
    library = Library(root, Findings(), {name: text})
    library.resolve(document)
    if library.findings.failed:
        raise SpecError(library.findings.sorted(), library.sources)
    return document, library.sources


def settings(document: Document, variant: str | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a caller sets: those of the variant, and over them `params`."""
    found: dict[str, Any] = {}
    if variant is not None:
        if variant not in document.spec.variants:
            raise _failed(
                Diagnostic(
                    "unknown-variant",
                    f"`{document.name}` has no variant `{variant}`",
                    document.span("variants", key=True) if document.spec.variants else None,
                    help=did_you_mean(variant, document.spec.variants, most=20),
                ),
                document.name,
                document.text,
            )
        found |= document.spec.variants[variant]
    return found | dict(params)
