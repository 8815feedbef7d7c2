"""The workflow, the action, the GitLab component and the examples of docs/ci.md are what GitHub and GitLab take."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "hil.yml"
PAGE = ROOT / "docs" / "ci.md"
BIN = Path(sys.executable).parent


def examples() -> dict[str, list[str]]:
    """The blocks of YAML on the page, by the heading that they are below."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE):
        found[part.partition("\n")[0]] = re.findall(r"```yaml\n(.*?)```", part, flags=re.DOTALL)
    return found


def workflows() -> list[str]:
    whole, jobs = examples()["GitHub Actions"] + examples()["Many jobs, one report"]
    return [whole, f"on: push\n{jobs}"]


def pipelines() -> list[str]:
    return [*examples()["GitLab"], COMPONENT.read_text(encoding="utf-8").partition("\n---\n")[2]]


def problems(schema: str, texts: list[str], folder: Path) -> str:
    """What the published schema has against each of `texts`; "" if nothing."""
    files = [folder / f"{number}.yml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    check: list[str | Path] = [BIN / "check-jsonschema", "--builtin-schema", schema, *files]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_workflows_of_the_page_are_as_github_takes_them(tmp_path: Path) -> None:
    assert problems("vendor.github-workflows", workflows(), tmp_path) == ""


def test_jobs_of_the_page_and_of_the_component_are_as_gitlab_takes_them(tmp_path: Path) -> None:
    assert len(pipelines()) == 3
    assert problems("vendor.gitlab-ci", pipelines(), tmp_path) == ""


def scripts() -> Iterator[tuple[str, str]]:
    """The shell of all files: a name, and the text."""
    yaml = YAML(typ="safe")
    for text in workflows():
        for name, job in yaml.load(text)["jobs"].items():
            yield from _runs(name, job["steps"])
    yield from _runs("action", yaml.load(ACTION)["runs"]["steps"])
    for text in pipelines():
        for name, job in yaml.load(text).items():
            for key in ("before_script", "script", "after_script"):
                if isinstance(job, dict) and key in job:
                    yield f"{name} {key}", "\n".join(job[key])
    yield from ((block, block) for block in re.findall(r"^    ((?:pytest|hil) .*)$", PAGE.read_text(), re.MULTILINE))


def _runs(name: str, steps: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    return ((f"{name} {number}", step["run"]) for number, step in enumerate(steps) if "run" in step)


def test_shellcheck_has_nothing_against_the_shell_in_all_of_them(tmp_path: Path) -> None:
    files = []
    for number, (name, text) in enumerate(scripts()):
        # An input is a word, or several, that somebody wrote.
        words = re.sub(r"\$\[\[ inputs\.\w+ \]\]", "input", text)
        assert "${{" not in words, "GitHub would put somebody's text into the shell"
        files.append(tmp_path / f"{number}.sh")
        files[-1].write_text(f"#!/bin/bash\n# {name}\n{words}\n")
    assert len(files) > 12
    # A constant in a comparison is an input that was put there, and $PWD is not changed by a cd that fails.
    check: list[str | Path] = [BIN / "shellcheck", "--exclude=SC2050,SC2164", *files]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_every_input_is_declared_used_and_explained() -> None:
    yaml = YAML(typ="safe")
    page = PAGE.read_text(encoding="utf-8")
    action, component = ACTION.read_text(encoding="utf-8"), COMPONENT.read_text(encoding="utf-8")
    declared = set(yaml.load(action)["inputs"])
    assert set(re.findall(r"\binputs\.(\w+)", action)) == declared
    rows = re.findall(r"^\| `(\w+)` \|", page.partition("## GitLab")[0], flags=re.MULTILINE)
    assert set(rows) == declared
    spec, _, jobs = component.partition("\n---\n")
    of_component = set(yaml.load(spec)["spec"]["inputs"])
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", jobs)) == of_component
    (said,) = re.findall(r"^Inputs are (.*?) \(", page, flags=re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", said)) == of_component


@pytest.mark.parametrize("text", [*workflows(), ACTION.read_text(encoding="utf-8")])
def test_what_a_workflow_asks_of_the_action_is_there(text: str) -> None:
    inputs = set(YAML(typ="safe").load(ACTION)["inputs"])
    for given in re.findall(r"uses: tflm-hil/tflm-hil@main\n +with:\n((?: +\w+: .*\n)+)", text):
        assert set(re.findall(r"^ +(\w+):", given, flags=re.MULTILINE)) <= inputs
    for script in re.findall(r"GITHUB_ACTION_PATH/([\w./-]+)", text):
        assert (ROOT / script).is_file()
        assert script.endswith(".py") or (ROOT / script).stat().st_mode & 0o111
