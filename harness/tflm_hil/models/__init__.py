"""Models: their manifest, their .tflite, the preprocessing before them and the references they are held against."""
