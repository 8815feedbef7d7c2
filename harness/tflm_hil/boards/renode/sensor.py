"""What the emulated sensor of a target senses."""

from __future__ import annotations

from tflm_hil.boards.emulator.machine import EmulatedMachine
from tflm_hil.boards.renode import scripts
from tflm_hil.boards.renode.process import RenodeProcess
from tflm_hil.device.stream import Samples
from tflm_hil.errors import HilError
from tflm_hil.recordings import resd


class RenodeSensor:
    """The sensor of the target whose image `machine` runs; see Sensor."""

    def __init__(self, machine: EmulatedMachine[RenodeProcess]) -> None:
        self._machine = machine

    def feed(self, samples: Samples) -> None:
        """See Sensor."""
        target, process = self._machine.image.target, self._machine.process
        if target.sensor is None:
            raise HilError(f"target {target.name} has no sensor: {target.file} has no [sensor]; choose another target")
        if target.sensor.model.in_renode is None:
            raise HilError(
                f"Renode has no model of the {target.sensor.model.name} of target {target.name}, so it cannot be fed; "
                f"choose a target whose [sensor] has another driver, such as lsm6dso"
            )
        if process is None:
            raise HilError("Renode does not run; boot the board first")
        model, names = target.sensor.model, (scripts.ACCELERATION, scripts.ANGULAR_RATE)
        acceleration = resd.acceleration(samples[:, :3], model.counts_per_g, model.rate_hz)
        angular_rate = resd.angular_rate(samples[:, 3:], model.counts_per_dps, model.rate_hz)
        for name, content in zip(names, (acceleration, angular_rate), strict=True):
            (process.folder / name).write_bytes(content)
        # Both begin at the same moment, or their rows would not belong together.
        with process.paused():
            for command in scripts.feeding(target.sensor, process.folder):
                process.expect(command, "")
