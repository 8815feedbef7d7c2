"""`hil bench`: figures against their goals, and the engines side by side."""
