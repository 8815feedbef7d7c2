"""`hil live`: a running stream, classified as it comes."""
