"""Looking after a running Omnify: is it well, what does it count, and the switches that stop it."""
