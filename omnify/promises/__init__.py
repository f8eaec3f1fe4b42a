"""The promises of Omnify and their proofs: each driver tries to break one promise and counts how often it could."""
