"""Learning: style deltas become patterns, a profile and its score. Pure: no I/O, no clock, no settings."""
