"""Arguments of weights, and first values of layers that give one initializer to several of them."""

from __future__ import annotations

from typing import Any

from resspec.keras_backend.site import Site


def weight_arguments(site: Site, op: Any, *weights: str) -> dict[str, Any]:
    """Initializer, regularizer and constraint of each weight, as far as the op has them, as Keras arguments."""
    found: dict[str, Any] = {}
    for weight in weights:
        found[f"{weight}_initializer"] = site.initializer(weight, getattr(op, f"{weight}_initializer"))
        found[f"{weight}_regularizer"] = site.regularizer(getattr(op, f"{weight}_regularizer"))
        if hasattr(op, f"{weight}_constraint"):
            found[f"{weight}_constraint"] = site.constraint(getattr(op, f"{weight}_constraint"))
    return found


def reseeded(site: Site, layer: Any, **initializers: Any) -> None:
    """Give each weight of a built layer its own first value.

    Keras clones one seeded initializer for all projections of an attention (and both directions of a
    recurrence), so that query and key would start as the same matrix. Names are the last part of the
    weight's path; a seed that the spec states is left alone.
    """
    for variable in layer.weights:
        name = variable.path.split(f"{layer.name}/", 1)[-1]
        given = initializers.get(name.rsplit("/", 1)[-1])
        if given is None or getattr(given, "seed", None) is not None:
            continue
        initializer = site.initializer(name, given)
        if getattr(initializer, "seed", None) is not None:
            variable.assign(initializer(variable.shape, dtype=variable.dtype))
