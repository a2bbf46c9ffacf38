"""Encoders, decoders, likelihoods and critics."""
