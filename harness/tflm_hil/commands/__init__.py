"""What the commands do, over the layers below."""
