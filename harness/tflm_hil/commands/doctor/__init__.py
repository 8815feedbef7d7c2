"""What this machine and this project need, whether it is there, and the command that brings it."""
