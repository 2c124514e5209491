"""Cells of rate networks, one a file, and what families of them share.

A cell is anything that keeps the contract of `spikesim.rate.cells.contract.Cell`. The cells that
files may hold are those that the stub ``rate/__init__.pyi`` lists: a new one is a file here and a
line there.
"""
