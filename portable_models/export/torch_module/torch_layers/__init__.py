"""Plain PyTorch layers with Keras semantics: the source that exported modules are made of.

Nothing here imports Keras or this project: `portable_models.export.torch_module.library` copies the
definitions that a model needs, as text, into its self-contained ``model.py``.
"""
