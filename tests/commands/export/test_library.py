"""Exported libraries, compiled far from the harness: they answer as TensorFlow Lite Micro does on the host."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from support.compiler_helpers import ROOT, needs_gcc
from support.generated_programs import sanitized
from support.needs import needs_compiler
from tflm_hil.commands.export.export import export
from tflm_hil.commands.export.kernels import read_sources
from tflm_hil.firmware import toolchain
from tflm_hil.models.manifest import Model, load_models, lone_model
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.recordings import load_recordings
from tflm_hil.recordings.windows import windows

FLOAT32, INT8 = TensorType.FLOAT32, TensorType.INT8
STRICT = ["-Wall", "-Wextra", "-Werror"]
C_FLAGS = [*STRICT, "-std=c11", "-O2", "-ffp-contract=off"]

# A program in C++, which reads rows and writes the outputs of all windows, each with its label.
MAIN = """
#include "PREFIX_model.h"
#include <cstdio>
#include <cstring>
static int16_t row[UPPER_CHANNELS];
static void step() {
CALL
}
int main() {
    PREFIX_init();
    while (std::fread(row, 1, sizeof row, stdin) == sizeof row) {
        step();
    }
}
"""
WRITE = "std::fwrite({0}_output(), sizeof *{0}_output(), {1}_OUTPUT_LENGTH, stdout); std::putchar((int){0}_label());"


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    return load_models(ROOT)


def compiled(folder: Path, main: str) -> Path:
    """The program of `main`, in C++, with the library in `folder`, which is not near the harness."""
    objects = folder / "objects"
    objects.mkdir()
    sources = sorted((folder / "library").glob("*.c"))
    subprocess.run(["gcc", *C_FLAGS, "-c", *sources], cwd=objects, check=True)
    (folder / "main.cpp").write_text(main)
    include = f"-I{folder / 'library'}"
    command: list[str | Path] = [
        "g++",
        *STRICT,
        "-std=c++11",
        include,
        "main.cpp",
        *sorted(objects.iterdir()),
        "-o",
        "program",
    ]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "program"


def called(folder: Path) -> str:
    """The lines of README.md that call the library, without #include."""
    block = re.search(r"```c\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert block is not None
    return block[1].split("\n", 1)[1]


def check_answers(program: Path, model: Model, variant: str, rows: npt.NDArray[np.int16]) -> None:
    """Hold what MAIN writes for `rows` against TFLM on the host: integers bit for bit."""
    reference = Reference(model.variants[variant].path)
    cut = windows(rows, model.window, model.stride)
    expected = reference.run(prepare(cut, model.channels, reference.input_quantization, model.layout))
    done = subprocess.run([program], input=rows.astype("<i2").tobytes(), capture_output=True, check=True)
    found = np.frombuffer(done.stdout, [("outputs", expected.dtype, expected.shape[1:]), ("label", np.uint8)])
    np.testing.assert_allclose(found["outputs"], expected, rtol=1e-6 if variant == "float32" else 0)
    np.testing.assert_array_equal(found["label"], expected.argmax(axis=1))


@needs_gcc
@pytest.mark.parametrize(("name", "variant"), [("gesture", "int8"), ("gesture", "float32"), ("gesture_cnn", "int8")])
def test_it_answers_rows_of_the_sensor_as_tflm_does(
    tmp_path: Path, models: dict[str, Model], name: str, variant: str
) -> None:
    model, prefix = models[name], f"{name}_{variant}"
    export(model, model.variants[variant], tmp_path / "made")
    # The lines of the README are those that run: they name what there is.
    answer = WRITE.format(prefix, prefix.upper())
    call = called(tmp_path / "made").replace(f"{prefix}_init();", "").replace("_invoke();", f"_invoke();\n{answer}")
    main = MAIN.replace("CALL", call).replace("PREFIX", prefix).replace("UPPER", prefix.upper())
    program = compiled((tmp_path / "made").rename(tmp_path / "elsewhere"), main)
    assert model.recordings is not None
    rows = max((each.samples for each in load_recordings(model.recordings, model.channels)), key=len)
    assert len(rows) > 1000
    check_answers(program, model, variant, rows)


@needs_gcc
def test_layout_labels_and_names_are_those_of_the_manifest(tmp_path: Path, models: dict[str, Model]) -> None:
    """A flat input takes either layout, so the same network may be said to take channels first."""
    model = msgspec.structs.replace(
        models["gesture"], name="int", layout="channels-first", stride=40, labels=["\u00fcber??/", '"', "c"], channels=[
            msgspec.structs.replace(channel, name="*/\n") for channel in models["gesture"].channels
        ]
    )  # fmt: skip
    export(model, model.variants["int8"], tmp_path / "made")
    call = "if (int_int8_push(row)) { int_int8_invoke(); " + WRITE.format("int_int8", "INT_INT8") + "}"
    main = MAIN.replace("CALL", call).replace("PREFIX", "int_int8").replace("UPPER", "INT_INT8")
    rows = np.random.default_rng(0).integers(-(2**15), 2**15, (200, 6)).astype(np.int16)
    check_answers(compiled(tmp_path / "made", main), model, "int8", rows)
    labels = "int main() { std::puts(int_int8_labels[0]); std::puts(int_int8_labels[1]); }"
    (tmp_path / "made" / "objects").rename(tmp_path / "earlier")
    program = compiled(tmp_path / "made", f'#include "int_int8_model.h"\n#include <cstdio>\n{labels}')
    assert subprocess.run([program], capture_output=True, check=True).stdout.decode() == '\u00fcber??/\n"\n'


@needs_gcc
def test_inputs_of_a_file_without_windows_are_written_and_two_libraries_live_in_one_program(tmp_path: Path) -> None:
    tensors = [TensorSpec((1, 3), INT8, [0.5], [-3]), TensorSpec((1, 3), INT8, [0.25], [7]),
               TensorSpec((1, 3), INT8, [1.0], [2])]  # fmt: skip
    content = build(tensors, [OperatorSpec("ADD", [0, 1], [2])], [0, 1], [2])
    for name in ("my-model 2.tflite", "2 other.tflite"):
        (tmp_path / name).write_bytes(content)
        model = lone_model(tmp_path / name)
        export(model, model.variants["tflite"], tmp_path / name[0])
    # Files that are in both are the same.
    shutil.copytree(tmp_path / "2" / "library", tmp_path / "m" / "library", dirs_exist_ok=True)
    main = """
        #include "model_2_other_model.h"
        #include "my_model_2_model.h"
        #include <cstdio>
        static_assert(MODEL_2_OTHER_INPUT_1_ZERO_POINT == 7 && MY_MODEL_2_OUTPUT_LENGTH == 3, "of the file");
        int main() {
            const int shape[MY_MODEL_2_INPUT_0_RANK] = MY_MODEL_2_INPUT_0_SHAPE;
            my_model_2_init();
            for (int i = 0; i < shape[1]; i++) {
                my_model_2_input_0()[i] = (int8_t)(20 * i - 3);  /* 10 i */
                my_model_2_input_1()[i] = (int8_t)(4 * i + 7);   /* i */
            }
            my_model_2_invoke();
            model_2_other_init();
            std::printf("%d %d", my_model_2_output()[2], model_2_other_output()[2]);
        }
    """
    done = subprocess.run([compiled(tmp_path / "m", main)], capture_output=True, text=True, check=True)
    assert done.stdout == "24 0"  # 2 x 11 and the zero point


@needs_compiler
@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
def test_it_compiles_for_a_microcontroller(tmp_path: Path, models: dict[str, Model], core: str) -> None:
    for variant in ("int8", "float32"):
        export(models["gesture"], models["gesture"].variants[variant], tmp_path / variant)
        sources = [*(tmp_path / variant).rglob("*.c")]
        command: list[str | Path] = [toolchain.COMPILER, f"-mcpu={core}", "-mthumb", *C_FLAGS, "-c", *sources]
        subprocess.run(command, cwd=tmp_path, check=True)


@needs_gcc
def test_a_kernel_brings_whatever_it_calls() -> None:
    """For each kernel, the linker's opinion is that of the exporter."""
    _, archive = sanitized()
    listing = subprocess.run(["nm", archive], capture_output=True, text=True, check=True).stdout
    sources = read_sources(ROOT / "firmware")
    kernels = 0
    for name, symbols in re.findall(r"^(\w+)\.o:\n(.*?)(?=\n\n|\Z)", listing, re.DOTALL | re.MULTILINE):
        if f"{name}.c" not in sources.texts:
            continue
        kernels += 1
        undefined = set(re.findall(r" U (aot_\w+)", symbols))
        defined = re.findall(r" T (aot_\w+)", symbols)
        assert all(sources.definitions[function] == f"{name}.c" for function in defined)
        brought = {path.name for path in sources.needed([f"{name}.c"])}
        assert {sources.definitions[function] for function in undefined} <= brought
    assert kernels > 40
