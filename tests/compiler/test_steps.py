"""The steps of a compiled network, and the operators that each of them stands for."""

from __future__ import annotations

from pathlib import Path

from support.project_helpers import ROOT
from tflm_hil.compiler import compile_model, steps
from tflm_hil.models.steps import one_by_one
from tflm_hil.models.tflite_file import read

CNN = ROOT / "models" / "gesture_cnn" / "gesture_cnn_int8.tflite"


def test_what_is_fused_is_one_step_and_what_needs_no_code_is_none() -> None:
    found = steps(CNN)
    alone = {step.index: step for step in one_by_one(read(CNN))}
    assert [step.kind for step in found].count("CONV_2D + ADD") == 1
    assert {step.kind for step in alone.values()} >= {"RESHAPE"}
    assert not any("RESHAPE" in step.kind for step in found)
    fused = next(step for step in found if step.kind == "CONV_2D + ADD")
    assert fused.output == alone[fused.index].output, "that of the ADD"
    assert fused.macs == alone[fused.index - 1].macs > 0, "those of the convolution"
    assert sum(step.macs for step in found) == sum(step.macs for step in alone.values())


def test_each_step_is_marked_in_code_that_the_tested_image_does_not_have(tmp_path: Path) -> None:
    tested, marked = tmp_path / "tested", tmp_path / "marked"
    compile_model(CNN, tested)
    compile_model(CNN, marked, mark_steps=True)
    plain, both = ((folder / "aot_model.c").read_text() for folder in (tested, marked))
    assert both.count("step_begin();") == both.count("step_end();") == len(steps(CNN))
    begin = both.index("void aot_run_in_steps(void)")
    end = both.index("}\n", begin) + len("}\n\n")
    assert (both[:begin] + both[end:]).replace('#include "marks.h"\n', "") == plain
