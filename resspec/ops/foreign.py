"""`keras.<Class>`: built-in Keras layers that have no op of their own.

The core knows their names and nothing more: shapes and weights come from a resolver that is handed
in from outside, and are kept in the op. Everything here is plain data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from pydantic import Field, InstanceOf
from pydantic.json_schema import SkipJsonSchema

from resspec import limits
from resspec.ops.base import Op, OpError, Outputs, Weight
from resspec.suggest import did_you_mean
from resspec.tensor import TensorSpec

ALLOWED = frozenset(
    """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
    AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AlphaDropout Average AveragePooling1D
    AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization CenterCrop Concatenate Conv1D
    Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D
    Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose Cropping1D
    Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Dot Dropout ELU EinsumDense Embedding Flatten GRU
    GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D
    GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization Identity LSTM LayerNormalization LeakyReLU Masking
    MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum Multiply
    Normalization PReLU Permute RMSNormalization ReLU RepeatVector Rescaling Reshape Resizing STFTSpectrogram
    SeparableConv1D SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNN Softmax SpatialDropout1D
    SpatialDropout2D SpatialDropout3D Subtract UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D
    ZeroPadding2D ZeroPadding3D
    """.split()  # noqa: SIM905  one name a line would take two pages
)
"""Layers that hold weights or reshape tensors, with plain arguments."""

_FOREIGN_CODE = "it runs code that is not Keras's own"
_TAKES_LAYER = "it takes a layer"
_TAKES_TABLE = "it takes a vocabulary, a file, or data to adapt to"
_AUGMENTS = "it alters data, which is no part of an architecture"
_NOT_A_LAYER = "it is no layer of a network"
_SEVERAL = "its inputs are no plain list of tensors"

REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("Lambda", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), _FOREIGN_CODE),
    **dict.fromkeys(
        ("Bidirectional", "Pipeline", "RNN", "SpectralNormalization", "StackedRNNCells", "TimeDistributed", "Wrapper"),
        _TAKES_LAYER,
    ),
    **dict.fromkeys(
        ("CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup", "StringLookup",
         "TextVectorization"),
        _TAKES_TABLE,
    ),
    **dict.fromkeys(
        ("AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "CutMix", "Equalization",
         "MaxNumBoundingBoxes", "MixUp", "RandAugment", "RandomBrightness", "RandomColorDegeneration",
         "RandomColorJitter", "RandomContrast", "RandomCrop", "RandomElasticTransform", "RandomErasing", "RandomFlip",
         "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective",
         "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear",
         "RandomTranslation", "RandomZoom", "Solarization"),
        _AUGMENTS,
    ),
    **dict.fromkeys(("GRUCell", "InputLayer", "InputSpec", "LSTMCell", "Layer", "SimpleRNNCell"), _NOT_A_LAYER),
    **dict.fromkeys(
        ("AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention", "ReversibleEmbedding"), _SEVERAL
    ),
}  # fmt: skip
"""Every other class of `keras.layers` with the reason why a spec cannot reach it."""

UNSET = ("name", "dtype", "data_format", "trainable", "weights", "autocast")
"""arguments that the compiler sets"""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What Keras says about a layer: the tensors it gives and the variables it makes."""

    outputs: tuple[TensorSpec, ...]
    weights: tuple[Weight, ...]


class Resolver(Protocol):
    """Answers for a Keras layer; lives outside the core, which cannot import Keras."""

    def resolve(self, class_name: str, arguments: Mapping[str, Any], inputs: tuple[TensorSpec, ...]) -> Resolved:
        """Shapes and weights; `OpError` with Keras's own words where it refuses."""
        ...


class KerasLayer(Op):
    """A built-in Keras layer by its class name: shapes are what Keras says."""

    kind = "keras"
    family = "other"
    arity: ClassVar[tuple[int, int | None]] = (1, None)
    sees_all = True
    class_name: str
    arguments: str = Field(
        default="{}", description="the arguments as JSON with sorted keys, which is plain and frozen"
    )
    answer: SkipJsonSchema[InstanceOf[Resolved] | None] = Field(default=None, exclude=True)

    @classmethod
    def of(cls, class_name: str, arguments: Mapping[str, Any]) -> KerasLayer:
        """The op for `keras.<class_name>: arguments`; `OpError` if the class or an argument is not allowed."""
        if class_name not in ALLOWED:
            reason = REFUSED.get(class_name)
            raise OpError(
                f"`keras.{class_name}` cannot be used: {reason}" if reason else f"Keras has no layer `{class_name}`",
                code="unknown-op",
                help=None if reason else did_you_mean(class_name, ALLOWED),
            )
        for name, value in arguments.items():
            if name in UNSET:
                raise OpError(f"`{name}` is set by the compiler", code="bad-argument", argument=name)
            _check_plain(name, value, 0)
        return cls(class_name=class_name, arguments=json.dumps(dict(arguments), sort_keys=True, allow_nan=False))

    @property
    def plain(self) -> dict[str, Any]:
        """The arguments as plain data."""
        found: dict[str, Any] = json.loads(self.arguments)
        return found

    def resolved(self, resolver: Resolver, inputs: tuple[TensorSpec, ...]) -> KerasLayer:
        """The same op with its shapes and weights."""
        return self.model_copy(update={"answer": resolver.resolve(self.class_name, self.plain, inputs)})

    def _answer(self) -> Resolved:
        if self.answer is None:
            raise OpError(
                f"the shape of `keras.{self.class_name}` is known to Keras alone, which is not at hand",
                code="needs-keras",
                help="install a Keras backend, or use an op of the language",
            )
        return self.answer

    def infer(self, *inputs: TensorSpec) -> Outputs:
        outputs = self._answer().outputs
        return outputs[0] if len(outputs) == 1 else outputs

    def result_names(self) -> tuple[str, ...]:
        count = len(self.answer.outputs) if self.answer else 1
        return tuple(f"output{k}" for k in range(count)) if count > 1 else ()

    def weights(self, *inputs: TensorSpec) -> tuple[Weight, ...]:
        return self._answer().weights

    def canonical(self, *inputs: TensorSpec) -> dict[str, Any]:
        return {"class": self.class_name, "arguments": self.plain}


def _check_plain(name: str, value: Any, depth: int) -> None:
    """`OpError` unless the value is made of numbers, words, lists and mappings, and names no code."""
    if depth > 4 or not isinstance(value, bool | int | float | str | list | tuple | dict | type(None)):
        raise OpError(f"`{name}` must be plain data", code="bad-argument", argument=name)
    if isinstance(value, str) and len(value) > limits.EXPRESSION_CHARS:
        raise OpError(f"`{name}` is too long", code="bad-argument", argument=name)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value) or {"module", "registered_name", "class_name"} & set(value):
            raise OpError(
                f"`{name}` must name no class", code="bad-argument", argument=name, help="write `{name: ...}`"
            )
        for inner in value.values():
            _check_plain(name, inner, depth + 1)
    elif isinstance(value, list | tuple):
        if len(value) > limits.LIST_ITEMS:
            raise OpError(f"`{name}` is too long", code="bad-argument", argument=name)
        for inner in value:
            _check_plain(name, inner, depth + 1)
