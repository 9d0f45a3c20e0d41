"""One file for each target: ``write`` it with Keras, ``open_artifact`` it without.

Every file has the functions that :class:`portable_models.export.targets.contract.Target` describes.
"""
