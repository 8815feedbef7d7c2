"""Judge measurements: pure functions that know neither boards nor pytest."""
