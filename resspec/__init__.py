"""resspec: neural network architectures written once, as data.

    graph = resspec.load("unet.yaml", depth=3)
    model = resspec.build("resnet_v2", depth=50)    # a plain keras.Model

Importing this package imports neither Keras nor a backend; only `build` does.
"""

from __future__ import annotations

from resspec.api import Network, build, load, shipped
from resspec.diagnostics import Diagnostic, Label, Span, SpecError
from resspec.graph import Graph, Node, Ref
from resspec.ops.base import Op, OpError, Reach, Weight
from resspec.plugin import Plugin
from resspec.probes import doctor, probe
from resspec.tensor import TensorSpec

__version__ = "0.1.0"

__all__ = [
    "Diagnostic",
    "Graph",
    "Label",
    "Network",
    "Node",
    "Op",
    "OpError",
    "Plugin",
    "Reach",
    "Ref",
    "Span",
    "SpecError",
    "TensorSpec",
    "Weight",
    "__version__",
    "build",
    "doctor",
    "load",
    "probe",
    "shipped",
]
