"""Build the firmware; PlatformIO runs this file inside SCons.

HIL_GENERATED names the directory with the sources that are generated from a model and compiled into the image; projects
with their own application do not need it. For the tflm engine, HIL_TFLM_SOURCE is the directory of TensorFlow Lite
Micro. The image is byte for byte the same from any directory: it contains no paths, and its build id is a hash of its
contents.
"""

import ctypes
import os
import re
import signal
import sys
from pathlib import Path

from SCons.Script import Builder, Default, DefaultEnvironment, SetOption

STRICT = ["-Wall", "-Wextra", "-Werror"]

# Like a release build of TensorFlow Lite Micro: kernels for speed, all other files for size, and no error strings.
TFLM_DEFINES = ["NDEBUG", "TF_LITE_STATIC_MEMORY", "TF_LITE_STRIP_ERROR_STRINGS"]
TFLM_FAST = "kernels"
# Only custom operators need these, and networks with custom operators are refused.
TFLM_UNUSED = ("signal", "tools", "kiss_fft.c")

# Only the engine depends on the model, and only it and the application on the kind of the image: the objects of all
# other libraries serve every model and every kind.
ENGINE = "engine_"
KINDS = {"_debug": "HIL_DEBUG", "_profile": "HIL_PROFILE"}

PR_SET_PDEATHSIG = 1
if sys.platform == "linux":
    # If PlatformIO is killed, SCons would otherwise continue to compile for minutes, beside the next build.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)

tflm_files: list[Path] = []

env = DefaultEnvironment()
sys.path.insert(0, str(Path(env.PioPlatform().get_dir()) / "builder"))
import consulted  # noqa: E402 (its folder is known only now)
import spawning  # noqa: E402 (its folder is known only now)
from products import decide, track  # noqa: E402 (its folder is known only now)
from target_board import LINKER_SCRIPT  # noqa: E402 (its folder is known only now)

board = env.BoardConfig()
project = Path(env.subst("$PROJECT_DIR"))
firmware = project / "firmware"
libraries = firmware / "lib"
named = os.environ.get("HIL_GENERATED", "unset")
generated = project / named
tflm = Path(os.environ.get("HIL_TFLM_SOURCE", "unset"))
# A project with an application of its own may have a folder of that name as well.
ours = firmware.is_dir() and firmware.samefile(Path(env.PioPlatform().get_dir()).parent)
if ours and not (generated / "model_config.h").is_file():
    sys.stderr.write(
        f"error: HIL_GENERATED ({named}) is not a directory of generated model sources; "
        "build through `hil build`, or set it as platformio.ini explains\n"
    )
    env.Exit(1)

# Compare contents, not times: a file may change within the resolution of its time, or be restored with an old time.
env.Decider(decide)
SetOption("max_drift", -1)

# The cache of SCons is useless here: its keys contain the path of the build, so other builds never find its copies.
env.CacheDir(None)
if "build.ldscript" not in board:
    script = Path(env.subst("$BUILD_DIR")) / LINKER_SCRIPT
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(board.get("build.linker_script"), encoding="utf-8")
    env.Prepend(LIBPATH=["$BUILD_DIR"])
    env.Replace(LDSCRIPT_PATH=LINKER_SCRIPT)

# A part is one of our folders, or one beside the target's file.
our_parts, beside, parts = libraries / "board", Path(board.manifest_path).parent, board.get("build.parts")
own_parts = [part for part in parts if ours and (beside / part).is_dir()]
for part in parts if ours else ():
    if (part in own_parts) == (our_parts / part).is_dir():
        which = "both a folder" if part in own_parts else "neither a folder"
        sys.stderr.write(
            f"error: {board.manifest_path}: part {part!r} is {which} of {our_parts} and one beside this file; "
            "rename it\n"
        )
        env.Exit(1)
cpu = board.get("build.cpu_flags")
shared = Path(env.subst("$BUILD_CACHE_DIR"))
tflm_objects = shared / "tflm" / "_".join(flag.lstrip("-") for flag in cpu)
library_objects = shared / re.sub(f"({'|'.join(KINDS)})$", "", env.subst("$PIOENV"))
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
    SIZEDATAREGEXP=r"^(?:\.data|\.bss|\.link_buffers|\.stack)\s+(\d+)",
)
spawning.install(
    env, frozenset(env.subst(f"${tool}") for tool in ("AR", "AS", "CC", "CXX", "LINK", "OBJCOPY", "RANLIB"))
)
COMMON = [
    *cpu,
    "-ffunction-sections",
    "-fdata-sections",
    "-ffp-contract=off",  # the device must round every product and every sum, as the host does
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
        "$(",  # objects are the same from any folder
        f"-ffile-prefix-map={spawning.SAME_EVERYWHERE}=.",
        f"-ffile-prefix-map={project}=.",
        *(
            f"-ffile-prefix-map={name}={folder}"
            for path, folder in ((generated, "generated"), (beside, "targets"))
            # The last is what SCons calls it if it is in the project.
            for name in (path.resolve(), path, os.path.relpath(path, project))
        ),
        "$)",
    ],
    CPPDEFINES=[
        ("HIL_TARGET", env.StringifyMacro(env.subst("$BOARD"))),
        ("HIL_CREDITS", board.get("build.credits")),
        ("F_CPU", board.get("build.f_cpu")),
        *board.get("build.defines").items(),
    ],
    # The folders of firmware/lib/board for this board, as a filter for its library.json.
    BOARD_PARTS=" ".join(f"+<{part}/*>" for part in parts if part not in own_parts),
    # The driver in firmware/lib/sensor, for its library.json: no file if the board has no sensor.
    SENSOR_DRIVER=f"-<*> +<{board.get('build.sensor')}.c>",
    # Generated sources are not a library, so PlatformIO does not search them for the headers that they include.
    CPPPATH=[
        str(generated),
        *sorted(str(folder) for pattern in ("*/", "aot/kernels/*/") for folder in libraries.glob(pattern) if ours),
        *([str(libraries / "protocol" / "src")] if ours else []),
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
    """Compile one source of TensorFlow Lite Micro outside the folder of the build, with flags that do not depend on the
    model, the variant or debug builds, so that one object serves all of them.
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
    """Compile our own sources with strict warnings, and TensorFlow Lite Micro so that its objects serve every model."""
    source = Path(node.srcnode().get_abspath())
    if source.is_relative_to(tflm):
        return compile_tflm(env, node, source.relative_to(tflm))  # type: ignore[no-untyped-call]
    if not (source.is_relative_to(generated) or (ours and source.is_relative_to(firmware))):
        return track(env.Object(node))
    # Without warnings about the headers of TensorFlow Lite Micro, which are not ours.
    foreign = ["-isystem", str(tflm / "src")] if source.parent == libraries / "tflm" else []
    flags = [*env["CCFLAGS"], *foreign, *STRICT]
    if source.is_relative_to(libraries) and not source.name.startswith(ENGINE):
        target = (library_objects / source.relative_to(libraries)).with_suffix(".o")
        defines = [define for define in env["CPPDEFINES"] if define[0] not in KINDS.values()]
        return track(env.Object(str(target), node.srcnode(), CCFLAGS=flags, CPPDEFINES=defines))
    return track(env.Object(node, CCFLAGS=flags))


env.AddBuildMiddleware(compile_source)
if tflm.is_dir():
    env.Append(CPPDEFINES=TFLM_DEFINES)
if generated.is_dir():
    env.BuildSources("$BUILD_DIR/generated", str(generated))
for part in own_parts:
    env.BuildSources(f"$BUILD_DIR/board/{part}", str(beside / part))
elf = track(env.BuildProgram())
consulted.write(env, [generated, tflm, *(beside / part for part in own_parts)])
if tflm_files:
    print(f"Files of TensorFlow Lite Micro: {len(tflm_files)}")
Default([elf, track(env.ElfToBin("$BUILD_DIR/${PROGNAME}", elf))])
