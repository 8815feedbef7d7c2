"""The network and its operators."""
