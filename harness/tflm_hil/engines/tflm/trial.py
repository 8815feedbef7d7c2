"""Whether a copy of TensorFlow Lite Micro computes what the host's does where copies are known to differ: by trying.

Before 2024, FULLY_CONNECTED took the first of several weight scales for all. Its kernel is compiled for this machine
and run on one network; the answer is remembered for the library's sources.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tflm_hil.engines.tflm.library import MANIFEST, SOURCES, TflmLibrary
from tflm_hil.errors import HilError
from tflm_hil.files import write_text
from tflm_hil.models.tflite_file import Graph, Operator
from tflm_hil.progress import Say, silent

PROGRAM = Path(__file__).with_name("fully_connected_trial.cpp")
SECONDS = 600.0
# The kernel, and what runs a single kernel without an interpreter; some under their names in newer copies.
FILES = (
    "kernels/internal/common.cc",
    "kernels/internal/quantization_util.cc",
    "kernels/kernel_util.cc",
    "micro/arena_allocator/single_arena_buffer_allocator.cc",
    "micro/fake_micro_context.cc",
    "micro/kernels/fully_connected.cc",
    "micro/kernels/fully_connected_common.cc",
    "micro/kernels/kernel_runner.cc",
    "micro/kernels/kernel_util.cc",
    "micro/memory_helpers.cc",
    "micro/micro_context.cc",
    "micro/micro_graph.cc",
    "micro/micro_interpreter_graph.cc",
    "micro/mock_micro_graph.cc",
)
# The rest of the library is never called.
FLAGS = ("-std=c++17", "-O0", "-w", "-fno-exceptions", "-no-pie", "-static", "-Wl,--unresolved-symbols=ignore-all")
DEFINES = ("-DNDEBUG", "-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_STRIP_ERROR_STRINGS")
ANSWERS = {"100 50": True, "100 100": False}


def scaled_by_output(graph: Graph) -> Operator | None:
    """The first FULLY_CONNECTED whose weights have scales that differ from output to output."""
    for operator in graph.operators:
        if operator.kind == "FULLY_CONNECTED" and len(operator.inputs) > 1 and operator.inputs[1] >= 0:
            scales = graph.tensors[operator.inputs[1]].scales
            if len(scales) > 1 and scales.min() != scales.max():
                return operator
    return None


def check_scales(path: Path, graph: Graph, library: TflmLibrary, build_root: Path, say: Say = silent) -> None:
    """Raises HilError for weights whose scales this copy would not mind, so that its answers would be others."""
    operator = scaled_by_output(graph)
    if operator is None or minds_scales(library, build_root, say) is not False:
        return
    raise HilError(
        f"{path}: operator {operator.index} ({operator.kind}) has a scale for every output, and {library} takes the "
        "first for all, so its answers would be wrong; use a newer copy, or quantize its weights by tensor"
    )


def minds_scales(library: TflmLibrary, build_root: Path, say: Say = silent) -> bool | None:
    """Whether FULLY_CONNECTED of this copy minds the scale of every output; None where it cannot be tried here.

    Compiling takes half a minute, once for a copy; `say` is told.
    """
    answer = build_root / "tflm" / f"{_digest(library)}.json"
    try:
        known = json.loads(answer.read_text(encoding="utf-8"))["minds_scales"]
    except (OSError, ValueError, KeyError, TypeError):
        say(f"trying FULLY_CONNECTED of {library} on this machine, once for a copy")
        known = _try(library)
        if known is not None:
            write_text(answer, json.dumps({"library": str(library), "minds_scales": known}) + "\n")
    return bool(known) if known is not None else None


def _files(library: TflmLibrary) -> list[Path]:
    root = library.directory / SOURCES / "tensorflow" / "lite"
    return [root / name for name in FILES if (root / name).is_file()]


def _digest(library: TflmLibrary) -> str:
    """Of all that is compiled, headers of the library apart."""
    digest = hashlib.sha256()
    for path in (PROGRAM, library.directory / MANIFEST, *_files(library)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _try(library: TflmLibrary) -> bool | None:
    compiler = shutil.which("g++")
    root = library.directory / SOURCES
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        program = Path(folder) / "trial"
        sources = [str(path) for path in (PROGRAM, *_files(library))]
        command = [compiler, *FLAGS, *DEFINES, f"-I{root}", "-o", str(program), *sources]
        try:
            subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)
            said = subprocess.run([program], capture_output=True, text=True, timeout=SECONDS, check=True).stdout
        except (OSError, subprocess.SubprocessError):
            return None
    return ANSWERS.get(said.strip())
