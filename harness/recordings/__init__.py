"""Recorded sensor sessions: formats, units and windows."""

from harness.recordings.channel import Channel
from harness.recordings.loading import Recording, by_file, load_recordings
from harness.recordings.windows import window_count, window_labels, windows

__all__ = ["Channel", "Recording", "by_file", "load_recordings", "window_count", "window_labels", "windows"]
