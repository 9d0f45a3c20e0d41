"""Data sets, vectorisation, and one order of samples for every pipeline. Imports no keras."""

from portable_models.data.boston import FEATURES, load_boston
from portable_models.data.catalogue import load
from portable_models.data.imdb import ReviewDataSet, load_imdb
from portable_models.data.order import epoch_order, order_digest
from portable_models.data.samples import (
    Array,
    ArraySamples,
    Batch,
    DataSet,
    Indices,
    MultiHotSamples,
    Samples,
    Structure,
    arrays_of,
    digest_arrays,
)
from portable_models.data.sources import DATA_VARIABLE, DataError
from portable_models.data.standardise import standardise
from portable_models.data.synthetic import SyntheticReviews, synthetic_reviews
from portable_models.data.vectorise import WordSequences, bag_of_words, multi_hot
from portable_models.data.words import decode_review, load_word_index

__all__ = [
    "DATA_VARIABLE",
    "FEATURES",
    "Array",
    "ArraySamples",
    "Batch",
    "DataError",
    "DataSet",
    "Indices",
    "MultiHotSamples",
    "ReviewDataSet",
    "Samples",
    "Structure",
    "SyntheticReviews",
    "WordSequences",
    "arrays_of",
    "bag_of_words",
    "decode_review",
    "digest_arrays",
    "epoch_order",
    "load",
    "load_boston",
    "load_imdb",
    "load_word_index",
    "multi_hot",
    "order_digest",
    "standardise",
    "synthetic_reviews",
]
