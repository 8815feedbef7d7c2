"""Counts per unit of common inertial sensors, from their data sheets (typical sensitivities).

MPU6050     InvenSense, MPU-6000/MPU-6050 Product Specification, PS-MPU-6000A-00 rev. 3.4, sections 6.1 and 6.2
ICM-20948   InvenSense, DS-000189 rev. 1.3, sections 3.1 and 3.2
LSM9DS1     STMicroelectronics, DocID025715 rev. 3, table 3 (+-16 g is 0.732 mg per count, not twice that of +-8 g)
LSM6DSO     STMicroelectronics, DS12140 rev. 2, table 2
LSM6DSOX    STMicroelectronics, DS12814 rev. 3, table 2
BMI270      Bosch Sensortec, BST-BMI270-DS000, sensor specifications (32768 counts are the range)
ADXL345     Analog Devices, ADXL345 data sheet rev. E, table 1: FULL_RES set, 256 counts per g at every range;
            "ADXL345-10bit" has FULL_RES clear, as after power-on
"""

from __future__ import annotations

from tflm_hil.recordings.units import conversion

_INVENSENSE = {
    "g": {2: 16384.0, 4: 8192.0, 8: 4096.0, 16: 2048.0},
    "dps": {250: 131.0, 500: 65.5, 1000: 32.8, 2000: 16.4},
}


def _milli(values: dict[int, float]) -> dict[int, float]:
    """Counts per unit, from thousandths of a unit per count, as ST gives them."""
    return {full_scale: 1000.0 / value for full_scale, value in values.items()}


_LSM6DSO = {
    "g": _milli({2: 0.061, 4: 0.122, 8: 0.244, 16: 0.488}),
    "dps": _milli({125: 4.375, 250: 8.75, 500: 17.5, 1000: 35.0, 2000: 70.0}),
}

# Sensor, unit of the range, range: counts per unit.
SENSORS: dict[str, dict[str, dict[int, float]]] = {
    "MPU6050": _INVENSENSE,
    "ICM-20948": _INVENSENSE,
    "LSM9DS1": {
        "g": _milli({2: 0.061, 4: 0.122, 8: 0.244, 16: 0.732}),
        "dps": _milli({245: 8.75, 500: 17.5, 2000: 70.0}),
    },
    "LSM6DSO": _LSM6DSO,
    "LSM6DSOX": _LSM6DSO,
    "BMI270": {
        "g": {full_scale: 32768.0 / full_scale for full_scale in (2, 4, 8, 16)},
        "dps": {full_scale: 32768.0 / full_scale for full_scale in (125, 250, 500, 1000, 2000)},
    },
    "ADXL345": {"g": dict.fromkeys((2, 4, 8, 16), 256.0)},
    "ADXL345-10bit": {"g": {2: 256.0, 4: 128.0, 8: 64.0, 16: 32.0}},
}


def counts_per_unit(sensor: str, full_scale: float, unit: str) -> float:
    """Return the counts per `unit` of `sensor` at +-`full_scale`, which is in g or dps.

    Raises ValueError, which lists the choices, if the sensor is unknown, does not measure `unit` or lacks the range.
    """
    if sensor not in SENSORS:
        raise ValueError(f"sensor {sensor!r} is unknown; use one of {', '.join(SENSORS)}, or give lsb_per_unit")
    for native, ranges in SENSORS[sensor].items():
        try:
            share, _ = conversion(unit, native)
        except ValueError:
            continue
        if full_scale not in ranges:
            known = ", ".join(str(each) for each in ranges)
            raise ValueError(f"{sensor} has no range of {full_scale:g} {native}; use one of {known}")
        return ranges[int(full_scale)] * share
    raise ValueError(f"{sensor} measures {' and '.join(SENSORS[sensor])}, not {unit}; correct unit or sensor")
