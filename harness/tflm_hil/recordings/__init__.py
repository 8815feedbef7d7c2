"""Recorded sensor sessions: formats, units and windows."""

from tflm_hil.recordings.channel import Channel
from tflm_hil.recordings.loading import Recording, by_file, load_recordings
from tflm_hil.recordings.windows import window_count, window_labels, windows

__all__ = ["Channel", "Recording", "by_file", "load_recordings", "window_count", "window_labels", "windows"]
