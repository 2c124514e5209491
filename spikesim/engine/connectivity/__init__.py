"""Who is connected to whom, how strongly and how late, in ms."""
