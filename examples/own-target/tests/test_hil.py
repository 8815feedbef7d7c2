"""The suite that comes with tflm-hil."""

from tflm_hil.suite import *  # noqa: F403
