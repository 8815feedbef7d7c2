"""The suite, as in every project."""

from tflm_hil.suite import *  # noqa: F403
