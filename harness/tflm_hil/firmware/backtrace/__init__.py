"""From an address, or the registers and the stack of a program that stopped, to functions, files and lines."""
