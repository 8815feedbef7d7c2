"""Rewrites of the kernel calls of a network as a whole. Those of the graph are in models/folding.py."""
