"""Model manifests are read, or refused with the names of the file and the key."""

import hashlib
from pathlib import Path

import pytest
from support.manifests import MANIFEST, write_model
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Budget, load_model, load_models

ROOT = Path(__file__).parents[2]


def test_a_manifest_becomes_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path)
    monkeypatch.chdir(tmp_path)
    model = load_models(Path())["wave"]
    assert model.windowed
    assert (model.labels, model.window, model.stride, model.sample_rate_hz) == (["up", "down"], 30, 5, 50.0)
    assert model.directory == tmp_path / "models" / "wave"
    assert model.recordings == tmp_path / "recordings" / "waves"
    variant = model.variants["int8"]
    assert (variant.name, variant.path) == ("int8", tmp_path / "models" / "wave" / "wave.tflite")
    assert variant.budgets == {"stm32f4": {"aot": Budget(flash_bytes=1000)}}
    assert variant.sha256 == hashlib.sha256(b"network").digest()


def test_a_model_without_windows_has_nothing_but_its_networks(tmp_path: Path) -> None:
    head, variants = MANIFEST[: MANIFEST.index("labels")], MANIFEST[MANIFEST.index("[variants") :]
    model = load_model(write_model(tmp_path, head + variants), tmp_path)
    assert not model.windowed
    assert (model.labels, model.window, model.stride, model.channels, model.recordings) == ([], 0, 0, [], None)
    assert model.variants["int8"].path.is_file()


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("waves", "recordings/waves"),
        ("../../../outside/waves", "../outside/waves"),
        ("./beside", "models/wave/beside"),
        ("{root}/anywhere", "anywhere"),
    ],
)
def test_recordings_may_lie_anywhere(tmp_path: Path, named: str, found: str) -> None:
    root = tmp_path / "project"
    text = MANIFEST.replace('"waves"', f'"{named.format(root=root)}"')
    model = load_model(write_model(root, text), root / "recordings")
    assert model.recordings == (root / found).resolve()


def test_a_limit_is_that_of_the_most_specific_table_that_sets_it(tmp_path: Path) -> None:
    tables = {
        "all.all": "flash_bytes = 4000\naccuracy = 0.5",
        "all.aot": "flash_bytes = 3000\nstack_bytes = 3\narena_bytes = 3",
        "stm32f4.all": "flash_bytes = 2000\nram_bytes = 2\narena_bytes = 2",
    }
    text = MANIFEST + "".join(f"[variants.int8.budgets.{keys}]\n{limits}\n" for keys, limits in tables.items())
    variant = load_model(write_model(tmp_path, text), tmp_path).variants["int8"]
    assert variant.budget("stm32f4", "aot") == Budget(
        flash_bytes=1000, ram_bytes=2, arena_bytes=2, stack_bytes=3, accuracy=0.5
    )
    assert variant.budget("stm32f4", "tflm") == Budget(flash_bytes=2000, ram_bytes=2, arena_bytes=2, accuracy=0.5)
    assert variant.budget("nrf51", "aot") == Budget(flash_bytes=3000, arena_bytes=3, stack_bytes=3, accuracy=0.5)
    assert variant.budget("nrf51", "tflm") == Budget(flash_bytes=4000, accuracy=0.5)
    assert variant.budget_keys("flash_bytes", "stm32f4", "tflm")[2:] == ("budgets", "stm32f4", "all", "flash_bytes")
    assert variant.budget_keys("accuracy", "stm32f4", "aot") == (
        "variants",
        "int8",
        "budgets",
        "all",
        "all",
        "accuracy",
    )


def test_a_skip_covers_all_firmware_that_matches_it(tmp_path: Path) -> None:
    skips = '[[skip]]\ntarget = "nrf51"\nreason = "a"\n[[skip]]\nengine = "tflm"\nvariant = "int8"\nreason = "b"\n'
    model = load_model(write_model(tmp_path, MANIFEST + skips), tmp_path)
    assert model.skipped("int8", "nrf51", "aot") == "a"
    assert model.skipped("int8", "stm32f4", "tflm") == "b"
    assert model.skipped("int8", "stm32f4", "aot") is None


def test_budgets_for_what_is_never_measured_are_refused(tmp_path: Path) -> None:
    head, variants = MANIFEST[: MANIFEST.index("labels")], MANIFEST[MANIFEST.index("[variants") :]
    tensors = head + variants.replace("flash_bytes = 1000", "window = 9")
    with pytest.raises(
        HilError, match=r"budgets\.stm32f4\.aot\] limits window, but only models with windows have that"
    ):
        load_model(write_model(tmp_path / "1", tensors), tmp_path)
    unjudged = MANIFEST.replace('labels = ["up", "down"]\n', "").replace("flash_bytes = 1000", "accuracy = 0.9")
    with pytest.raises(HilError, match=r"limits accuracy, but accuracy is not judged: model\.toml does not say"):
        load_model(write_model(tmp_path / "2", unjudged), tmp_path)
    untrained = MANIFEST.replace("flash_bytes = 1000", "accuracy_drop = 0.1")
    with pytest.raises(HilError, match="limits accuracy_drop; add `trained`, the network that it is measured from"):
        load_model(write_model(tmp_path / "3", untrained), tmp_path)


def test_gain_and_offset_map_the_range_to_0_and_1(tmp_path: Path) -> None:
    (channel,) = load_model(write_model(tmp_path), tmp_path).channels
    assert channel.gain == 1 / 65536
    assert channel.offset == 0.5


def test_the_projects_own_models() -> None:
    gesture = load_models(ROOT)["gesture"]
    assert gesture.labels == ["punch", "flex", "idle"]
    assert sorted(gesture.variants) == ["float32", "int8"]
    assert gesture.variants["int8"].budgets["stm32f4"]["aot"].instructions == 16000
    # 1 / (16.4 * 4000) is not an exact float32: it is rounded once, from float64.
    assert gesture.channels[3].gain.hex() == "0x1.ff80200000000p-17"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("window = 30", 'window = "30"', "Expected `int`, got `str` - at `$.window`", id="type"),
        pytest.param("window = 30", "", "window missing; a model with windows needs all of", id="missing"),
        pytest.param("window = 30", "window = 30\nwidth = 1", "unknown field `width`", id="unknown"),
        pytest.param("window = 30", "window = 0", "`int` >= 1 - at `$.window`", id="no-window"),
        pytest.param("_hz = 50", "_hz = inf", "Expected `float` <= 1000000000.0 - at `$.sample_rate_hz`", id="rate"),
        pytest.param("stride = 5", "stride = 70000", "`int` <= 65535 - at `$.stride`", id="stride"),
        pytest.param("hil-model/1", "hil-model/2", "Invalid enum value 'hil-model/2' - at `$.schema`", id="schema"),
        pytest.param('"wave"', '"../wave"', "matching regex", id="name"),
        pytest.param('"down"', '"up"', "two labels have the same name; rename one", id="labels"),
        pytest.param('"g"', '"furlongz"', "unit 'furlongz' is unknown; use one such as g, mg", id="unit"),
        pytest.param("8192", "0", "lsb_per_unit must be a number above 0; or give sensor and range", id="lsb"),
        pytest.param("8192", "nan", "lsb_per_unit must be a number above 0", id="nan"),
        pytest.param("maximum = 4", "maximum = -4", "minimum must be below maximum", id="range"),
        pytest.param("minimum = -4\n", "", "normalization is maximum; give minimum and maximum, or", id="half-a-range"),
        pytest.param("minimum = -4", "mean = 0", "normalization is maximum and mean; give", id="two-ways"),
        pytest.param("8192", '8192\nsensor = "MPU6050"', "sensor and range go together", id="sensor-without-range"),
        pytest.param(
            "8192", '4096\nsensor = "MPU6050"\nrange = 4', "but MPU6050 at 4 has 8192 counts per g", id="lsb-twice"
        ),
        pytest.param(
            "lsb_per_unit = 8192",
            'sensor = "MPU6050"\nrange = 3',
            "no range of 3 g; use one of 2, 4, 8, 16",
            id="range-3",
        ),
        pytest.param(
            "lsb_per_unit = 8192", 'sensor = "MPU"\nrange = 4', "sensor 'MPU' is unknown; use one of", id="sensor"
        ),
        pytest.param(
            "stride = 5", 'stride = 5\nlayout = "nchw"', "Invalid enum value 'nchw' - at `$.layout`", id="layout"
        ),
        pytest.param(
            "[[channels]]", '[output]\nkind = "classes"\nthreshold = 0.5\n[[channels]]', "threshold does not", id="kind"
        ),
        pytest.param("[[channels]]", '[output]\nkind = "probability"\n[[channels]]', "needs threshold", id="threshold"),
        pytest.param(
            "[[channels]]",
            '[output]\nkind = "numbers"\ntolerance = 1\n[[channels]]',
            "labels do not go with",
            id="numbers",
        ),
        pytest.param(
            "[variants.int8.budgets",
            "[[skip]]\nreason = 'x'\n[variants.int8.budgets",
            "names no variant, target or",
            id="skip",
        ),
        pytest.param('"down"', '" down"', "label ' down' has blanks around it", id="label-with-blanks"),
        pytest.param('"down"', '"a\\nb"', "characters that cannot be shown", id="label-of-two-lines"),
        pytest.param("flash_bytes = 1000", "accuracy = 95", "write it as a fraction, such as 0.95", id="percent"),
        pytest.param("flash_bytes = 1000", 'accuracy = "95%"', "as a fraction, such as 0.95", id="percent-sign"),
        pytest.param("flash_bytes", "flash", "field `flash` - at `$.variants.int8.budgets.stm32f4.aot`", id="budget"),
        pytest.param(
            "budgets.stm32f4.aot",
            "budgets.stm32f4_aot",
            "budgets.stm32f4_aot] does not name a target and an engine; write [variants.int8.budgets.stm32f4.aot]",
            id="budget-of-an-environment",
        ),
        pytest.param(
            "budgets.stm32f4.aot",
            "budgets.mps2_an386_tflm",
            "write [variants.int8.budgets.mps2_an386.tflm]",
            id="budget-of-a-target-with-underscores",
        ),
        pytest.param(
            "budgets.stm32f4.aot", "budgets.all", "write [variants.int8.budgets.all.all]", id="budget-of-everything"
        ),
        pytest.param(
            "budgets.stm32f4.aot",
            "budgets.all.all.all",
            "unknown field `all` - at `$.variants.int8.budgets.all.all`",
            id="budget-of-three-names",
        ),
        pytest.param("flash_bytes = 1000", "flash_bytes = 'x'", "Expected `int | null`, got `str`", id="limit"),
        pytest.param("[[channels]]", "[[channels]", "is not TOML: ", id="toml"),
        pytest.param(
            'name = "wave"', 'name = "wave"\ntrained = "w.tflite"', "trained names w.tflite, which does", id="trained"
        ),
        pytest.param('"wave.tflite"', '"w.tflite"', "[variants.int8] names w.tflite, which does not exist", id="file"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    directory = write_model(tmp_path, MANIFEST.replace(old, new))
    with pytest.raises(HilError) as raised:
        load_model(directory, tmp_path / "recordings")
    said = str(raised.value)
    assert said.startswith(f"{directory / 'model.toml'}: ")
    assert message in said
    assert "\n" not in said


def test_a_manifest_in_another_encoding_is_refused(tmp_path: Path) -> None:
    directory = write_model(tmp_path)
    (directory / "model.toml").write_bytes(MANIFEST.replace("up", "\xfc").encode("latin-1"))
    with pytest.raises(HilError, match=r"model\.toml: is not UTF-8; save it as UTF-8"):
        load_model(directory, tmp_path)


def test_names_must_differ(tmp_path: Path) -> None:
    write_model(tmp_path, folder="a")
    write_model(tmp_path, folder="b")
    with pytest.raises(HilError, match=r"b/model\.toml: the name 'wave' is taken by .*/a; choose another"):
        load_models(tmp_path)


def test_a_tflite_that_went_away(tmp_path: Path) -> None:
    variant = load_model(write_model(tmp_path), tmp_path).variants["int8"]
    variant.path.unlink()
    with pytest.raises(HilError, match=r"wave\.tflite: cannot be read \(No such file or directory\)"):
        _ = variant.sha256
