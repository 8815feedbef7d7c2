"""How images get onto real boards: a file for each method."""
