"""Where a network comes from, for what stands beside its spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resspec.language.document import Document
from resspec.plugin import Plugin


@dataclass(frozen=True, slots=True)
class Home:
    """The document of a network, its folder, the parameters, the texts that it uses, and the plugins with its ops."""

    document: Document
    folder: Path
    params: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)
    plugins: tuple[Plugin, ...] = ()
