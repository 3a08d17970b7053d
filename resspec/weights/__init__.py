"""Trained weights: files of them as data, and where the weights of a spec stand in them. Keras is not imported."""
