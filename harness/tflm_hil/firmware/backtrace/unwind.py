"""Who called whom, from the registers and the stack of a Cortex-M that stopped.

Three ways lead from a function to its caller: the rules in .debug_frame (DWARF 5, 6.4); the frame that the core pushed
on an exception (ARMv7-M Architecture Reference Manual, DDI 0403E, B1.5.6); and, where neither is known, a search for
something that looks like a return address. Whatever the registers and the stack hold, the work is bounded.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from tflm_hil.firmware.backtrace.program import Program

SP, LR, PC = 13, 14, 15
"""The numbers of DWARF for registers of ARM; r0 to r12 are 0 to 12."""

MOST_FRAMES = 256

_WORD = 4
_THUMB = 1
_RESET_LR = 0xFFFFFFFF
_EXCEPTION_RETURN = 0xFFFFFF00
"""Addresses from here on are no code: a function that returns to one ends an exception."""

_BASIC_FRAME = 1 << 4
_PROCESS_STACK = 1 << 2
_FRAME_LR, _FRAME_PC, _FRAME_PSR, _FRAME_BYTES, _FPU_BYTES = 20, 24, 28, 32, 72
_PSR_ALIGNED = 1 << 9


class How(enum.Enum):
    """How a frame is related to the one before it."""

    STOPPED = "in"
    CALLED = "called from"
    INTERRUPTED = "interrupting"
    GUESSED = "perhaps called from"


@dataclass(frozen=True)
class Frame:
    """An instruction, by its address: the one that was executed, or the call that has not returned."""

    address: int
    how: How


def unwind(program: Program, registers: Mapping[int, int], memory: Mapping[int, int]) -> list[Frame]:
    """Return the frames from the innermost to the outermost, as far as they can be found.

    `registers` are those at the moment of the stop, `memory` the words of the stack by their addresses. A return
    address that does not follow a call is never believed.
    """
    return _Unwinding(program, registers, memory).frames


class _Step(enum.Enum):
    DONE = enum.auto()
    END = enum.auto()
    """The function that has just been reached was called by nobody."""
    LOST = enum.auto()


class _Unwinding:
    def __init__(self, program: Program, registers: Mapping[int, int], memory: Mapping[int, int]) -> None:
        self._program = program
        self._registers = dict(registers)
        self._memory = memory
        self._exact = True
        """Whether the registers are those of an instruction that was executed, not of a call that has not returned."""
        self._guessed = False
        self.frames: list[Frame] = []
        if self._registers[PC] or self._registers[LR]:  # Both are 0 if the core could not push them.
            self.frames.append(Frame(self._registers[PC] & ~_THUMB, How.STOPPED))
        while len(self.frames) < MOST_FRAMES:
            step = self._follow() if self.frames else _Step.LOST
            if step is _Step.END or (step is _Step.LOST and not self._search()):
                break

    def _follow(self) -> _Step:
        """Go to the caller by what is known; change nothing if that leads nowhere."""
        pc = self.frames[-1].address
        if not self._program.is_code(pc):  # A call through a bad pointer: nothing has been pushed since.
            return self._return_to(self._registers[LR], self._registers[SP]) if self._exact else _Step.LOST
        rule = self._program.rule(pc)
        if rule is None or rule.base not in self._registers:
            return _Step.LOST
        if LR not in rule.saved and not self._exact:  # It has called a function without keeping where to return to.
            return _Step.END
        stack_pointer = (self._registers[rule.base] + rule.offset) & 0xFFFFFFFF
        saved = {number: self._memory.get(stack_pointer + offset) for number, offset in rule.saved.items()}
        # A function that has called another has pushed something: without that there might be no end.
        if stack_pointer < self._registers[SP] + (0 if self._exact else _WORD) or None in saved.values():
            return _Step.LOST
        before = dict(self._registers)
        self._registers |= {number: word for number, word in saved.items() if word is not None}
        step = self._return_to(self._registers[LR], stack_pointer)
        if step is _Step.LOST:
            self._registers = before
        return step

    def _return_to(self, address: int, stack_pointer: int) -> _Step:
        if address == _RESET_LR:
            return _Step.END
        if address >= _EXCEPTION_RETURN:
            return self._leave_exception(address, stack_pointer)
        if not self._is_return_address(address):
            return _Step.LOST
        self._go(address, stack_pointer)
        return _Step.DONE

    def _leave_exception(self, code: int, stack_pointer: int) -> _Step:
        """Go to the instruction that the exception interrupted. What other stacks hold is not known."""
        lr, pc, psr = (self._memory.get(stack_pointer + at) for at in (_FRAME_LR, _FRAME_PC, _FRAME_PSR))
        if code & _PROCESS_STACK or lr is None or pc is None or psr is None or not self._program.is_code(pc):
            return _Step.END
        fpu = 0 if code & _BASIC_FRAME else _FPU_BYTES
        aligned = _WORD if psr & _PSR_ALIGNED else 0
        self._registers |= {SP: stack_pointer + _FRAME_BYTES + fpu + aligned, LR: lr}
        self._exact = True
        self.frames.append(Frame(pc, How.INTERRUPTED))
        return _Step.DONE

    def _search(self) -> bool:
        """Go to what looks like the next return address: that in LR, or one on the stack."""
        self._guessed = True
        lr, stack_pointer = self._registers[LR], self._registers[SP]
        if self.frames and self._exact and self._is_return_address(lr) and not self._is_inside(lr):
            self._go(lr, stack_pointer)
            return True
        for address in sorted(address for address in self._memory if address >= stack_pointer):
            if self._is_return_address(self._memory[address]):
                self._go(self._memory[address], address + _WORD)
                return True
        return False

    def _is_return_address(self, address: int) -> bool:
        return bool(address & _THUMB) and self._program.follows_call(address & ~_THUMB)

    def _is_inside(self, address: int) -> bool:
        """Whether `address` is in the function of the last frame, which has called another and is about to return."""
        return self._program.function(address) == self._program.function(self.frames[-1].address)

    def _go(self, address: int, stack_pointer: int) -> None:
        """Add the caller; the call is before the `address` that it returns to."""
        self._registers[SP] = stack_pointer
        self._exact = False
        self.frames.append(Frame((address & ~_THUMB) - 1, How.GUESSED if self._guessed else How.CALLED))
