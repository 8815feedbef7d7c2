"""A board kind and an engine for tflm-hil."""
