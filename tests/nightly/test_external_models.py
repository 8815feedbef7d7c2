"""Networks and recordings of others, through the whole suite on the emulated board."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.needs import needs_emulator
from support.project_helpers import ROOT, Project
from tflm_hil.models.stimuli import stimuli

pytestmark = [pytest.mark.external, pytest.mark.nightly, needs_emulator]

DATA = ROOT.parent / "shared" / "data"
TENSORS = [
    "magic-wand/hello_world_int8",
    "mlperf-tiny/ad01_int8",
    "mlperf-tiny/kws_ref_model",
    "mlperf-tiny/pretrainedResnet_quant",
    "mlperf-tiny/vww_96_int8",
    "magic-wand/hello_world_float",
    "magic-wand/micro_speech_quantized",
]

# An open batch, one zero point for many scales, float16 weights, int16 activations.
CASES = ["flat_bNone_i8", "gmp_bNone_i8", "one_zero_point", "wave_float16", "wave_int16x8"]

# Both in the units in which their authors fed them: the network's input is (g + 4) / 8 and (dps + 2000) / 4000 there,
PUNCH = """
labels = ["punch", "upper_cut"]
window = 119
stride = 119
sample_rate_hz = 100.0
recordings = "punch"
""" + "".join(
    f'[[channels]]\nname = "{name}"\nunit = "{unit}"\nlsb_per_unit = {lsb}\nminimum = -{most}\nmaximum = {most}\n'
    for names, unit, lsb, most in ((("aX", "aY", "aZ"), "g", 8192.0, 4.0), (("gX", "gY", "gZ"), "dps", 16.4, 2000.0))
    for name in names
)
PUNCH_RECORDINGS = """
schema = "hil-recordings/1"
sample_rate_hz = 100.0
[[files]]
path = "punch.csv"
label = "punch"
[[files]]
path = "upper_cut.csv"
label = "upper_cut"
"""
# and the count of milli-g itself here.
WAND = """
labels = ["wing", "ring", "slope", "negative"]
window = 128
stride = 128
sample_rate_hz = 25.0
recordings = "wand"
""" + "".join(
    f'[[channels]]\nname = "{name}"\nunit = "mg"\nlsb_per_unit = 1.0\nminimum = 0.0\nmaximum = 1.0\n' for name in "xyz"
)
WAND_RECORDINGS = """
schema = "hil-recordings/1"
sample_rate_hz = 25.0
[[files]]
path = "ring.csv"
label = "ring"
[[files]]
path = "slope.csv"
label = "slope"
"""
# Nobody says what it was trained on: windows of noise, over all that its input can hold and a little more.
WAVE = """
window = 64
stride = 16
sample_rate_hz = 50.0
recordings = "noise"
""" + "".join(
    f'[[channels]]\nname = "{name}"\nunit = "g"\nlsb_per_unit = 32767.0\nnormalize = "none"\n' for name in "xyz"
)
NOISE = """
schema = "hil-recordings/1"
sample_rate_hz = 50.0
[[files]]
path = "*.csv"
"""


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("external") / "project")


def add_recordings(project: Project, name: str, manifest: str, folder: Path) -> None:
    directory = project.root / "recordings" / name
    directory.mkdir(parents=True)
    (directory / "recordings.toml").write_text(manifest)
    for file in folder.glob("*.csv"):
        (directory / file.name).symlink_to(file)


@pytest.mark.parametrize("name", TENSORS)
def test_a_public_network_is_exact_on_the_board(project: Project, pytester: pytest.Pytester, name: str) -> None:
    path = data(f"{name}.tflite")
    project.add_model(path.stem, path.read_bytes())
    project.run(pytester, "--hil-engine=aot", f"--hil-model={path.stem}").assert_outcomes(passed=4, skipped=4)
    parity = project.runs()[f"{path.stem}-only"].parity
    assert parity is not None
    assert parity.windows == len(stimuli([]))
    assert parity.bit_exact


@pytest.mark.parametrize("name", CASES)
def test_a_network_as_converters_write_it_passes(project: Project, pytester: pytest.Pytester, name: str) -> None:
    path = data(f"../cases/tflite/{name}.tflite")
    project.add_model(path.stem, path.read_bytes())
    assert project.run(pytester, "--hil-engine=aot", f"--hil-model={path.stem}").ret == pytest.ExitCode.OK
    run = project.runs()[f"{path.stem}-only"]
    assert run.verdict == "pass"
    assert run.parity is not None
    assert run.parity.windows == len(stimuli([]))


def test_every_operator_of_the_public_networks_is_exact(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """On a target with room for all tensors of the largest at once."""
    project = Project(tmp_path / "project")
    for name in TENSORS:
        path = data(f"{name}.tflite")
        project.add_model(path.stem, path.read_bytes())
    result = project.run(pytester, "--hil-engine=aot", "--hil-target=mps2_an386", "--hil-trace", "-k", "every_operator")
    result.assert_outcomes(passed=len(TENSORS))


def test_every_recorded_punch_and_upper_cut_comes_out_right(project: Project, pytester: pytest.Pytester) -> None:
    folder = data("punch-uppercut")
    project.add_model("uppercut", (folder / "gesture_model.tflite").read_bytes(), PUNCH)
    add_recordings(project, "punch", PUNCH_RECORDINGS, folder)
    assert project.run(pytester, "--hil-engine=aot", "--hil-model=uppercut").ret == pytest.ExitCode.OK
    parity = project.runs()["uppercut-only"].parity
    assert parity is not None
    assert (parity.windows, parity.label_mismatches) == (35, 0)
    assert (parity.accuracy_device, parity.accuracy_reference) == (1.0, 1.0)


def test_the_magic_wand_knows_ring_and_slope(project: Project, pytester: pytest.Pytester) -> None:
    folder = data("magic-wand")
    project.add_model("wand", (folder / "magic_wand.tflite").read_bytes(), WAND)
    add_recordings(project, "wand", WAND_RECORDINGS, folder)
    assert project.run(pytester, "--hil-engine=aot", "--hil-model=wand").ret == pytest.ExitCode.OK
    parity = project.runs()["wand-only"].parity
    assert parity is not None
    assert (parity.windows, parity.label_mismatches, parity.accuracy_device) == (2, 0, 1.0)


def test_an_int16_network_answers_windows_of_counts_exactly(project: Project, pytester: pytest.Pytester) -> None:
    project.add_model("int16", data("../cases/tflite/wave_int16x8.tflite").read_bytes(), WAVE)
    counts = np.random.default_rng(1).integers(-32768, 32768, (640, 3))
    noise = pytester.mkdir("noise")
    np.savetxt(noise / "noise.csv", counts / 32767, "%.9f", ",", header="x,y,z", comments="")
    add_recordings(project, "noise", NOISE, noise)
    assert project.run(pytester, "--hil-engine=aot", "--hil-model=int16").ret == pytest.ExitCode.OK
    parity = project.runs()["int16-only"].parity
    assert parity is not None
    assert (parity.windows, parity.label_mismatches, parity.bit_exact) == (37, 0, True)
