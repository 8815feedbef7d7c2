"""A debug port with one memory access port (ARM Debug Interface v5.0 to v5.2), in front of a chip."""

from __future__ import annotations

from support.simulated_probe.chip import RAM, ROM_TABLE, Chip

# Registers of the debug port.
DPIDR, CTRL_STAT, SELECT, RDBUFF = 0x0, 0x4, 0x8, 0xC
# Registers of the access port.
CSW, TAR, DRW, BD0, BD3, CFG, BASE, IDR = 0x00, 0x04, 0x0C, 0x10, 0x1C, 0xF4, 0xF8, 0xFC

_DPIDR = 0x0BB11477
_AHB_AP = 0x04770021
_POWER_REQUESTS = 0x5000_0000
_STICKY_ERROR = 1 << 5
_SIZE, _INCREMENT = 0x7, 0x30
_CSW_READ_ONLY = 0x0300_0040
_BLOCK = 0x400
"""TAR counts within so many bytes."""


class DebugPort:
    """What a probe reads and writes. A fault of the bus is remembered until it is cleared."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.fault = False
        self._select = 0
        self._power = 0
        self._csw = 0x2
        self._tar = 0

    def read(self, register: int) -> int:
        """Read a register of the debug port."""
        if register == DPIDR:
            return _DPIDR
        if register == CTRL_STAT and not self._select & 0xF:
            return self._power | self._power << 1 | (_STICKY_ERROR if self.fault else 0)
        return 0

    def write(self, register: int, value: int) -> None:
        """Write a register of the debug port."""
        if register == CTRL_STAT and not self._select & 0xF:
            self._power = value & _POWER_REQUESTS
        elif register == SELECT:
            self._select = value

    def bank(self, address: int) -> None:
        """Select the access port and bank of an address."""
        self._select = address & 0xFF00_00F0

    def read_ap(self, offset: int) -> int:
        """Read a register of the access port, in the selected bank."""
        register = self._register(offset)
        if register == DRW:
            value = self._load(self._tar, 1 << (self._csw & _SIZE))
            self._advance()
            return value
        if BD0 <= register <= BD3:
            return self._load(self._tar & ~0xF | register - BD0, 4)
        return {CSW: self._csw | _CSW_READ_ONLY, TAR: self._tar, BASE: ROM_TABLE | 3, IDR: _AHB_AP}.get(register, 0)

    def write_ap(self, offset: int, value: int) -> None:
        """Write a register of the access port, in the selected bank."""
        register = self._register(offset)
        if register == CSW:
            # There are no packed transfers.
            self._csw = value & ~_INCREMENT if value & _INCREMENT == _INCREMENT else value
        elif register == TAR:
            self._tar = value
        elif register == DRW:
            size = 1 << (self._csw & _SIZE)
            lane = 8 * (self._tar % 4)
            self.chip.write(self._tar, (value >> lane & (1 << 8 * size) - 1).to_bytes(size, "little"))
            self._advance()
        elif BD0 <= register <= BD3:
            self.chip.write(self._tar & ~0xF | register - BD0, value.to_bytes(4, "little"))

    def read_block(self, count: int) -> list[int]:
        """Read DRW `count` times; whole words of memory in one go."""
        values: list[int] = []
        while len(values) < count:
            words = min(count - len(values), self._words_at_once())
            if not words:
                values.append(self.read_ap(DRW))
                continue
            data = self.chip.read(self._tar, 4 * words)
            self.fault |= data is None
            data = data or bytes(4 * words)
            values += [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
            self._advance(4 * words)
        return values

    def write_block(self, values: list[int]) -> None:
        """Write DRW with each of `values`; whole words of RAM in one go."""
        while values:
            words = min(len(values), self._words_at_once())
            if not words:
                self.write_ap(DRW, values.pop(0))
                continue
            self.chip.write(self._tar, b"".join(value.to_bytes(4, "little") for value in values[:words]))
            self._advance(4 * words)
            values = values[words:]

    def _register(self, offset: int) -> int:
        return self._select & 0xF0 | offset if not self._select >> 24 else CFG  # the other access ports are not there

    def _load(self, address: int, size: int) -> int:
        data = self.chip.read(address, size)
        if data is None:
            self.fault = True
            return 0
        return int.from_bytes(data, "little") << 8 * (address % 4 if size < 4 else 0)

    def _advance(self, count: int | None = None) -> None:
        if self._csw & _INCREMENT:
            step = 1 << (self._csw & _SIZE) if count is None else count
            self._tar = self._tar & ~(_BLOCK - 1) | (self._tar + step) % _BLOCK

    def _words_at_once(self) -> int:
        """How many words follow in RAM within the block; 0 if each access has to go its own way."""
        plain = self._csw & _SIZE == 2 and self._csw & _INCREMENT and self._tar >> 28 == RAM >> 28
        return (_BLOCK - self._tar % _BLOCK) // 4 if plain else 0
