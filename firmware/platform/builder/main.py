"""Builds the firmware: PlatformIO runs this inside SCons.

HIL_GENERATED names the directory of the sources generated from a model; they are compiled into the image. The image is
the same byte for byte from any directory: no path gets into it, and its build id is a hash of its contents.
"""

import os
import sys
from pathlib import Path

from SCons.Script import Builder, Default, DefaultEnvironment

STRICT = ["-Wall", "-Wextra", "-Werror"]

env = DefaultEnvironment()
board = env.BoardConfig()
project = Path(env.subst("$PROJECT_DIR"))
generated = Path(os.environ.get("HIL_GENERATED", "unset"))
if not (generated / "model_config.h").is_file():
    sys.stderr.write(
        f"error: HIL_GENERATED ({generated}) is not a directory of generated model sources; "
        "build through `hil build`, or set it to one of .hil/firmware/*/generated\n"
    )
    env.Exit(1)

cpu = board.get("build.cpu_flags")
env.Replace(
    AR="arm-none-eabi-ar",
    AS="arm-none-eabi-as",
    CC="arm-none-eabi-gcc",
    CXX="arm-none-eabi-g++",
    LINK="arm-none-eabi-g++",
    OBJCOPY="arm-none-eabi-objcopy",
    RANLIB="arm-none-eabi-ranlib",
    SIZETOOL="arm-none-eabi-size",
    PROGSUFFIX=".elf",
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.text|\.data)\s+(\d+)",
    SIZEDATAREGEXP=r"^(?:\.data|\.bss|\.uart_buffers|\.stack)\s+(\d+)",
)
env.Append(
    ASFLAGS=cpu,
    CFLAGS=["-std=c11"],
    CXXFLAGS=["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
    CCFLAGS=[
        *cpu,
        "-masm-syntax-unified",  # one syntax of inline assembly for all cores
        "-Os",
        "-g",
        "-ffunction-sections",
        "-fdata-sections",
        "-ffp-contract=off",  # the host computes every product and sum apart: so must the device
        f"-ffile-prefix-map={project}=.",
        f"-ffile-prefix-map={generated.resolve()}=generated",
        f"-ffile-prefix-map={generated}=generated",
    ],
    CPPDEFINES=[("HIL_TARGET", env.StringifyMacro(env.subst("$BOARD"))), ("F_CPU", board.get("build.f_cpu"))],
    # The folders of firmware/lib/board that this board is made of, as its library.json wants them.
    BOARD_PARTS=" ".join(f"+<{part}/*>" for part in board.get("build.parts")),
    # Generated sources are no library, so PlatformIO does not find out by itself what they include.
    CPPPATH=[str(generated), *sorted(str(library) for library in (project / "firmware" / "lib").iterdir())],
    LINKFLAGS=[
        *cpu,
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections",
        "-Wl,--build-id=sha1",
        "-Wl,--fatal-warnings",
        '-Wl,-Map="${BUILD_DIR}/${PROGNAME}.map"',
    ],
    BUILDERS={
        "ElfToBin": Builder(
            action=env.VerboseAction("$OBJCOPY -O binary $SOURCES $TARGET", "Building $TARGET"), suffix=".bin"
        )
    },
)


def compile_strictly(env, node):  # type: ignore[no-untyped-def]
    """Compile our own sources without mercy; libraries of others keep their warnings to themselves."""
    source = Path(node.srcnode().get_abspath())
    if not any(source.is_relative_to(own) for own in (project / "firmware", generated)):
        return node
    return env.Object(node, CCFLAGS=[*env["CCFLAGS"], *STRICT])


env.AddBuildMiddleware(compile_strictly)
env.BuildSources("$BUILD_DIR/generated", str(generated))
elf = env.BuildProgram()
Default([elf, env.ElfToBin("$BUILD_DIR/${PROGNAME}", elf)])
