"""Which buffer each tensor uses and for how long: the input of the memory plan."""

from __future__ import annotations

from collections.abc import Sequence

from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Step
from tflm_hil.compiler.memory.plan import Buffer, Plan, lower_bound, make_plan


class Storage:
    """Where the tensors of a network lie: activations in the arena, constants that kernels read as tensors in flash.

    A RESHAPE's output is its input under another name. A kernel that may work in place does so where nobody needs its
    input any more. With `keep_tensors` every other tensor has its own bytes until the end, so that all can be read
    after a run.

    `plan` places `buffers`, tensors and scratch memory, in the arena of `arena_bytes`. `lifetimes` says for each
    tensor's buffer, by the tensor it is named after, the first and the last step that needs it. `lower_bound` is the
    largest sum of tensors that are alive at one step: neither scratch memory nor alignment counts. `constants` holds
    the bytes of each constant, with what kernels may read beyond it.
    """

    buffers: list[Buffer]
    plan: Plan
    arena_bytes: int
    lower_bound: int
    lifetimes: dict[int, tuple[int, int]]
    constants: dict[int, int]

    def __init__(self, network: Network, steps: Sequence[Step], keep_tensors: bool) -> None:
        self._network = network
        self._keep = keep_tensors
        self._end = len(steps)
        self._last_use = dict.fromkeys(network.inputs, 0)
        self._readable: dict[int, int] = {}
        for number, step in enumerate(steps):
            self._last_use |= dict.fromkeys([*step.inputs, step.output], number)
            for tensor, extra in step.readable.items():
                self._readable[tensor] = max(self._readable.get(tensor, 0), extra)
        self._last_use |= dict.fromkeys(network.outputs, self._end)

        self._root: dict[int, int] = {}
        self._size: dict[int, int] = {}
        self._read: dict[int, int] = {}
        self.lifetimes = {}
        self.constants = {}
        for tensor in network.inputs:
            self._claim(tensor, tensor, 0)
        for number, step in enumerate(steps):
            for tensor in step.inputs if step.kernel else ():
                self._read_constant(tensor)
            source = self.root(step.inputs[0])
            shared = step.kernel is None or self._may_overwrite(step, source, number)
            self._claim(step.output, source if shared else step.output, number)
        tensors = [Buffer(root, self._size[root], *self.lifetimes[root]) for root in self.lifetimes]
        scratch = [
            Buffer(_scratch_name(step), step.scratch, number, number)
            for number, step in enumerate(steps)
            if step.scratch
        ]
        self.buffers = [*tensors, *scratch]
        self.plan = make_plan(self.buffers, self._lags(steps))
        self.lower_bound = lower_bound(tensors)
        # What is read beyond a tensor may belong to another one.
        read = (self.plan.offsets[root] + size for root, size in self._read.items())
        self.arena_bytes = max(self.plan.bytes, *read, 1)

    def bytes(self, tensor: int) -> int:
        """The size of a tensor's data."""
        found = self._network.tensors[tensor]
        assert found.type.dtype is not None, "the operators take whole bytes only"
        return found.elements * found.type.dtype.itemsize

    def root(self, tensor: int) -> int:
        """The tensor after which the buffer or constant of `tensor` is named."""
        return self._root.get(tensor, tensor)

    def offset(self, tensor: int) -> int | None:
        """Where `tensor` lies in the arena; None for a constant."""
        return self.plan.offsets.get(self.root(tensor))

    def scratch_offset(self, step: Step) -> int:
        """Where the memory lies that `step` has for itself."""
        return self.plan.offsets[_scratch_name(step)]

    def _claim(self, tensor: int, root: int, number: int) -> None:
        """Let `tensor` use the buffer `root` from step `number` on."""
        self._root[tensor] = root
        if self._network.tensors[root].data is not None:
            return
        first, last = self.lifetimes.get(root, (number, number))
        self.lifetimes[root] = (0, self._end) if self._keep else (first, max(last, self._last_use[tensor]))
        self._size[root] = max(self._size.get(root, 0), self.bytes(tensor))
        self._read[root] = max(self._read.get(root, 0), self.bytes(tensor) + self._readable.get(tensor, 0))

    def _read_constant(self, tensor: int) -> None:
        root = self.root(tensor)
        if self._network.tensors[root].data is not None:
            needed = self.bytes(tensor) + self._readable.get(tensor, 0)
            self.constants[root] = max(self.constants.get(root, 0), needed)

    def _may_overwrite(self, step: Step, source: int, number: int) -> bool:
        return (
            step.in_place
            and not self._keep
            and source in self.lifetimes
            and self.lifetimes[source][1] == number
            and self.bytes(step.output) == self.bytes(step.inputs[0])
            and all(self.root(other) != source for other in step.inputs[1:])
        )

    def _lags(self, steps: Sequence[Step]) -> dict[tuple[int, int], int]:
        """By which bytes buffers must begin before the one that a step reads last, if they share memory with it."""
        lags = {}
        for number, step in enumerate(steps):
            source = self.root(step.inputs[-1])
            dies = not self._keep and source in self.lifetimes and self.lifetimes[source][1] == number
            read_otherwise = any(self.root(other) == source for other in (*step.inputs[:-1], step.output))
            if not dies or read_otherwise:
                continue
            if step.lag is not None and self.lifetimes[self.root(step.output)][0] == number:
                lags[self.root(step.output), source] = step.lag
            if step.scratch_lag is not None:
                lags[_scratch_name(step), source] = step.scratch_lag
        return lags


def _scratch_name(step: Step) -> int:
    """The buffer's name in the plan, below those of the tensors."""
    return -1 - step.operator.index
