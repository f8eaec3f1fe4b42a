"""Contacts in the browser."""
