"""TensorFlow Lite Micro as an engine."""
