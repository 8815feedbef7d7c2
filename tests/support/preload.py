"""Import modules before a test runs pytest in this process.

pytester forgets modules that such a run imports first, and some of these modules cannot be imported twice.
"""

import importlib

import ai_edge_litert.interpreter  # noqa: F401
import pint  # noqa: F401
import tflite_micro.python.tflite_micro.runtime
import tflite_micro.tensorflow.lite.micro.python.schema_py_generated  # noqa: F401
import tflm_hil.pytest_plugin.startup
import tflm_hil.suite  # noqa: F401
from tflm_hil.cli.app import COMMANDS

for command in COMMANDS:
    importlib.import_module(f"tflm_hil.cli.{command}")
