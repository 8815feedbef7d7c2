"""Networks of the bench's set: what they are, and how they grow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

FLOAT32, INT32 = TensorType.FLOAT32, TensorType.INT32
INT8, UINT8, INT16 = TensorType.INT8, TensorType.UINT8, TensorType.INT16
TYPES = {FLOAT32: "f32", INT8: "s8", INT16: "s16", UINT8: "u8"}
SAME = 0
RELU = 1


@dataclass(frozen=True)
class BenchNetwork:
    """A .tflite and its `work`: so many multiply-accumulates or elements, as `unit` says, in one inference.

    `most` is the goal: instructions a unit, with the aot engine.
    """

    name: str
    content: bytes
    work: int
    unit: str
    most: float | None = None


@dataclass
class GrowingNetwork:
    """A network that grows operator by operator; all activations have `kind`."""

    kind: TensorType
    seed: int
    tensors: list[TensorSpec] = field(default_factory=list)
    operators: list[OperatorSpec] = field(default_factory=list)
    macs: int = 0

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def activation(self, shape: Sequence[int], scale: float = 0.05, zero_point: int = 3) -> int:
        """A tensor that is computed, or an input; int16 has no zero point."""
        if self.kind is FLOAT32:
            return self._add(TensorSpec(shape, self.kind))
        return self._add(TensorSpec(shape, self.kind, [scale], [0 if self.kind is INT16 else zero_point]))

    def constant(self, values: Any) -> int:
        """A tensor of float32 or int32 `values`."""
        kind = INT32 if values.dtype == np.int32 else FLOAT32
        return self._add(TensorSpec(values.shape, kind, data=values))

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        options: dict[str, Any] | None = None,
        quantization: tuple[float, int] | None = None,
        outputs: int = 1,
    ) -> int:
        """The first of so many `outputs` of one more operator, quantized like its first input by default."""
        source = self.tensors[inputs[0]]
        if quantization is None and source.scales:
            quantization = float(source.scales[0]), source.zero_points[0]
        made = [self.activation(shape, *(quantization or ())) for _ in range(outputs)]
        self.operators.append(OperatorSpec(kind, inputs, made, options or {}))
        return made[0]

    def convolution(
        self,
        x: int,
        outputs: int,
        kernel: tuple[int, int],
        stride: int = 1,
        dilation: tuple[int, int] = (1, 1),
        multiplier: int = 0,
    ) -> int:
        """CONV_2D, or with a `multiplier` DEPTHWISE_CONV_2D, with SAME padding and a fused RELU."""
        _, height, width, channels = self.tensors[x].shape
        shape = (1, -(-height // stride) if height > 1 else 1, -(-width // stride), outputs)
        weights = (1, *kernel, outputs) if multiplier else (outputs, *kernel, channels)
        options = {"Padding": SAME, "StrideH": stride, "StrideW": stride, "FusedActivationFunction": RELU}
        options |= {"DilationHFactor": dilation[0], "DilationWFactor": dilation[1]}
        if multiplier:
            options["DepthMultiplier"] = multiplier
        taps = math.prod(kernel) * (1 if multiplier else channels)
        self.macs += math.prod(shape) * taps
        inputs = [x, *self._weights(weights, outputs, taps, 3 if multiplier else 0)]
        return self.operator("DEPTHWISE_CONV_2D" if multiplier else "CONV_2D", inputs, shape, options)

    def dense(self, x: int, outputs: int) -> int:
        """FULLY_CONNECTED."""
        batches, columns = self.tensors[x].shape
        self.macs += batches * columns * outputs
        weights = self._weights((outputs, columns), outputs, columns, 0)
        return self.operator("FULLY_CONNECTED", [x, *weights], (batches, outputs))

    def build(self, inputs: Sequence[int], output: int) -> bytes:
        """The .tflite."""
        return build(self.tensors, self.operators, inputs, [output])

    def _weights(self, shape: Sequence[int], outputs: int, taps: int, dimension: int) -> tuple[int, int]:
        """Weights and biases that keep the activations' range."""
        values = self.rng.normal(0, taps**-0.5, shape)
        bias = self.rng.normal(0, 0.1, outputs)
        if self.kind is FLOAT32:
            return self.constant(values.astype(np.float32)), self.constant(bias.astype(np.float32))
        other = tuple(axis for axis in range(len(shape)) if axis != dimension)
        scales = (np.abs(values).max(axis=other) / 127).astype(np.float32)
        axes = [1] * len(shape)
        axes[dimension] = outputs
        stored = np.rint(values / scales.reshape(axes)).astype(np.int8)
        weights = TensorSpec(shape, INT8, scales.tolist(), data=stored, quantized_dimension=dimension)
        bias_scales = (scales * np.float32(0.05)).astype(np.float32)
        kind = TensorType.INT64 if self.kind is INT16 else INT32
        values = np.rint(bias / bias_scales).astype(kind.dtype)
        biases = TensorSpec((outputs,), kind, bias_scales.tolist(), data=values)
        return self._add(weights), self._add(biases)

    def _add(self, spec: TensorSpec) -> int:
        self.tensors.append(spec)
        return len(self.tensors) - 1
