"""What a wheel holds beside the package: the project that every other one builds its firmware with."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Project(BuildHookInterface[Any]):
    """Puts the firmware into a wheel. An editable install finds it in the clone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See BuildHookInterface; `version` is `standard` or `editable`."""
        if version == "standard":
            build_data["force_include"] |= {name: f"tflm_hil/project/{name}" for name in ("firmware", "platformio.ini")}
