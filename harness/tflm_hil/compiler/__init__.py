"""The ahead-of-time compiler: turn a .tflite into C that calls the kernels of firmware/lib/aot."""

from tflm_hil.compiler.compile import CompiledModel, compile_model, steps

__all__ = ["CompiledModel", "compile_model", "steps"]
