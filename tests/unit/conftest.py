"""Tests of the harness itself."""

from __future__ import annotations

# What pytester's runs in this process import for the first time is forgotten after them, and some of these cannot be
# imported twice.
import ai_edge_litert.interpreter  # noqa: F401
import hypothesis
import pint  # noqa: F401
import tflite_micro.python.tflite_micro.runtime
import tflite_micro.tensorflow.lite.micro.python.schema_py_generated  # noqa: F401

import harness.cli
import harness.plugin  # noqa: F401

# An example takes as long as a loaded machine makes it take.
hypothesis.settings.register_profile("tflm-hil", deadline=None)
hypothesis.settings.load_profile("tflm-hil")
