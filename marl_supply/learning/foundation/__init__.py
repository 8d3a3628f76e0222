"""One Decision Transformer for many tasks: pretrained on recorded play, it plays any seat of any game."""
