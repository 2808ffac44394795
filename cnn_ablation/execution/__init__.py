"""Which trials of a study are missing, and where they are trained and timed."""
