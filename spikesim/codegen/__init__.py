"""The only place where text becomes code: from a model's equations to its kernel."""
