"""The firmware project: generated sources, the PlatformIO build and what is in the image."""
