"""`reports/results.json` is the contract; every other report is a view of it."""
