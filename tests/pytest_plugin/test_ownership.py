"""Whose fixture a test gets decides what becomes of it, not the fixture's name."""

from __future__ import annotations

import pytest
from support.fake_project import INT8, FakeProject

# Names that other people give their fixtures too.
NAMES = ("board", "chain", "device", "feed", "firmware", "measurement", "record", "recordings", "reference", "stimuli")
FIXTURES = "import pytest\n" + "".join(f"@pytest.fixture\ndef {name}(): return 'foreign'\n" for name in NAMES)
TESTS = "import pytest\n" + "".join(
    f"""
def test_{name}({name}, request):
    assert {name} == "foreign"
    assert not hasattr(request.node, "callspec")
    assert request.node.get_closest_marker("hil") is None
"""
    for name in NAMES
)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    project = FakeProject(pytester, monkeypatch, "")
    project.plugins = ()
    pytester.syspathinsert()
    return project


@pytest.mark.parametrize("board", [("--board=emulated",), ()])
@pytest.mark.parametrize("place", ["conftest", "module", "class", "plugin before", "plugin after", "direct"])
def test_foreign_fixtures_of_our_names_are_left_alone(project: FakeProject, place: str, board: tuple[str, ...]) -> None:
    project.board = board
    tests = TESTS
    if place == "conftest":
        project.pytester.makeconftest(FIXTURES)
    elif place == "module":
        tests = FIXTURES + TESTS
    elif place == "class":
        lines = (FIXTURES + TESTS).replace("import pytest\n", "").replace("(", "(self, ").replace("(self, )", "(self)")
        calls = lines.replace("hasattr(self, ", "hasattr(").replace("get_closest_marker(self, ", "get_closest_marker(")
        tests = "import pytest\nclass TestForeign:\n" + "".join(f"    {line}\n" for line in calls.splitlines())
    elif place == "direct":
        tests = TESTS.replace("    assert not hasattr(request.node, 'callspec')\n", "")
        for name in NAMES:
            tests = tests.replace(
                f"def test_{name}(", f"@pytest.mark.parametrize('{name}', ['foreign'])\ndef test_{name}("
            )
        tests = tests.replace('    assert not hasattr(request.node, "callspec")\n', "")
    else:
        project.pytester.makepyfile(neighbour=FIXTURES)
        project.first, project.plugins = (("neighbour",), ()) if place == "plugin before" else ((), ("neighbour",))
    project.pytester.makepyfile(test_suite=tests)
    project().assert_outcomes(passed=len(NAMES))


def test_a_plugin_that_takes_a_fixture_of_the_suite_is_named_in_the_header(project: FakeProject) -> None:
    project.pytester.makepyfile(neighbour="import pytest\n@pytest.fixture(name='device')\ndef their_device(): pass")
    project.first = ("neighbour",)
    project.pytester.makeconftest("import pytest\n@pytest.fixture\ndef record(record): return record")
    result = project()
    result.stdout.fnmatch_lines(["hil: fixture device belongs to another plugin, and tests get that one"])
    result.stdout.no_fnmatch_line("hil: fixture record*")


def test_an_override_that_requests_ours_is_ours_and_one_that_does_not_is_not(project: FakeProject) -> None:
    project.pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def firmware(helper):
            return helper

        @pytest.fixture(scope="session")
        def helper(firmware):
            return ("over", firmware)
        """
    )
    project.pytester.makepyfile(
        test_suite="""
        import pytest

        def test_override(firmware):
            assert firmware[0] == "over"
            assert firmware[1].name.startswith("m-")

        class TestReplaced:
            @pytest.fixture
            def firmware(self):
                return "foreign"

            def test_replaced(self, firmware):
                assert firmware == "foreign"

            def test_indirectly(self, helper):
                assert helper == ("over", "foreign")
        """
    )
    result = project("-rA")
    result.assert_outcomes(passed=3, errors=1)  # A helper for the session cannot request a fixture of one test.
    result.stdout.fnmatch_lines([f"PASSED test_suite.py::test_override[[]{INT8}]"])


def test_what_a_test_parametrizes_itself_is_not_parametrized_again(project: FakeProject) -> None:
    project.pytester.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.parametrize("feed", ["b.csv"], indirect=True)
        def test_one_file(firmware, feed):
            assert feed == "b.csv"

        @pytest.mark.parametrize("feed", ["c.csv"], indirect=True)
        def test_no_such_file(feed):
            pass

        @pytest.mark.parametrize("firmware", ["m"], indirect=True)
        def test_indirect(firmware):
            pass

        class TestHook:
            def pytest_generate_tests(self, metafunc):
                metafunc.parametrize("firmware", ["foreign"])

            def test_hook(self, firmware):
                assert firmware == "foreign"
        """
    )
    result = project("-rA")
    result.assert_outcomes(passed=3, errors=3)
    result.stdout.fnmatch_lines(
        [
            "feed: m is not fed with c.csv; choose among a.csv, b.csv",
            "firmware: pytest cannot run this test once for each image; *",
            f"PASSED test_suite.py::test_one_file[[]b.csv-{INT8}]",
        ],
        consecutive=False,
    )
    assert "Traceback" not in result.stdout.str()


def test_items_that_cannot_be_parametrized_are_one_line(project: FakeProject) -> None:
    project.pytester.makepyfile(
        test_suite='''
        import unittest
        import pytest

        class TestCase(unittest.TestCase):
            @pytest.mark.usefixtures("firmware")
            def test_with(self):
                pass

            def test_without(self):
                pass

        def test_dynamic(request):
            request.getfixturevalue("firmware")

        def documented():
            """
            >>> 1
            1
            >>> getfixture("firmware")
            """

        @pytest.mark.usefixtures("record")
        class TestClass:
            def test_of_class(self):
                pass
        '''
    )
    result = project("--doctest-modules")
    result.assert_outcomes(passed=3, failed=2, errors=1)
    assert result.stdout.str().count("\nfirmware: pytest cannot run this test once for each image; ") == 3
    result = project("--doctest-modules", "-m", "hil", "--co", "-q")
    assert [line.rpartition("::")[2] for line in result.outlines if "::" in line] == [
        "test_with",
        "test_of_class[m-int8-aot-stm32f4]",
        "test_of_class[m-float32-aot-stm32f4]",
    ]


def test_items_of_another_kind_and_asynchronous_tests_are_run_as_their_plugins_want(project: FakeProject) -> None:
    project.pytester.makeconftest(
        """
        import pytest

        def pytest_collect_file(parent, file_path):
            if file_path.suffix == ".check":
                return File.from_parent(parent, path=file_path)

        class File(pytest.File):
            def collect(self):
                yield Item.from_parent(self, name="check")

        class Item(pytest.Item):
            def runtest(self):
                assert self.path.read_text() == "right"

            def repr_failure(self, excinfo):
                return "theirs"

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """
    )
    for name in ("right", "wrong"):
        (project.pytester.path / f"{name}.check").write_text(name)
    project.pytester.makepyfile(
        test_suite="import pytest\n@pytest.mark.anyio\nasync def test_asynchronous(firmware): assert firmware.name"
    )
    project.plugins = ("anyio",)
    result = project()
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["theirs"])


def test_an_error_of_a_foreign_test_is_shown_as_pytest_shows_it(project: FakeProject) -> None:
    project.pytester.makepyfile(
        test_suite="""
        from tflm_hil.errors import HilError

        def test_foreign():
            raise HilError("foreign")

        def test_own(firmware):
            raise HilError("own")
        """
    )
    result = project("-k", "foreign or int8")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E  *HilError: foreign", "own"])
    result.stdout.no_fnmatch_line("E  *HilError: own")
