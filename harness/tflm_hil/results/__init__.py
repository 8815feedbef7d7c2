"""What a session measured: the model of results.json, merging, verdicts and baselines."""
