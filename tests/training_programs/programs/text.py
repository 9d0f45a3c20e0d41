"""Word ids in, labels or words out: attention, masks, two inputs."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from .program import Programs
from .samples import floats, rng, sentences

PROGRAMS = Programs("text", "Keras code examples, natural language processing")

KEYS = 60.0
"""The bias of attention's keys cancels in the softmax: its gradient is rounding, of which Adam makes steps.
The floor of these programs is up to 30 times the usual one, by ``compare.py --floor`` on PyTorch."""


class TransformerBlock(layers.Layer):
    def __init__(self, width, heads, inner, rate=0.1):
        super().__init__()
        self.att = layers.MultiHeadAttention(num_heads=heads, key_dim=width)
        self.ffn = keras.Sequential([layers.Dense(inner, activation="relu"), layers.Dense(width)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1, self.dropout2 = layers.Dropout(rate), layers.Dropout(rate)

    def call(self, inputs):
        attended = self.dropout1(self.att(inputs, inputs))
        first = self.layernorm1(inputs + attended)
        return self.layernorm2(first + self.dropout2(self.ffn(first)))


class TokenAndPosition(layers.Layer):
    def __init__(self, length, words, width):
        super().__init__()
        self.token_emb = layers.Embedding(words, width)
        self.pos_emb = layers.Embedding(length, width)

    def call(self, x):
        return self.token_emb(x) + self.pos_emb(ops.arange(0, ops.shape(x)[-1], 1))


def transformer():
    inputs = layers.Input(shape=(7,))
    x = TokenAndPosition(7, 20, 6)(inputs)
    x = TransformerBlock(6, heads=2, inner=8)(x)
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    x = layers.Dropout(0.1)(layers.Dense(8, activation="relu")(x))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@PROGRAMS.add(transformer, sensitivity=KEYS)
def transformer_classifier(folder):
    x, y = sentences()
    return {"x": x, "y": y, "batch_size": 8, "epochs": 2, "validation_data": (x[:9], y[:9])}


def masked_lstm():
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(20, 5, mask_zero=True),
            layers.LSTM(4),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model


@PROGRAMS.add(masked_lstm, notes="Embedding(mask_zero=True)")
def masked_lstm_sentiment(folder):
    x, y = sentences()
    return {"x": x, "y": y, "batch_size": 8, "epochs": 2, "validation_split": 0.2}


def captioning():
    """An image's features start a recurrent network that guesses the next word at each place."""
    features = keras.Input((16,), name="features")
    words = keras.Input((6,), dtype="int32", name="words")
    state = layers.Dense(5, activation="relu")(layers.Dropout(0.2)(features))
    embedded = layers.Dropout(0.2)(layers.Embedding(15, 5, mask_zero=True)(words))
    hidden = layers.LSTM(5, return_sequences=True)(embedded, initial_state=[state, state])
    model = keras.Model([features, words], layers.Dense(15, activation="softmax")(hidden))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


@PROGRAMS.add(
    captioning, notes="two inputs of other ranks and dtypes; the mask goes to loss and metrics"
)
def captioning_two_inputs(folder):
    draw = rng(8)
    features = draw.normal(size=(22, 16)).astype("float32")
    words, _ = sentences(22, 7, 15)
    return {"x": [features, words[:, :-1]], "y": words[:, 1:], "batch_size": 8, "epochs": 2}


def sequence_to_sequence():
    source = keras.Input((6,), name="encoder_inputs")
    target = keras.Input((6,), name="decoder_inputs")
    embed = layers.Embedding(20, 5)
    _, state = layers.GRU(6, return_state=True)(embed(source))
    outputs = layers.GRU(6, return_sequences=True)(embed(target), initial_state=state)
    model = keras.Model(
        {"encoder_inputs": source, "decoder_inputs": target}, layers.Dense(20)(outputs)
    )
    model.compile(
        keras.optimizers.RMSprop(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        weighted_metrics=["accuracy"],
    )
    return model


@PROGRAMS.add(sequence_to_sequence, notes="sample weights for each place (the padding has 0)")
def translation_with_temporal_weights(folder):
    words, _ = sentences(26, 7)
    x = {"encoder_inputs": words[:, ::-1][:, :6].copy(), "decoder_inputs": words[:, :-1]}
    y = words[:, 1:]
    weights = (y != 0).astype("float32")
    return {"x": x, "y": y, "sample_weight": weights, "batch_size": 8, "epochs": 2}


class MiniGpt(keras.Model):
    """Causal attention; an embedding that is shared with the output."""

    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(20, 6)
        self.attention = layers.MultiHeadAttention(2, 3, dropout=0.1)
        self.norm = layers.LayerNormalization()

    def call(self, inputs, training=None):
        x = self.embedding(inputs)
        x = x + self.attention(x, x, use_causal_mask=True, training=training)
        return ops.matmul(self.norm(x), ops.transpose(self.embedding.embeddings))


def mini_gpt():
    model = MiniGpt()
    model.compile("adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


@PROGRAMS.add(mini_gpt, sensitivity=KEYS, notes="subclassed, unbuilt until fit; tied embedding")
def next_word(folder):
    words, _ = sentences()
    return {"x": words[:, :-1], "y": words[:, 1:], "batch_size": 8, "epochs": 2}


def multi_label():
    model = keras.Sequential(
        [layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(4, "sigmoid")]
    )
    model.compile("adam", "binary_crossentropy", metrics=["binary_accuracy", "precision", "recall"])
    return model


@PROGRAMS.add(multi_label, notes="Sequential without Input; bags of words; several labels")
def multi_label_bag_of_words(folder):
    draw = rng(9)
    x = (draw.random((33, 20)) < 0.3).astype("float32")
    y = np.stack([x[:, :3].max(1), x[:, 4], x[:, 5:7].max(1), 1 - x[:, 8]], axis=1)
    return {"x": x, "y": y, "batch_size": 8, "epochs": 3, "validation_data": (x[:9], y[:9])}


class Patches(layers.Layer):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def call(self, images):
        patches = ops.image.extract_patches(images, size=self.size)
        places = patches.shape[1] * patches.shape[2]
        return ops.reshape(patches, (ops.shape(images)[0], places, patches.shape[-1]))


def vision_transformer():
    inputs = keras.Input((8, 8, 1))
    x = layers.Dense(6)(Patches(4)(inputs))
    x = TransformerBlock(6, heads=1, inner=8, rate=0.0)(x)
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=0.001, weight_decay=0.0001),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[
            keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
            keras.metrics.SparseTopKCategoricalAccuracy(2, name="top-2-accuracy"),
        ],
    )
    return model


@PROGRAMS.add(
    vision_transformer, sensitivity=KEYS, source="Keras code examples, vision transformer"
)
def vision_transformer_top_k(folder):
    x, y = floats()
    return {"x": x, "y": y, "batch_size": 8, "epochs": 2, "validation_split": 0.1}
