"""The engine of an application of the user's own, whatever it is."""
