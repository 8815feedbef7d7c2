"""Builds the firmware: PlatformIO runs this inside SCons.

HIL_GENERATED names the directory of the sources generated from a model, which are compiled into the image; a project
with an application of its own does without. For the tflm engine HIL_TFLM_SOURCE is the directory of TensorFlow Lite
Micro. The image is the same byte for byte from any directory: no path gets into it, and its build id is a hash of its
contents.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

from SCons.Script import Builder, Default, DefaultEnvironment, SetOption

STRICT = ["-Wall", "-Wextra", "-Werror"]

# How upstream builds a release of TensorFlow Lite Micro: its kernels for speed, all else for size, and no texts.
TFLM_DEFINES = ["NDEBUG", "TF_LITE_STATIC_MEMORY", "TF_LITE_STRIP_ERROR_STRINGS"]
TFLM_FAST = "kernels"
# Only custom operators need these, and networks that have some are refused.
TFLM_UNUSED = ("signal", "tools", "kiss_fft.c")

# Of the libraries only the engine knows the model; the objects of all else serve every image of the environment.
ENGINE = "engine_"

PR_SET_PDEATHSIG = 1
if sys.platform == "linux":
    # Where PlatformIO is killed, SCons would compile on for minutes, beside the next build.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)

tflm_files: list[Path] = []

env = DefaultEnvironment()
sys.path.insert(0, str(Path(env.PioPlatform().get_dir()) / "builder"))
import spawning  # noqa: E402 (only now it is known where it lies)
from products import decide, track  # noqa: E402 (only now it is known where it lies)
from target_board import LINKER_SCRIPT  # noqa: E402 (only now it is known where it lies)

board = env.BoardConfig()
project = Path(env.subst("$PROJECT_DIR"))
libraries = project / "firmware" / "lib"
named = os.environ.get("HIL_GENERATED", "unset")
generated = project / named
tflm = Path(os.environ.get("HIL_TFLM_SOURCE", "unset"))
ours = libraries.is_dir()
if ours and not (generated / "model_config.h").is_file():
    sys.stderr.write(
        f"error: HIL_GENERATED ({named}) is not a directory of generated model sources; "
        "build through `hil build`, or set it as platformio.ini explains\n"
    )
    env.Exit(1)

# Contents decide, never times: a file may change within the resolution of its time, or be put back with an old one.
env.Decider(decide)
SetOption("max_drift", -1)

# Only its record of what is up to date is of use to several builds: what it copies goes by the path of the build.
env.CacheDir(None)
if "build.ldscript" not in board:
    script = Path(env.subst("$BUILD_DIR")) / LINKER_SCRIPT
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(board.get("build.linker_script"), encoding="utf-8")
    env.Prepend(LIBPATH=["$BUILD_DIR"])
    env.Replace(LDSCRIPT_PATH=LINKER_SCRIPT)

# A part that is not ours is a folder beside the target's file.
beside, parts = Path(board.manifest_path).parent, board.get("build.parts")
own_parts = [part for part in parts if ours and not (libraries / "board" / part).is_dir()]
for part in own_parts:
    if not (beside / part).is_dir():
        sys.stderr.write(
            f"error: {board.manifest_path}: part {part!r} is not a folder of {libraries / 'board'}, "
            "nor one beside this file; correct the name\n"
        )
        env.Exit(1)
cpu = board.get("build.flags")
shared = Path(env.subst("$BUILD_CACHE_DIR"))
tflm_objects = shared / "tflm" / "_".join(flag.lstrip("-") for flag in cpu)
library_objects = shared / env.subst("$PIOENV")
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
spawning.install(
    env, frozenset(env.subst(f"${tool}") for tool in ("AR", "AS", "CC", "CXX", "LINK", "OBJCOPY", "RANLIB"))
)
COMMON = [
    *cpu,
    "-ffunction-sections",
    "-fdata-sections",
    "-ffp-contract=off",  # the host computes every product and sum apart: so must the device
]
DEPENDENCIES = ["-MD", "-MT", "made", "-MF", "$(", "${TARGET}.d", "$)"]
env.Append(
    ASFLAGS=cpu,
    CFLAGS=["-std=c11"],
    CXXFLAGS=["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
    CCFLAGS=[
        *COMMON,
        "-masm-syntax-unified",  # one syntax of inline assembly for all cores
        "-Os",
        "-g",
        *DEPENDENCIES,
        "$(",  # what is made is the same from any folder
        f"-ffile-prefix-map={spawning.SAME_EVERYWHERE}=.",
        f"-ffile-prefix-map={project}=.",
        f"-ffile-prefix-map={generated.resolve()}=generated",
        f"-ffile-prefix-map={generated}=generated",
        f"-ffile-prefix-map={os.path.relpath(generated, project)}=generated",  # as SCons calls what is in the project
        f"-ffile-prefix-map={beside}=targets",
        "$)",
    ],
    CPPDEFINES=[
        ("HIL_TARGET", env.StringifyMacro(env.subst("$BOARD"))),
        ("HIL_CREDITS", board.get("build.credits")),
        ("F_CPU", board.get("build.f_cpu")),
        *board.get("build.defines").items(),
    ],
    # The folders of firmware/lib/board that this board is made of, as its library.json wants them.
    BOARD_PARTS=" ".join(f"+<{part}/*>" for part in parts if part not in own_parts),
    # Generated sources are no library, so PlatformIO does not find out by itself what they include.
    CPPPATH=[
        str(generated),
        *sorted(str(folder) for pattern in ("*/", "aot/kernels/*/") for folder in libraries.glob(pattern)),
        str(libraries / "protocol" / "src"),
    ],
    LINKFLAGS=[
        *cpu,
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections",
        "-Wl,--build-id=sha1",
        "-Wl,--fatal-warnings",
        *("-Xlinker", "-Map=${TARGET.base}.map"),
        *("-Xlinker", "--dependency-file=${TARGET}.d"),
    ],
    BUILDERS={
        "ElfToBin": Builder(
            action=env.VerboseAction("$OBJCOPY -O binary $SOURCES $TARGET", "Building $TARGET"), suffix=".bin"
        )
    },
)


def compile_tflm(env, node, source):  # type: ignore[no-untyped-def]
    """Compile one source: out of the build's own folder, and without anything that a model, a variant or a debug build
    changes, so that the object serves them all.
    """
    if source.parts[1] in TFLM_UNUSED:
        return None
    tflm_files.append(source)
    level = "-O2" if TFLM_FAST in source.parts else "-Os"
    compiled = env.Object(
        f"{tflm_objects / source}.o",
        node.srcnode(),
        CCFLAGS=[*COMMON, level, "-g1", "-w", *DEPENDENCIES, "$(", f"-ffile-prefix-map={tflm}=tflm", "$)"],
        CPPDEFINES=TFLM_DEFINES,
        CPPPATH=[str(tflm / "src")],
    )
    return track(compiled)


def compile_source(env, node):  # type: ignore[no-untyped-def]
    """Compile our own sources without mercy, and TensorFlow Lite Micro so that its objects serve every model."""
    source = Path(node.srcnode().get_abspath())
    if source.is_relative_to(tflm):
        return compile_tflm(env, node, source.relative_to(tflm))  # type: ignore[no-untyped-call]
    if not any(source.is_relative_to(own) for own in (project / "firmware", generated)):
        return track(env.Object(node))
    # Its headers are not ours to mend.
    foreign = ["-isystem", str(tflm / "src")] if source.parent == libraries / "tflm" else []
    flags = [*env["CCFLAGS"], *foreign, *STRICT]
    if source.is_relative_to(libraries) and not source.name.startswith(ENGINE):
        place = (library_objects / source.relative_to(libraries)).with_suffix(".o")
        return track(env.Object(str(place), node.srcnode(), CCFLAGS=flags))
    return track(env.Object(node, CCFLAGS=flags))


env.AddBuildMiddleware(compile_source)
if tflm.is_dir():
    env.Append(CPPDEFINES=TFLM_DEFINES)
if generated.is_dir():
    env.BuildSources("$BUILD_DIR/generated", str(generated))
for part in own_parts:
    env.BuildSources(f"$BUILD_DIR/board/{part}", str(beside / part))
elf = track(env.BuildProgram())
if tflm_files:
    print(f"Files of TensorFlow Lite Micro: {len(tflm_files)}")
Default([elf, track(env.ElfToBin("$BUILD_DIR/${PROGNAME}", elf))])
