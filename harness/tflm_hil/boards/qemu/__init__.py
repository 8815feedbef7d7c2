"""The emulated board: QEMU."""
