"""Instructions per inference of some networks of the bench; they are the same in every run."""

from __future__ import annotations

from pathlib import Path

from support.emulated_programs import needs_arm_gcc, needs_qemu
from support.instruction_counts import instruction_counts
from tflm_hil.commands.bench.networks import bench_networks

NAMES = (
    "conv_f32_16to16_k3",
    "conv_f32_3to8_k3_s2",
    "conv_f32_1d_6to8_k5_d2",
    "conv_f32_1to1_k3_s2",
    "conv_f32_1d_1to2_k3",
    "add_s8",
    "conv_s8_1to1_k3",
    "conv_s8_1to1_k3_s2",
    "conv_s8_2to2_k3",
    "conv_s8_16to2_k1",
    "conv_s8_1d_1to1_k5",
    "conv_s8_1d_1to8_k5",
    "conv_s8_1d_1to4_k3_d4",
    "relu_s8",
    "relu6_s8",
)
# At most the instructions of an inference with the reference kernels of TFLM of August 2023, from `hil bench`.
TFLM = {
    "add_f32_channels": 10_149,
    "average_pool_f32_1_3x3": 9_127,
    "dense_f32_3to3_b32": 4_771,
    "dense_s16_3to3_b32": 9_795,
    "hard_swish_f32": 7_180,
    "logistic_f32": 45_135,
    "pack_f32": 3_913,
    "prelu_f32": 7_465,
    "prelu_s8": 33_943,
    "quantize_f32_s8": 18_662,
    "quantize_s16_s8": 22_348,
    "softmax_f32_64x4": 23_917,
    "strided_slice_s16_every_2nd": 5_440,
    "transpose_f32": 5_598,
}


@needs_arm_gcc
@needs_qemu
def test_kernels_need_no_more_instructions_than_their_goals_and_tflm(tmp_path: Path) -> None:
    networks = {network.name: network for network in bench_networks() if network.name in (*NAMES, *TFLM)}
    assert set(networks) == {*NAMES, *TFLM}
    counts = instruction_counts({name: network.content for name, network in networks.items()}, tmp_path)
    for name, network in networks.items():
        if name in NAMES:
            assert network.most is not None
            assert counts[name] / network.work <= network.most, name
        if name in TFLM:
            assert counts[name] < TFLM[name], name
        # Fewer than one instruction per multiply-accumulate, or per four elements, means that the kernel did not run.
        assert counts[name] >= network.work / 4, name


def test_the_set_is_the_same_every_time() -> None:
    first, second = ([(network.name, network.content) for network in bench_networks()] for _ in range(2))
    assert first == second
    assert len({name for name, _ in first}) == len(first)
