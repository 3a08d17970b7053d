"""What is wrong with a name that cannot be one."""

from __future__ import annotations

import re

from resspec import edits
from resspec.diagnostics import Span
from resspec.language.schema import NAME
from resspec.language.scope import Problem


def illegal(name: str, where: Span, written: str | None) -> Problem:
    """The finding for `name`, and a name like it; `written` is what stands in the file, where `$` is not filled in."""
    meant = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    near = meant if NAME.fullmatch(meant) else None
    return Problem(
        "bad-name",
        f"`{name}` is not a name: letters, digits and `_`, a letter first",
        where,
        f"write `{near}`" if near else "begin with a letter",
        fix=edits.replaced(where, near) if near and written == name else None,
    )
