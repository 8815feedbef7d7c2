"""From measurements to verdicts: pure functions, no board and no pytest in sight."""
