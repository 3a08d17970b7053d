"""`allow`: warnings that a file has reasons to live with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resspec.diagnostics import Diagnostic
from resspec.language.document import Document
from resspec.language.warning_codes import WARNINGS as WARNINGS
from resspec.suggest import did_you_mean


def documents(root: Document) -> list[Document]:
    """The file and all that it uses, each once, the file itself first."""
    found = [root]
    for document in found:
        found += [other for other, _ in document.imports.values() if all(other is not one for one in found)]
    return found


def mistakes(root: Document) -> Iterator[Diagnostic]:
    """Entries of `allow`, here and in the files that are used, that name no warning."""
    for document in documents(root):
        for code in document.spec.allow:
            if code in WARNINGS:
                continue
            span = document.span("allow", code, key=True)
            from resspec import explain  # only a mistake makes it worth reading

            if code in explain.pages():
                remedy = "mend what it points at, and remove this entry"
                yield Diagnostic("not-allowable", f"`{code}` is no warning that could be allowed", span, help=remedy)
            else:
                near = did_you_mean(code, WARNINGS)
                yield Diagnostic("unknown-code", f"there is no warning `{code}`", span, help=near)


def sifted(root: Document, diagnostics: Iterable[Diagnostic]) -> tuple[list[Diagnostic], set[str]]:
    """What is not allowed, and the codes in the root's `allow` that were of use.

    The root allows wherever the finding is, since its author cannot mend the blocks of others; a file
    that it uses allows what is found in itself.
    """
    there = {document.name: document.spec.allow for document in documents(root)}
    kept, used = [], set()
    for one in diagnostics:
        own = there.get(one.span.file, {}) if one.span is not None else {}
        if one.severity == "warning" and one.code in root.spec.allow:
            used.add(one.code)
        elif one.severity == "error" or one.code not in own:
            kept.append(one)
    return kept, used


def unused(root: Document, used: set[str]) -> Iterator[Diagnostic]:
    """Entries of the root's `allow` that no finding needed."""
    for code in root.spec.allow:
        if code not in used:
            span = root.span("allow", code, key=True)
            yield Diagnostic(
                "unused-allow",
                f"nothing here is `{code}`, so there is nothing to allow",
                span,
                "warning",
                help="remove this entry",
            )
