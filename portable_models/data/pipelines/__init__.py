"""Ways in which samples reach Keras; all deliver the same batches in the same order."""

from portable_models.data.pipelines.pipeline import Feed, Pipeline, PipelineUnavailableError
from portable_models.data.pipelines.registry import PIPELINES, pipeline

__all__ = ["PIPELINES", "Feed", "Pipeline", "PipelineUnavailableError", "pipeline"]
