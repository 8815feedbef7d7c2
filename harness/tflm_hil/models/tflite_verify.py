"""Verify the bounds of a .tflite file before anything reads it.

The flatbuffers library can verify only in C++; its Python accessors follow any offset. This module visits every table,
vector and string that the reader uses and checks that each lies inside the file. After that, no accessor reads outside
the file or loops over a false length. Format: https://flatbuffers.dev/internals/ and the TFLite schema
(tensorflow/lite/schema/schema.fbs); SCHEMA below has its field numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tflm_hil.errors import HilError

IDENTIFIER = b"TFL3"
MAX_RANK = 8


class InvalidFileError(HilError):
    """A damaged file. The message says what is wrong and at which byte, but not the name of the file."""


@dataclass(frozen=True)
class Scalar:
    """A number of `size` bytes inside its table."""

    size: int


@dataclass(frozen=True)
class Vector:
    """A vector of numbers of `size` bytes; a string is a vector of bytes."""

    size: int
    limit: int | None = None


@dataclass(frozen=True)
class Table:
    """A table of the named kind."""

    kind: str


@dataclass(frozen=True)
class Tables:
    """A vector of tables of the named kind."""

    kind: str


Field = Scalar | Vector | Table | Tables

SCHEMA: dict[str, dict[int, Field]] = {
    "Model": {
        0: Scalar(4),
        1: Tables("OperatorCode"),
        2: Tables("SubGraph"),
        3: Vector(1),
        4: Tables("Buffer"),
    },
    "OperatorCode": {0: Scalar(1), 1: Vector(1), 2: Scalar(4), 3: Scalar(4)},
    "SubGraph": {0: Tables("Tensor"), 1: Vector(4), 2: Vector(4), 3: Tables("Operator"), 4: Vector(1)},
    "Tensor": {
        0: Vector(4, limit=MAX_RANK),
        1: Scalar(1),
        2: Scalar(4),
        3: Vector(1),
        4: Table("QuantizationParameters"),
        5: Scalar(1),
        6: Table("SparsityParameters"),
        7: Vector(4, limit=MAX_RANK),
        10: Scalar(4),
    },
    "QuantizationParameters": {2: Vector(4), 3: Vector(8), 4: Scalar(1), 6: Scalar(4)},
    "SparsityParameters": {},
    "Operator": {0: Scalar(4), 1: Vector(4), 2: Vector(4), 3: Scalar(1), 4: Table("Options"), 5: Vector(1)},
    # One union for the options of all operators: the reader takes numbers from it and checks their sizes itself.
    "Options": {},
    "Buffer": {0: Vector(1), 1: Scalar(8), 2: Scalar(8)},
}


def verify(data: bytes) -> None:
    """Check that `data` is a .tflite whose tables, vectors and strings all lie inside it.

    Raises:
        InvalidFileError: it is not; the message says what and at which byte.
    """
    if not data:
        raise InvalidFileError("the file is empty")
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise InvalidFileError("the identifier TFL3 is missing, so this is not a .tflite")
    _Verifier(data).table("Model", _Verifier(data).offset(0, "root"))


class _Verifier:
    def __init__(self, data: bytes) -> None:
        self.data = data
        # No valid file needs nearly this much. Without a limit, a file whose offsets all point to one large vector
        # would take hours.
        self.budget = 4 * len(data) + 4096

    def table(self, kind: str, position: int) -> None:
        """Check the table at `position` and everything that SCHEMA names below it."""
        vtable = position - self._number("<i", position, kind)
        if vtable < 0:
            raise InvalidFileError(f"the vtable of a {kind} lies outside the file (table at byte {position})")
        vtable_size = self._number("<H", vtable, kind)
        table_size = self._number("<H", vtable + 2, kind)
        # Tables may share a vtable, but it is visited once per table, so it counts once per table.
        self._claim(vtable, vtable_size, f"vtable of a {kind}")
        self._claim(position, table_size, kind)
        if vtable_size < 4 or vtable_size % 2:
            raise InvalidFileError(f"the vtable of a {kind} is {vtable_size} bytes long (at byte {vtable})")
        for number in range((vtable_size - 4) // 2):
            start = self._number("<H", vtable + 4 + 2 * number, kind)
            if start:
                field = SCHEMA[kind].get(number, Scalar(1))
                self._field(f"{kind} field {number}", field, position + start, position + table_size)

    def offset(self, position: int, name: str) -> int:
        """Return the position that the offset at `position` points to."""
        return position + self._number("<I", position, name)

    def _field(self, name: str, field: Field, position: int, table_end: int) -> None:
        size = field.size if isinstance(field, Scalar) else 4
        if position + size > table_end:
            raise InvalidFileError(f"{name} lies outside its table (at byte {position})")
        match field:
            case Scalar():
                pass
            case Vector():
                self._vector(name, self.offset(position, name), field.size, field.limit)
            case Table():
                self.table(field.kind, self.offset(position, name))
            case Tables():
                start = self.offset(position, name)
                for index in range(self._vector(name, start, 4, None)):
                    self.table(field.kind, self.offset(start + 4 + 4 * index, name))

    def _vector(self, name: str, position: int, size: int, limit: int | None) -> int:
        length = self._number("<I", position, name)
        if limit is not None and length > limit:
            raise InvalidFileError(f"{name} has {length} elements, more than {limit} (at byte {position})")
        self._claim(position + 4, length * size, name)
        return length

    def _claim(self, position: int, size: int, name: str) -> None:
        if position + size > len(self.data):
            raise InvalidFileError(f"{name} reaches beyond the end of the file (at byte {position})")
        self.budget -= 4 + size
        if self.budget < 0:
            raise InvalidFileError(f"{name} overlaps what was read before (at byte {position})")

    def _number(self, form: str, position: int, name: str) -> int:
        if position < 0 or position + struct.calcsize(form) > len(self.data):
            raise InvalidFileError(f"{name} lies outside the file (at byte {position})")
        value: int = struct.unpack_from(form, self.data, position)[0]
        return value
