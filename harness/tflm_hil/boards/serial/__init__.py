"""Real boards behind a serial port, or behind a URL that leads to one."""
