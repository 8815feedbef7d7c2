"""TFLM's arithmetic, to the last bit."""
