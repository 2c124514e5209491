"""The built-in neuron models, a file for each family, written as a user would write them."""
