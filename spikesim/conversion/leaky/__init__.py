"""Leaky rate units into neurons that share what each of them does."""
