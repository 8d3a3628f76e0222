"""Pictures of a network: the chain as it stands in the file, and a period of a game on it. Draws with matplotlib."""
