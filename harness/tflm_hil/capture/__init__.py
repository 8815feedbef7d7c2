"""Recordings from a board: what it senses or prints becomes a data set."""
