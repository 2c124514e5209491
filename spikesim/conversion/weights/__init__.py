"""Weights from elsewhere: files read into arrays by name, and arrays into rate networks."""
