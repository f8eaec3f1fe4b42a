"""From an uploaded CSV file to contacts: read, map, clean, review, load."""
