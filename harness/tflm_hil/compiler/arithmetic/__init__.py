"""The arithmetic of TFLM, exact to the last bit."""
