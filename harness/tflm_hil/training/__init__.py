"""`hil train` and `hil quantize`: from recordings to a network, and from a network to its variants."""
