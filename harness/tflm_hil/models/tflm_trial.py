"""Try one inference on TFLM in a separate process: `python tflm_trial.py FILE.tflite INPUTS OUTPUTS`.

TFLM trusts the file. If shapes contradict each other, it reads beyond its buffers and the process crashes; and it says
why it refuses a file only on the stderr of C. The parent process sees both.
"""

import sys
from pathlib import Path

import numpy as np

ARENA_BYTES = 16 * 2**20
"""More than any network for a microcontroller needs; on the host the size does not matter."""


def main(path: Path, inputs: int, outputs: int) -> None:
    """Run the network in `path` on inputs of zeros. `inputs` and `outputs` are the numbers of its tensors.

    Raises what the interpreter raises.
    """
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(path.read_bytes(), arena_size=ARENA_BYTES)
    for index in range(inputs):
        details = interpreter.get_input_details(index)
        interpreter.set_input(np.zeros(details["shape"], details["dtype"]), index)
    interpreter.invoke()
    for index in range(outputs):
        interpreter.get_output(index)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
