"""The whole pipeline on one screen: a source is read, parsed, expanded, and becomes a graph.

path or name -> text -> Document -> Graph -> summary | JSON | keras.Model
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resspec import allow, checks, files, fixes
from resspec.diagnostics import Diagnostic, Findings, SpecError
from resspec.graph import Graph
from resspec.language import document as documents
from resspec.language import environment
from resspec.language.expand import check_library, expand
from resspec.language.replay import Memory
from resspec.network import Network as Network
from resspec.ops import by_kind
from resspec.ops.base import Op, OpError
from resspec.plugin import Plugin, resolve
from resspec.quiet import quietly
from resspec.source import Opened as Opened
from resspec.source import Source
from resspec.source import open_source as open_source
from resspec.source import shipped as shipped
from resspec.tensor import TensorSpec

if TYPE_CHECKING:
    import keras  # noqa: TID251 -- for types only


MAP = ".weights.yaml"
"""end of the name of a map of weights, which stands beside a spec"""


def network(
    opened: Opened,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    plugins: Iterable[str | Plugin] = (),
) -> Network:
    """The graph of a parsed source under the given parameters."""
    found = resolve(plugins)
    settings = documents.settings(opened.document, variant or opened.variant, params or {})
    ops = by_kind(op for plugin in found for op in plugin.ops)
    if mistakes := (*allow.mistakes(opened.document), *_of_variant(opened, variant, params or {})):
        raise SpecError(mistakes, opened.sources)
    graph, findings = expand(opened.document, opened.sources, settings, ops, inputs=inputs, resolver=_KerasResolver())
    warnings, _ = allow.sifted(opened.document, findings.sorted())
    fields = {name: getattr(graph, name) for name in Graph.__dataclass_fields__}
    return Network(
        **fields,
        document=opened.document,
        sources=opened.sources,
        warnings=tuple(warnings),
        plugins=found,
        folder=opened.folder,
    )


def _of_variant(opened: Opened, variant: str | None, params: Mapping[str, Any]) -> list[Diagnostic]:
    """What is wrong with the values of the variant that is asked for, where it stands."""
    chosen = variant or opened.variant
    if chosen is None:
        return []
    values = {key: value for key, value in opened.document.spec.variants[chosen].items() if key not in params}
    return environment.refused(opened.document, values, "variants", chosen)


def load(
    source: Source,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    plugins: Iterable[str | Plugin] = (),
    **keywords: Any,
) -> Network:
    """A spec as a graph: `load("unet.yaml", depth=3)`, `load("resnet_v2@resnet50_v2")`.

    `params` or further keywords set the spec's parameters, `inputs` rebinds shapes
    (`{"image": [None, None, 3]}`, None for an unknown size), `plugins` names packages with further
    ops. Raises `SpecError` with all findings.
    """
    opened = open_source(source)
    settings = {**(params or {}), **keywords}
    return network(opened, variant=variant, params=settings, inputs=inputs, plugins=plugins)


def declared(source: Source, params: Mapping[str, Any]) -> dict[str, TensorSpec]:
    """The inputs as the file declares them, also where no network comes of them."""
    opened = open_source(source)
    settings = documents.settings(opened.document, opened.variant, params)
    env = environment.evaluate(opened.document, settings, Findings())
    return environment.inputs(opened.document, env, {}, {}, Findings())


def build(
    source: Source | Graph,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[Any]] | None = None,
    plugins: Iterable[str | Plugin] = (),
    outputs: Sequence[str] = (),
    seed: int = 0,
    dtype: str | None = None,
    data_format: str = "channels_last",
    weights: str | Path | None = None,
    weights_map: str | None = None,
    allow: Sequence[str] = (),
    adapt: Mapping[str, str] | None = None,
    max_parameters: int | None = None,
    **keywords: Any,
) -> keras.Model:
    """A spec as a `keras.Model`: `build("resnet_v2", depth=50)`.

    `outputs` asks for tensors by path instead of the spec's outputs, `dtype` is a Keras dtype policy
    (`mixed_bfloat16`), `data_format` `channels_last` or `channels_first`. `weights` is a file of weights,
    from this network or another library; `weights_map`, `allow` and `adapt` as in `Network.weights_from`.
    Everything else as in `load`. The model needs nothing of this package.
    """
    if not isinstance(source, Network):
        source = load(str(source), variant=variant, params=params, inputs=inputs, plugins=plugins, **keywords)
    options: dict[str, Any] = {} if max_parameters is None else {"max_parameters": max_parameters}
    if weights is not None:
        options |= {"weights": weights, "weights_map": weights_map, "allow": allow, "adapt": adapt}
    return source.to_keras(outputs=outputs, seed=seed, dtype=dtype, data_format=data_format, **options)


def check(source: Source, *, params: Mapping[str, Any] | None = None, plugins: Iterable[str | Plugin] = ()) -> Report:
    """All findings of a source: of its form, of every variant, and of its `checks`. Raises nothing.

    Of a map of weights (`net.weights.yaml`) its form and its patterns.
    """
    try:
        if str(source).endswith(MAP):
            return _check_map(Path(str(source)))
        return check_opened(open_source(source), params=params, plugins=plugins)
    except SpecError as error:
        return Report(error.diagnostics, error.sources)


def fix(source: Source, *, unsafe: bool = False, plugins: Iterable[str | Plugin] = ()) -> int:
    """Carry out in a file the remedies that are certain, with `unsafe` the proposed ones too; returns how many.

    Files that it uses are left alone. Raises `files.FileProblem` if it cannot be read or written.
    """
    path = Path(str(source))
    if path.suffix not in (".yaml", ".yml"):
        path = Path(str(source).partition("@")[0])
    if str(path) in shipped() and not path.exists():
        help = f"`resspec new mine.yaml --like {path}` writes a copy that is yours"
        raise files.FileProblem("output-problem", f"`{path}` is shipped with resspec, and is not changed", help)

    def diagnose(text: str) -> Iterable[Diagnostic]:
        try:
            opened = Opened(*documents.load(text, str(path), path.parent), None)
        except SpecError as error:
            return error.diagnostics
        return check_opened(opened, plugins=plugins).diagnostics

    text = files.read_file(path)
    better, count = fixes.mended(text, str(path), diagnose, unsafe=unsafe)
    if count:
        files.write_atomic(path, better)
    return count


def _check_map(path: Path) -> Report:
    from resspec.weights import naming

    try:
        naming.parse(files.read_file(path), str(path))
    except files.FileProblem as problem:
        raise SpecError([Diagnostic(problem.code, problem.message, help=problem.help)]) from None
    return Report((), {}, checks.NOTHING)


def check_opened(
    opened: Opened, *, params: Mapping[str, Any] | None = None, plugins: Iterable[str | Plugin] = ()
) -> Report:
    """All findings of a parsed source."""
    from resspec import lints

    ops = op_names(plugins)
    if opened.document.is_library:
        return Report(check_library(opened.document, opened.sources, ops).sorted(), opened.sources, checks.NOTHING)
    findings = Findings()
    resolver = _KerasResolver()
    memory = Memory()
    linter = lints.Linter(opened.document)

    def expanded(values: Mapping[str, Any]) -> Graph:
        graph, warnings = expand(opened.document, opened.sources, values, ops, resolver=resolver, memory=memory)
        for warning in warnings.items:
            findings.add(warning)
        linter.network(graph)
        return graph

    for mistake in allow.mistakes(opened.document):
        findings.add(mistake)
    try:
        given = documents.settings(opened.document, opened.variant, params or {})
        if _of_variant(opened, None, params or {}):  # which is told below, as of every variant
            given = dict(params or {})
        done = checks.run(opened.document, given, expanded, findings)
    except SpecError as error:
        return Report((*findings.sorted(), *error.diagnostics), opened.sources)
    return Report(linter.finish(findings), opened.sources, done)


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found in one source."""

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    checked: checks.Checked | None = None

    @property
    def failed(self) -> bool:
        return any(one.severity == "error" for one in self.diagnostics)


class _KerasResolver:
    """Asks Keras for the shape of a `keras.<Class>` step; imports it only when there is one."""

    def resolve(self, class_name: str, arguments: Any, inputs: tuple[TensorSpec, ...]) -> Any:
        try:
            with quietly():
                from resspec.keras_backend.resolver import resolve
        except (ImportError, ValueError) as error:  # no Keras, or a backend that is not installed
            raise OpError(
                f"the shape of `keras.{class_name}` is known to Keras alone, which cannot be imported: {error}",
                code="needs-keras",
                help="install Keras and a backend, or use an op of the language",
            ) from None

        return resolve(class_name, arguments, inputs)


def op_names(plugins: Iterable[str | Plugin] = ()) -> dict[str, type[Op]]:
    """Op name -> class, with the plugins' ops."""
    return by_kind(op for plugin in resolve(plugins) for op in plugin.ops)
