"""One firmware to build and test, and the firmware that was built."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.models.manifest import Budget, Model, Variant


@dataclass(frozen=True, repr=False)
class Build:
    """One firmware to build and test. Reports show it by its name."""

    model: Model
    variant: Variant
    engine: str
    target: str

    @property
    def name(self) -> str:
        """E.g. `gesture-int8-aot-stm32f4`."""
        return f"{self.model.name}-{self.variant.name}-{self.engine}-{self.target}"

    def __repr__(self) -> str:
        return self.name

    @property
    def budget(self) -> Budget:
        """The limits of the manifest for this variant, target and engine; an empty budget allows anything."""
        return self.variant.budget(self.target, self.engine)

    @property
    def skipped(self) -> str | None:
        """Why the manifest leaves it out, or None."""
        return self.model.skipped(self.variant.name, self.target, self.engine)


@dataclass(frozen=True, repr=False)
class Firmware(Build):
    """A build with its image."""

    image: FirmwareImage

    def command(self, name: str, arguments: str) -> str:
        """The command line `hil NAME MODEL ARGUMENTS` for this variant, engine and target."""
        return (
            f"hil {name} {self.model.name} {arguments} --variant {self.variant.name} "
            f"--engine {self.engine} --target {self.target}"
        )
