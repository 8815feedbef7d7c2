"""From addresses, registers and stacks to functions and lines: held against binutils, and against nonsense."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from hypothesis import given, settings
from hypothesis import strategies as st
from support.once import once
from tflm_hil.errors import HilError
from tflm_hil.firmware.backtrace import unwind
from tflm_hil.firmware.backtrace.places import Place
from tflm_hil.firmware.backtrace.program import Program, Rule

pytestmark = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc: install gcc-arm-none-eabi"
)

needs_gdb = pytest.mark.skipif(
    not (shutil.which("gdb-multiarch") and shutil.which("qemu-system-arm")),
    reason="needs gdb-multiarch and qemu-system-arm: run `make test`",
)

# Functions that are inlined into each other, a frame of variable size, and one that nothing calls.
SOURCE = """
typedef void (*vector_t)(void);
int main(void);
static void reset(void) {
    main();
    for (;;) {
    }
}
__attribute__((section(".vectors"), used)) static const vector_t vectors[] = {(vector_t)0x20001000, reset};

static volatile int sink = 0;
static inline int square(int x) { return x * x; }
static inline int sum(int a, int b) {
    sink++;
    return square(a) + square(b);
}
__attribute__((noinline)) int innermost(int n) {
    sink = sum(n, sink);
    __asm volatile("stop: udf #0");
    return sink;
}
__attribute__((noinline)) int variable(int n) {
    volatile char room[n];
    room[n - 1] = (char)n;
    int result = innermost(n);
    return result + room[n - 1];
}
int unused(int n) { return sum(n, variable(n)); }
__attribute__((noinline)) int middle(int n) { return variable(n + 3) + 1; }
int main(void) { return middle(5) + 2; }
"""
LAYOUT = """
SECTIONS {
    .text 0x08000000 : { KEEP(*(.vectors)) *(.text*) }
    .bss 0x20001000 : { *(.bss*) }
    /DISCARD/ : { *(.ARM*) }
}
"""


def compiled(flags: str, origin: int = 0x08000000) -> Path:
    """Return the ELF file of SOURCE with its code from `origin` on."""

    def make(folder: Path) -> None:
        (folder / "source.c").write_text(SOURCE)
        (folder / "layout.ld").write_text(LAYOUT.replace("0x08000000", hex(origin)))
        command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", *flags.split(), "-ffunction-sections"]
        command += [
            "-nostdlib",
            "-Wl,--gc-sections",
            "-Wl,--build-id=none",
            "-Wl,-e,main",
            "-T",
            "layout.ld",
            "source.c",
        ]
        subprocess.run([*command, "-o", "program.elf"], check=True, cwd=folder)

    return once(f"backtrace {flags} {origin}".replace(" ", "_"), make) / "program.elf"


def functions(elf: Path) -> list[range]:
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = [symbol for symbol in table.iter_symbols() if symbol["st_info"]["type"] == "STT_FUNC"]
        starts = [(symbol["st_value"] & ~1, symbol["st_size"]) for symbol in symbols]
        return [range(start, start + size) for start, size in starts]


def by_binutils(elf: Path, addresses: list[int]) -> dict[int, list[Place]]:
    """Return what addr2line says."""
    command = ["arm-none-eabi-addr2line", "-afie", str(elf), *map(hex, addresses)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for part in re.split(r"^0x", said, flags=re.MULTILINE)[1:]:
        address, *lines = part.splitlines()
        places = zip(lines[::2], (line.split(" (")[0].rpartition(":") for line in lines[1::2]), strict=True)
        found[int(address, 16)] = [
            Place(function, Path(file).name, int(line) if line.isdigit() else 0) for function, (file, _, line) in places
        ]
    return found


@pytest.mark.parametrize("flags", ["-Os -g", "-O0 -g", "-O2 -gdwarf-4", "-O2 -gdwarf-3"])
@pytest.mark.parametrize("aranges", [True, False])
def test_places_are_those_of_addr2line(tmp_path: Path, flags: str, aranges: bool) -> None:
    elf = tmp_path / "program.elf"
    removed = [] if aranges else ["--remove-section=.debug_aranges"]
    subprocess.run(["arm-none-eabi-objcopy", *removed, compiled(flags), elf], check=True)
    program = Program(elf)
    addresses = [address for function in functions(elf) for address in function[::2]]
    ours = {
        address: [Place(place.function, Path(place.file).name, place.line) for place in program.places(address)]
        for address in addresses
    }
    assert ours == by_binutils(elf, addresses)
    assert max(map(len, ours.values())) == (1 if "-O0" in flags else 3)


def test_what_the_linker_discarded_is_not_taken_for_the_code_at_the_beginning() -> None:
    """It leaves the debug information of `unused` at address 0, where the flash of some chips begins."""
    elf = compiled("-O0 -g", origin=0)
    program = Program(elf)
    assert min(function.start for function in functions(elf)) < 20
    for function in functions(elf):
        # Nothing is pushed before the first instruction.
        assert program.rule(function.start) == Rule(base=unwind.SP, offset=0, saved={})
        for address in function[::2]:
            assert program.places(address)[-1].function == program.function(address)


def stopped(elf: Path, folder: Path) -> tuple[dict[int, int], dict[int, int], list[tuple[str, int]]]:
    """Run the program until `stop`; return registers, memory and GDB's backtrace, functions and lines."""
    gdb = folder / "gdb"
    command = ["qemu-system-arm", "-M", "netduinoplus2", "-nographic", "-monitor", "none", "-S", "-kernel", str(elf)]
    command += ["-chardev", f"socket,id=gdb,path={gdb},server=on,wait=off", "-gdb", "chardev:gdb"]
    steps = [f"target remote {gdb}", "break stop", "continue", "info registers", "x/128xw $sp", "backtrace"]
    asked = [
        word for step in ["set backtrace past-main on", "set backtrace past-entry on", *steps] for word in ("-ex", step)
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as qemu:
        try:
            while not gdb.exists():
                assert qemu.poll() is None
            said = subprocess.run(
                ["gdb-multiarch", "-nx", "-batch", *asked, elf], capture_output=True, text=True, check=True
            )
        finally:
            qemu.kill()
    named = dict(re.findall(r"^(\w+) +0x([0-9a-f]+)", said.stdout, re.MULTILINE))
    names = {f"r{number}": number for number in range(13)} | {"sp": 13, "lr": 14, "pc": 15}
    memory: dict[int, int] = {}
    for address, words in re.findall(r"^0x([0-9a-f]+)[^:]*:((?:\t0x[0-9a-f]+)+)$", said.stdout, re.MULTILINE):
        memory |= {int(address, 16) + 4 * i: int(word, 16) for i, word in enumerate(words.split())}
    calls = re.findall(r"^#\d+ .*?(\w+) \(.*\) at .*source\.c:(\d+)$", said.stdout, re.MULTILINE)
    return {number: int(named[name], 16) for name, number in names.items()}, memory, [(f, int(n)) for f, n in calls]


@needs_gdb
@pytest.mark.parametrize(
    "flags",
    ["-Os -g", "-O0 -g", pytest.param("-O2 -gdwarf-4", marks=pytest.mark.nightly)],  # the same again
)
def test_callers_are_those_of_gdb(tmp_path: Path, flags: str) -> None:
    elf = compiled(flags)
    registers, memory, expected = stopped(elf, tmp_path)
    program = Program(elf)
    frames = unwind.unwind(program, registers, memory)
    places = [place for frame in frames for place in program.places(frame.address)]
    assert [(place.function, place.line) for place in places] == expected
    assert [frame.how for frame in frames] == [unwind.How.STOPPED] + [unwind.How.CALLED] * (len(frames) - 1)
    assert [name for name, _ in expected] == ["innermost", "variable", "middle", "main", "reset"]


@needs_gdb
def test_without_debug_information_callers_are_guessed_and_called_that(tmp_path: Path) -> None:
    elf = compiled("-Os -g")
    registers, memory, _ = stopped(elf, tmp_path)
    subprocess.run(["arm-none-eabi-objcopy", "--strip-debug", elf, tmp_path / "bare.elf"], check=True)
    program = Program(tmp_path / "bare.elf")
    frames = unwind.unwind(program, registers, memory)
    assert [place for frame in frames for place in program.places(frame.address)] == [
        Place(name) for name in ("innermost", "variable", "middle", "main", "reset")
    ]
    assert {frame.how for frame in frames[1:]} == {unwind.How.GUESSED}


def test_a_function_pointer_on_the_stack_is_no_return_address() -> None:
    elf = compiled("-Os -g")
    program = Program(elf)
    starts = [function.start | 1 for function in functions(elf)]
    memory = {0x20000F80 + 4 * at: word for at, word in enumerate(starts)}
    registers = dict.fromkeys(range(4, 16), 0) | {unwind.SP: 0x20000F80}
    assert unwind.unwind(program, registers, memory) == []


WORDS = st.integers(0, 0xFFFFFFFF)


@settings(max_examples=50)
@given(data=st.data())
def test_no_registers_and_no_stack_make_it_fail_or_go_on_forever(data: st.DataObject) -> None:
    elf = compiled("-Os -g")
    program = Program(elf)
    code = st.sampled_from(
        [address | bit for function in functions(elf) for address in function[::2] for bit in (0, 1)]
    )
    stack = st.integers(0x20000F00, 0x20001000)
    likely = st.one_of(code, stack, WORDS, st.integers(0xFFFFFF00, 0xFFFFFFFF))
    registers = data.draw(st.fixed_dictionaries(dict.fromkeys((*range(4, 12), 13, 14, 15), likely)))
    memory = data.draw(st.dictionaries(st.integers(0x3C0, 0x3FF).map(lambda n: 0x20000000 + 4 * n), likely))
    frames = unwind.unwind(program, registers, memory)
    assert len(frames) <= unwind.MOST_FRAMES
    for frame in frames:
        program.places(frame.address)


@settings(max_examples=50)
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=30))
def test_a_damaged_file_is_told_as_such_or_says_less(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(compiled("-Os -g").read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    elf = tmp_path_factory.getbasetemp() / "damaged.elf"
    elf.write_bytes(content)
    try:
        program = Program(elf)
    except HilError:
        return
    registers = dict.fromkeys(range(4, 16), 536874880) | {15: functions(compiled("-Os -g"))[0].start}
    for frame in unwind.unwind(program, registers, {0x20000F80 + 4 * i: 0x08000021 for i in range(20)}):
        program.places(frame.address)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"gone.elf: cannot be read \(No such file or directory\)"):
        Program(tmp_path / "gone.elf")
