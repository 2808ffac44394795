"""The network of a spec: blocks of stages, lowered for a platform, as a Flax model."""
