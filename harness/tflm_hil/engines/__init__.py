"""What executes a network on a device: the engine protocol, and a folder for each engine of ours."""
