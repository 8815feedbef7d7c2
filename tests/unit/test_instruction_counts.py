"""What the kernels cost: executed instructions, the same on every run, of a few networks of the bench's set."""

from __future__ import annotations

from pathlib import Path

from emulated_programs import needs_arm_gcc, needs_qemu
from instruction_counts import instruction_counts

from harness.bench.networks import bench_networks

NAMES = ("conv_f32_16to16_k3", "conv_f32_3to8_k3_s2", "conv_f32_1d_6to8_k5_d2", "add_s8", "conv_s8_3to8_k3_s2")


@needs_arm_gcc
@needs_qemu
def test_kernels_need_no_more_instructions_than_their_goals(tmp_path: Path) -> None:
    networks = {network.name: network for network in bench_networks() if network.name in NAMES}
    assert set(networks) == set(NAMES)
    counts = instruction_counts({name: network.content for name, network in networks.items()}, tmp_path)
    for name, network in networks.items():
        assert network.most is not None
        assert counts[name] / network.work <= network.most, name
        # No kernel does a multiply-accumulate, or an element, in less than one: it would not have been run.
        assert counts[name] >= network.work, name


def test_the_set_is_the_same_every_time() -> None:
    first, second = ([(network.name, network.content) for network in bench_networks()] for _ in range(2))
    assert first == second
    assert len({name for name, _ in first}) == len(first)
