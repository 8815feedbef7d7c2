"""Rules for udev that let users of a machine open debug probes without being root."""

from __future__ import annotations

from tflm_hil.boards import probes

FILE = "/etc/udev/rules.d/70-hil-probes.rules"
"""It comes before 73-seat-late.rules, in which systemd gives what has the tag `uaccess` to whoever sits there."""

_RP2040 = "2e8a"
_ARM = "0d28"


def udev_rules(group: str | None) -> str:
    """Return the content of FILE: the members of `group` may open probes, and so may whoever sits at the machine."""
    access = f'MODE="0660", {f"""GROUP="{group}", """ if group else ""}TAG+="uaccess", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
    st_link = f'ATTRS{{idVendor}}=="{probes.ST}", ATTRS{{idProduct}}=="{"|".join(probes.ST_LINK_PRODUCTS)}"'
    matches = {
        "ST-LINK, on NUCLEO and Discovery boards and by itself": st_link,
        "CMSIS-DAP of any maker": 'ATTRS{product}=="*CMSIS-DAP*"',
        "DAPLink, as on a micro:bit": f'ATTRS{{idVendor}}=="{_ARM}"',
        "J-Link, also on boards of Nordic": f'ATTRS{{idVendor}}=="{probes.SEGGER}"',
        "RP2040 and RP2350, their boot loader and the Raspberry Pi Debug Probe": f'ATTRS{{idVendor}}=="{_RP2040}"',
    }
    lines = [
        f"# {FILE}: debug probes for the users of this machine, and no modem's manager that talks to their ports.",
        f"# hil doctor --udev-rules | sudo tee {FILE}",
        "# sudo udevadm control --reload && sudo udevadm trigger",
        'ACTION=="remove", GOTO="hil_end"',
        'SUBSYSTEM!="usb|hidraw", GOTO="hil_end"',
    ]
    for what, match in matches.items():
        lines += [f"# {what}", f"{match}, {access}"]
    return "\n".join([*lines, 'LABEL="hil_end"'])
