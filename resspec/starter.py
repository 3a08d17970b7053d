"""Starter specs that `resspec new` writes: commented, complete, and legal as they stand."""

from __future__ import annotations

from resspec import files

STARTER = """\
resspec: 1                        # version of the language
name: {name}

params:                           # what a caller may set: resspec build {name}.yaml -p width=32
  width:   {{type: int, min: 1, default: 16}}
  blocks:  {{type: int, min: 0, default: 2, doc: residual blocks in a stage}}
  classes: {{type: int, min: 1, default: 10}}

defaults:                         # arguments of ops where a step gives none
  conv: {{use_bias: false, kernel_initializer: he_normal}}

inputs:
  image: [32, 32, 3]              # one example, channels last; a name such as H is an unknown size

blocks:                           # functions from tensors to tensors
  residual:                       # called as a step: `residual: 64`
    params: {{filters: int, strides: int = 1}}
    graph:
      - [batch_norm, relu]
      - {{conv: {{filters: filters, kernel_size: 3, strides: strides, padding: 1}}, as: conv1}}
      - [batch_norm, relu]
      - {{conv: {{filters: filters, kernel_size: 3, padding: 1}}, as: conv2}}
      - add: {{of: [prev, in], project: auto}}      # a 1x1 convolution where the shapes differ

graph:                            # a sequence: each step takes the one before; `as` names a result
  - {{conv: {{filters: width, kernel_size: 3, padding: 1}}, as: stem}}
  - for: {{filters: [width, 2*width, 4*width], strides: [1, 2, 2]}}
    as: stage$i
    do:
      - {{residual: {{filters: filters, strides: strides}}, as: first}}
      - {{repeat: blocks, do: [{{residual: filters, as: more$i}}]}}
  - [batch_norm, relu, global_avg_pool]
  - {{dense: classes, as: logits, output: true}}

checks:                           # what must hold; `resspec check {name}.yaml` tells
  - {{logits: [classes]}}
"""


SCHEMA = "resspec.schema.json"
"""the JSON Schema of the language, one for all specs of a folder"""

SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA}\n"
"""the first line by which editors find it; its path counts from the folder of the spec"""


def starter(name: str, like: str | None = None, *, schema: bool = False) -> str:
    """The text of a new spec: the commented starter, or a copy of a shipped one; with `schema` a line for editors.

    Raises `files.FileProblem` if no spec `like` is shipped.
    """
    text = STARTER.format(name=name) if like is None else files.read_below(files.SHIPPED, f"{like}.yaml")[1]
    return SCHEMA_LINE + text if schema else text


def weights_map(like: str) -> str | None:
    """The map of weights that a shipped spec has beside it, for a copy of it; None if it has none."""
    try:
        return files.read_below(files.SHIPPED, f"{like}.weights.yaml")[1]
    except files.FileProblem:
        return None
