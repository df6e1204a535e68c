"""The bundled mini-transformer: its invented English, its tokenizer, its training, its figures.

Nothing here is imported by ``import reference_attention``; each module is run by its own command:

    python -m reference_attention.mini_transformer.train
    python -m reference_attention.mini_transformer.evaluate
"""
