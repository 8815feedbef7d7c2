"""A fake copy of TensorFlow Lite Micro: only the files by which the harness recognizes it."""

from __future__ import annotations

import json
from pathlib import Path

NAME, VERSION = "Pretended TFLM", "0.1.2"
RESOLVER = """
  TfLiteStatus AddCustom(const char* name, const TFLMRegistration* registration) {
    return kTfLiteOk;
  }
  TfLiteStatus AddCircularBuffer() {
    return AddCustom("CIRCULAR_BUFFER", tflite::Register_CIRCULAR_BUFFER());
  }
  TfLiteStatus AddFullyConnected(
      const TFLMRegistration& registration = Register_FULLY_CONNECTED()) {
    return AddBuiltin(BuiltinOperator_FULLY_CONNECTED, registration,
                      ParseFullyConnected);
  }
  TfLiteStatus AddSoftmax(const TFLMRegistration& registration = Register_SOFTMAX()) {
    return AddBuiltin(BuiltinOperator_SOFTMAX, registration, ParseSoftmax);
  }
 private:
  TfLiteStatus AddBuiltin(tflite::BuiltinOperator op) {
    if (op == BuiltinOperator_CUSTOM) {
"""


def pretend_library(directory: Path, name: str = NAME, version: str = VERSION) -> Path:
    micro = directory / "src" / "tensorflow" / "lite" / "micro"
    micro.mkdir(parents=True)
    (directory / "library.json").write_text(json.dumps({"name": name, "version": version}))
    (micro / "micro_interpreter.h").write_text("")
    (micro / "micro_mutable_op_resolver.h").write_text(RESOLVER)
    return directory
