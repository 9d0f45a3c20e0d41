"""One training of a study, as experiments run it: a recipe, samples, and what only studies can ask for."""

from portable_models.training import Member, fit_many


def fit(model, samples, recipe, *, validation=None, checkpoint=None, warn=False, **settings):
    """Train one model by a recipe; see ``fit_many`` for the settings."""
    member = Member(model, samples, recipe, validation, checkpoint)
    return fit_many([member], warn=warn, **settings)[0]
