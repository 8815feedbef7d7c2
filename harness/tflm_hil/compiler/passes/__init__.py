"""Passes over the kernel calls of a network. The passes over its graph are in models/folding.py."""
