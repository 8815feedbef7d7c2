"""The paper whose pipeline these commands repeat, redrawn from a run of our own: `hil report --paper`."""
