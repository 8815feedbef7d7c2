"""Models: manifests, .tflite files, preprocessing, and the references that devices are compared with."""
