"""``tf.data.Dataset``, one batch at a time, on whatever backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portable_models.data.pipelines.pipeline import Feed, Pipeline, as_tuple, batches
from portable_models.data.samples import Indices, Samples


class TensorFlowDataPipeline(Pipeline):
    """A ``tf.data.Dataset`` of whole batches in the epoch's order."""

    name = "tf.data"
    requires = ("tensorflow",)

    def feed(
        self,
        samples: Samples,
        order: Indices,
        batch_size: int,
        *,
        class_weight: Mapping[int, float] | None = None,
    ) -> Feed:
        """See ``Pipeline.feed``."""
        import tensorflow as tf

        if not len(order):
            raise ValueError("a tf.data pipeline needs at least one sample; got none")

        def generate() -> Any:
            for batch in batches(samples, order, batch_size, class_weight):
                yield as_tuple(batch)

        example = as_tuple(next(batches(samples, order[:1], 1, class_weight)))
        signature = tf.nest.map_structure(
            lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), example
        )
        steps = -(-len(order) // batch_size)
        dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
        # Without the count Keras takes the length for unknown and warns that the data ran out.
        return Feed(dataset.apply(tf.data.experimental.assert_cardinality(steps)))
