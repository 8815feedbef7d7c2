"""Boards of a lab that labgrid shares out."""
