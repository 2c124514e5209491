"""Description: what is to be simulated, as plain data; allocates and compiles nothing."""
