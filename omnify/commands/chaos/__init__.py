"""Proof by destruction: real workers killed with -9 while they send, judged by what people received."""
