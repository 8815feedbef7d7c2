"""Which buffer each tensor uses and for how long: the input of the memory plan."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compiler.network import Network
from harness.compiler.plan import Buffer, Plan, make_plan
from harness.compiler.step import Step


class Storage:
    """The arena of a network: `offset(tensor)`, and `plan` for its size.

    A RESHAPE's output is its input's buffer. A kernel that may work in place does so where nobody needs its input any
    more. With `keep_tensors` every tensor has its own bytes until the end, so that all can be read after a run.
    """

    def __init__(self, network: Network, steps: Sequence[Step], keep_tensors: bool) -> None:
        self.network = network
        self._root: dict[int, int] = {}
        end = len(steps)
        last_use = dict.fromkeys(network.inputs, -1)
        for number, step in enumerate(steps):
            last_use[step.output] = number
            last_use.update((index, number) for index in step.inputs)
        last_use.update((index, end) for index in network.outputs)

        first: dict[int, int] = {}
        last: dict[int, int] = {}
        size: dict[int, int] = {}

        def use(tensor: int, root: int, number: int) -> None:
            self._root[tensor] = root
            first.setdefault(root, 0 if keep_tensors else number)
            last[root] = end if keep_tensors else max(last.get(root, -1), last_use[tensor])
            size[root] = max(size.get(root, 0), self.bytes(tensor))

        for tensor in network.inputs:
            use(tensor, tensor, 0)
        for number, step in enumerate(steps):
            source = step.inputs[0]
            if source not in self._root:
                # Reads a constant; there is nothing to share.
                root = self._root.setdefault(step.output, source) if step.kernel is None else step.output
            elif step.kernel is None or (self._overwritable(step, last[self._root[source]], number, keep_tensors)):
                root = self._root[source]
            else:
                root = step.output
            if network.tensors[root].data is None:
                use(step.output, root, number)
            for tensor, extra in step.readable.items():
                if tensor in self._root and self._root[tensor] in size:
                    size[self._root[tensor]] = max(size[self._root[tensor]], self.bytes(tensor) + extra)
        self.plan: Plan = make_plan([Buffer(root, size[root], first[root], last[root]) for root in first])
        self.lifetimes = {root: (first[root], last[root]) for root in first}

    def bytes(self, tensor: int) -> int:
        """The size of a tensor's data."""
        found = self.network.tensors[tensor]
        assert found.type.dtype is not None
        return found.elements * found.type.dtype.itemsize

    def root(self, tensor: int) -> int:
        """The tensor whose buffer, or whose constant, `tensor` shares: itself, where it shares none."""
        return self._root.get(tensor, tensor)

    def offset(self, tensor: int) -> int | None:
        """Where `tensor` lies in the arena; None for a constant."""
        return self.plan.offsets.get(self.root(tensor))

    def _overwritable(self, step: Step, last: int, number: int, keep_tensors: bool) -> bool:
        return (
            step.in_place
            and not keep_tensors
            and last == number
            and self.bytes(step.output) == self.bytes(step.inputs[0])
        )
