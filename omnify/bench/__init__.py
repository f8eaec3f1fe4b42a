"""Measurements: each value beside its floor from the same run, because absolute times say little."""
