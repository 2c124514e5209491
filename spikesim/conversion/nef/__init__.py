"""The Neural Engineering Framework: populations that stand for vectors, and compute with them."""
