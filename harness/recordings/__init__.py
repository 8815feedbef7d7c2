"""Recorded sensor sessions: formats, units and windows."""
