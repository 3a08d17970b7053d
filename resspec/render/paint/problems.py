"""What keeps a figure from being painted."""

from __future__ import annotations


class DoesNotFit(Exception):
    """A figure that cannot be painted at the size asked for. The message says the nearest size that works."""
