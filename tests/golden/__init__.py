"""Golden values made by real Keras, and what is needed to repeat them without Keras."""
