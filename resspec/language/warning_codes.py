"""The codes of warnings: what a file may `allow`, and what editors complete there."""

from __future__ import annotations

WARNINGS = frozenset(
    (
        *("bias-before-norm", "check-unused", "deep-chain", "dropped-row", "even-same-kernel", "growing-variance"),
        *("merge-of-itself", "merge-of-one", "relu-before-add", "relu-first", "shadowed-op", "sizes-restricted"),
        *("suspicious-size", "unused-block", "unused-input", "unused-let", "unused-output", "unused-param"),
        *("unused-tap", "unused-value"),
    )
)
"""codes that `allow` may name"""
