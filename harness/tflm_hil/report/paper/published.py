"""What the paper says: Ranjith M S, S Parameshwara, "Optimizing Neural Networks for Embedded Systems"."""

from __future__ import annotations

TITLE = "Optimizing Neural Networks for Embedded Systems"
AUTHORS = "Ranjith M S, S Parameshwara"

PARAMETERS = 9_847
EPOCHS = 600
TRAINING_ACCURACY, VALIDATION_ACCURACY = 1.0000, 0.9167

BYTES_BEFORE = 113_000
"""The paper rounds it: 113 kB."""
BYTES_AFTER = 14_008

LOSS_BEFORE, LOSS_AFTER = 0.23845186, 0.23622063
"""Mean cross-entropy."""
