"""The suite that every project runs: `from tflm_hil.suite import *` in a test file of its own.

Its files import little, so that it costs nothing where there is no board.
"""

from tflm_hil.suite.footprint import test_footprint_stays_within_the_budget
from tflm_hil.suite.latency import test_emulated_latency_is_the_same_every_time, test_latency_stays_within_the_budget
from tflm_hil.suite.operators import test_every_operator_equals_the_reference
from tflm_hil.suite.predictions import test_predictions_equal_the_reference
from tflm_hil.suite.profile import test_operators_add_up_to_the_inference
from tflm_hil.suite.sensor import test_sensor_in_the_loop
from tflm_hil.suite.tensors import test_outputs_equal_the_reference

# In the order in which they run: what streams all recordings comes first, file by file, so that a device that fails is
# booked on the right one.
__all__ = [  # noqa: RUF022
    "test_predictions_equal_the_reference",
    "test_outputs_equal_the_reference",
    "test_every_operator_equals_the_reference",
    "test_operators_add_up_to_the_inference",
    "test_sensor_in_the_loop",
    "test_latency_stays_within_the_budget",
    "test_emulated_latency_is_the_same_every_time",
    "test_footprint_stays_within_the_budget",
]
