"""`hil bisect`: the commit that moved a figure."""
