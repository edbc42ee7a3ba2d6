"""Composition root: the only room that knows concrete classes."""
