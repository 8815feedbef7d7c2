"""The aot engine: C generated from the network, and kernels that it calls."""
