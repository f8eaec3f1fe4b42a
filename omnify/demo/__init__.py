"""Northwind Solar: a fictional company to try Omnify with. Nothing of it ever leaves the machine."""
