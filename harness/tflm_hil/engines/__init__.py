"""What executes a network on a device."""
