"""What changes a network, or its kernel calls, as a whole."""
