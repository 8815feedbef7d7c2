"""Decide which buffer each tensor uses and for how long."""

from __future__ import annotations

from collections.abc import Sequence

from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import KernelCall
from tflm_hil.compiler.memory.plan import Buffer, Plan, lower_bound, make_plan


class Storage:
    """The places of all tensors: activations are in the arena, constants that kernels read as tensors in flash.

    The output of RESHAPE is its input under another name. A kernel that may work in place does so if its input is not
    needed any more. With `keep_tensors` all other tensors keep separate memory until the end, so that they can be read
    after a run. The state of kernels has separate memory that lives as long as the network.

    `plan` places `buffers` (tensors, state and scratch memory) in the arena of `arena_bytes`. Buffers of tensors and
    state are named after a tensor: `lifetimes` holds the first and the last step that needs each, `sizes` its bytes.
    `lower_bound` is the largest sum of these buffers at one step, without scratch memory and alignment. `constants`
    holds the bytes of each constant, including those that kernels may read beyond its end.
    """

    buffers: list[Buffer]
    plan: Plan
    arena_bytes: int
    lower_bound: int
    lifetimes: dict[int, tuple[int, int]]
    sizes: dict[int, int]
    constants: dict[int, int]

    def __init__(self, network: Network, calls: Sequence[KernelCall], keep_tensors: bool) -> None:
        self._network = network
        self._keep = keep_tensors
        self._end = len(calls)
        self._last_use = dict.fromkeys(network.inputs, 0)
        self._readable: dict[int, int] = {}
        for number, call in enumerate(calls):
            self._last_use |= dict.fromkeys([*call.inputs, *call.outputs], number)
            for tensor, extra in call.readable.items():
                self._readable[tensor] = max(self._readable.get(tensor, 0), extra)
        self._last_use |= dict.fromkeys(network.outputs, self._end)

        self._root: dict[int, int] = {}
        self._read: dict[int, int] = {}
        self.lifetimes = {}
        self.sizes = {}
        self.constants = {}
        for tensor in network.inputs:
            self._claim(tensor, tensor, 0)
        for number, call in enumerate(calls):
            self._claim_outputs(call, number)
        for call in calls:
            for tensor, size in call.state.items():
                self.lifetimes[tensor] = (0, self._end)
                self.sizes[tensor] = max(self.sizes.get(tensor, 0), size)
        kept = [Buffer(root, self.sizes[root], *self.lifetimes[root]) for root in self.lifetimes]
        scratch = [
            Buffer(_scratch_name(call), call.scratch, number, number)
            for number, call in enumerate(calls)
            if call.scratch
        ]
        self.buffers = [*kept, *scratch]
        self.plan = make_plan(self.buffers, self._lags(calls))
        self.lower_bound = lower_bound(kept)
        # Bytes that are read beyond the end of a tensor may belong to another tensor.
        read = (self.plan.offsets[root] + size for root, size in self._read.items())
        self.arena_bytes = max(self.plan.bytes, *read, 1)

    def bytes(self, tensor: int) -> int:
        """Return the bytes of a tensor."""
        found = self._network.tensors[tensor]
        assert found.type.dtype is not None, "the operators take whole bytes only"
        return found.elements * found.type.dtype.itemsize

    def root(self, tensor: int) -> int:
        """Return the tensor that the buffer or constant of `tensor` is named after."""
        return self._root.get(tensor, tensor)

    def offset(self, tensor: int) -> int | None:
        """Return the offset of `tensor` in the arena; None for a constant."""
        return self.plan.offsets.get(self.root(tensor))

    def scratch_offset(self, call: KernelCall) -> int:
        """Return the offset of the scratch memory of `call` in the arena."""
        return self.plan.offsets[_scratch_name(call)]

    def _claim_outputs(self, call: KernelCall, number: int) -> None:
        for tensor in call.inputs if call.kernel else ():
            self._read_constant(tensor)
        source = self.root(call.inputs[0]) if call.inputs else None
        for output in call.outputs:
            if source is not None and (call.kernel is None or self._may_overwrite(call, source, number)):
                self._claim(output, source, number)
            else:
                self._claim(output, output, number)

    def _claim(self, tensor: int, root: int, number: int) -> None:
        """Let `tensor` use the buffer `root` from step `number` on."""
        self._root[tensor] = root
        if self._network.tensors[root].data is not None:
            return
        first, last = self.lifetimes.get(root, (number, number))
        self.lifetimes[root] = (0, self._end) if self._keep else (first, max(last, self._last_use[tensor]))
        self.sizes[root] = max(self.sizes.get(root, 0), self.bytes(tensor))
        self._read[root] = max(self._read.get(root, 0), self.bytes(tensor) + self._readable.get(tensor, 0))

    def _read_constant(self, tensor: int) -> None:
        root = self.root(tensor)
        if self._network.tensors[root].data is not None:
            needed = self.bytes(tensor) + self._readable.get(tensor, 0)
            self.constants[root] = max(self.constants.get(root, 0), needed)

    def _may_overwrite(self, call: KernelCall, source: int, number: int) -> bool:
        """Whether `call` may write its output over its first input, the buffer `source`."""
        return (
            call.in_place
            and not self._keep
            and source in self.lifetimes
            and self.lifetimes[source][1] == number
            and self.bytes(call.outputs[0]) == self.bytes(call.inputs[0])
            and all(self.root(other) != source for other in call.inputs[1:])
        )

    def _lags(self, calls: Sequence[KernelCall]) -> dict[tuple[int, int], int]:
        """By how many bytes output and scratch memory must begin before the last input of their call, to overlap it."""
        lags = {}
        for number, call in enumerate(calls):
            if call.lag is None and call.scratch_lag is None:
                continue
            source, (output,) = self.root(call.inputs[-1]), call.outputs
            dies = not self._keep and source in self.lifetimes and self.lifetimes[source][1] == number
            read_otherwise = any(self.root(other) == source for other in (*call.inputs[:-1], output))
            if not dies or read_otherwise:
                continue
            if call.lag is not None and self.lifetimes[self.root(output)][0] == number:
                lags[self.root(output), source] = call.lag
            if call.scratch_lag is not None:
                lags[_scratch_name(call), source] = call.scratch_lag
        return lags


def _scratch_name(call: KernelCall) -> int:
    """The name of the scratch buffer in the plan: negative, unlike those of tensors."""
    return -1 - call.op.index
