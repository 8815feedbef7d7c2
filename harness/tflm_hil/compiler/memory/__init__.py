"""The memory of the network: the lifetimes of buffers and their places in the arena."""
