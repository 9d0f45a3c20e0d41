"""Names of the built-in experiments. Free of keras, so that a wrong name is answered at once."""

BUILT_IN = {
    "imdb": "portable_models.experiments.imdb:imdb",
    "boston": "portable_models.experiments.boston:boston",
    "regularization": "portable_models.experiments.regularization:regularization",
}
