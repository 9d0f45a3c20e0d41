"""The pipelines by name."""

from __future__ import annotations

import difflib

from portable_models.data.pipelines.numpy_arrays import NumpyPipeline
from portable_models.data.pipelines.pandas_frames import PandasPipeline
from portable_models.data.pipelines.pipeline import Pipeline
from portable_models.data.pipelines.py_dataset import PyDatasetPipeline
from portable_models.data.pipelines.tensorflow_data import TensorFlowDataPipeline
from portable_models.data.pipelines.torch_dataloader import TorchDataLoaderPipeline

PIPELINES: dict[str, Pipeline] = {
    each.name: each
    for each in (
        NumpyPipeline(),
        PandasPipeline(),
        TensorFlowDataPipeline(),
        TorchDataLoaderPipeline(),
        PyDatasetPipeline(),
    )
}


def pipeline(name: str) -> Pipeline:
    """The pipeline of this name.

    Raises:
        ValueError: there is none.
    """
    try:
        return PIPELINES[name]
    except KeyError:
        near = difflib.get_close_matches(name, PIPELINES, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"unknown pipeline {name!r}: expected one of {', '.join(PIPELINES)}{hint}"
        ) from None
