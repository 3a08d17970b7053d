"""Probes: what makes a network train or not, measured, drawn, and said in plain language.

Each probe is a module of its own here with `Options`, its settings, and `run`. Nothing of Keras is
imported before a probe runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from resspec.diagnostics import Diagnostic, SpecError
from resspec.suggest import did_you_mean

if TYPE_CHECKING:
    from resspec.network import Network
    from resspec.probes.base import Progress, Result, Settings
    from resspec.probes.diagnosis import Diagnosis
    from resspec.source import Source


class Probe(NamedTuple):
    """A probe by its name, and what it measures. Its module is read when it is asked for."""

    name: str
    about: str

    @property
    def module(self) -> Any:
        return import_module(f"resspec.probes.{self.name}")

    @property
    def options(self) -> type[Settings]:
        found: type[Settings] = self.module.Options
        return found


PROBES = (
    Probe("gradients", "norms of gradients against depth at initialization: vanishing, exploding"),
    Probe("shatter", "how alike the gradients of different inputs are, against depth"),
    Probe("batchnorm", "what batch norm computes, beside a hand; small batches; other norms in its place"),
    Probe("paths", "the paths through a network, how long they are, and which the gradient takes"),
    Probe("variance", "second moment and batch variance, block by block, at initialization"),
    Probe("order", "the order of what stands in a residual unit: what every unit adds, and the training error"),
    Probe("degradation", "the training error against depth, with and without shortcuts"),
    Probe("depth", "whether a very deep network trains, and its plain twin"),
    Probe("width", "wide and shallow against thin and deep, with equally many parameters"),
    Probe("lesion", "blocks of a trained network deleted or swapped"),
    Probe("landscape", "the loss around what was trained, with and without shortcuts"),
)
"""all probes, in the order of `resspec probe --help`"""


def probe(
    name: str,
    *specs: Source | Network,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Result:
    """Measure a phenomenon on one or several specs: `probe("gradients", "resnet_cifar", seed=1).save("x.svg")`.

    `settings` are the options of `resspec probe NAME`, `params` and `inputs` those of `load`. Raises
    SpecError where a spec or the data do not suit the probe.
    """
    from resspec.probes.base import Subject, silent

    found = find(name)
    subjects = [Subject(spec, dict(params or {}), dict(inputs or {})) for spec in specs]
    result: Result = found.module.run(subjects, settle(found, settings), progress or silent)
    return result


def doctor(
    spec: Source | Network,
    *,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    plugins: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Diagnosis:
    """What is healthy about a network at initialization, what is not, and what to change: `print(doctor("net.yaml"))`.

    Raises SpecError for a spec with errors, `probe-refused` for a network of fewer than two layers with weights.
    """
    from resspec.probes.base import silent
    from resspec.probes.diagnosis import diagnose

    return diagnose(spec, params=params, inputs=inputs, plugins=plugins, seed=seed, progress=progress or silent)


def find(name: str) -> Probe:
    """The probe of that name; SpecError `bad-argument` if there is none."""
    for one in PROBES:
        if one.name == name:
            return one
    near = did_you_mean(name, [one.name for one in PROBES], most=20)
    raise SpecError([Diagnostic("bad-argument", f"there is no probe `{name}`", help=near)])


def settle(found: Probe, settings: Mapping[str, Any]) -> Settings:
    """The settings of a probe; SpecError `bad-argument` for one that it does not have."""
    known = [field.name for field in fields(found.options)]
    for name in settings:
        if name not in known:
            near = did_you_mean(name, known, most=20)
            raise SpecError(
                [Diagnostic("bad-argument", f"the probe `{found.name}` has no setting `{name}`", help=near)]
            )
    return found.options(**settings)
