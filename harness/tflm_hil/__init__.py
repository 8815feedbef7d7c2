"""Hardware-in-the-loop tests and Cortex-M emulation for TensorFlow Lite Micro firmware."""
