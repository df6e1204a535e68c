"""Attention that one has written oneself, inside a real transformer.

``transformers`` is imported only by the calls that use a model.
"""
