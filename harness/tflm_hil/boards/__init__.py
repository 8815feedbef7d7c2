"""What a firmware image can run on. One file a kind of board; `selection` finds the one that the user asked for."""
