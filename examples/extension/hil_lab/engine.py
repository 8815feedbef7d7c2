"""The engine `mine`, with C of its own: it runs networks that consist of one float32 ADD of equal shapes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tflm_hil.engines.engine import GeneratingEngine
from tflm_hil.errors import HilError
from tflm_hil.files import write_text
from tflm_hil.firmware.generator import Generated, Job
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.tflite_file import Graph, TensorType, read
from tflm_hil.progress import Say, silent

SOURCE = """\
/* Generated; do not edit. */
#include "engine.h"

#define ELEMENTS {elements}

static float memory[3][ELEMENTS];
static const hil_tensor_t inputs[] = {{
    {{HIL_FLOAT32, {rank}, {{{dims}}}, 0.0f, 0, memory[0], sizeof memory[0]}},
    {{HIL_FLOAT32, {rank}, {{{dims}}}, 0.0f, 0, memory[1], sizeof memory[1]}},
}};
static const hil_tensor_t output = {{HIL_FLOAT32, {rank}, {{{dims}}}, 0.0f, 0, memory[2], sizeof memory[2]}};

const char *engine_name(void) {{
    return "mine";
}}

const char *engine_version(void) {{
    return "9";
}}

bool engine_init(void) {{
    return true;
}}

uint8_t engine_input_count(void) {{
    return 2;
}}

const hil_tensor_t *engine_inputs(void) {{
    return inputs;
}}

uint8_t engine_output_count(void) {{
    return 1;
}}

const hil_tensor_t *engine_outputs(void) {{
    return &output;
}}

bool engine_invoke(void) {{
    for (uint32_t i = 0; i < ELEMENTS; ++i) {{
        memory[2][i] = memory[0][i] + memory[1][i];
    }}
    return true;
}}

uint32_t engine_arena_bytes(void) {{
    return sizeof memory;
}}

bool engine_tensor(uint16_t index, const void **data, uint32_t *bytes) {{
    static const uint16_t tensors[] = {{{tensors}}};
    for (uint32_t i = 0; i < 3; ++i) {{
        if (tensors[i] == index) {{
            *data = memory[i];
            *bytes = sizeof memory[i];
            return true;
        }}
    }}
    return false;
}}
"""


class MineEngine(GeneratingEngine):
    """What `--hil-engine=mine` names."""

    name = "mine"
    compiles = True

    def versions(self, _project: FirmwareProject) -> Mapping[str, str]:
        """What results are to name."""
        return {"mine": "9"}

    def check(self, tflite: Path, _project: FirmwareProject, _say: Say = silent) -> None:
        """Refuse a network before anything is built."""
        _check(tflite, read(tflite))

    def generate(self, job: Job) -> Generated:
        """Write the C of one network."""
        _check(job.tflite, job.graph)
        graph = job.graph
        output = graph.tensors[graph.outputs[0]]
        source = job.build_dir.generated / "engine_mine.c"
        text = SOURCE.format(
            elements=output.elements,
            rank=len(output.shape),
            dims=", ".join(map(str, output.shape)),
            tensors=", ".join(map(str, (*graph.inputs, *graph.outputs))),
        )
        if not source.is_file() or source.read_text(encoding="utf-8") != text:
            write_text(source, text)
        return Generated([source], constant_bytes=0, arena_bytes=3 * 4 * output.elements)


def _check(tflite: Path, graph: Graph) -> None:
    plain = [operator.kind for operator in graph.operators if not operator.options.get("FusedActivationFunction")]
    ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
    alike = len(graph.inputs) == 2 and all(end.shape == ends[0].shape for end in ends)
    if plain != ["ADD"] or not alike or any(end.type is not TensorType.FLOAT32 for end in ends):
        raise HilError(f"{tflite}: mine runs one float32 ADD of two inputs of one shape, and nothing else")
