"""What providers tell us: verified, stored once, and translated into our words later."""
