"""Keras 3 and TensorFlow's converter: the same weights, full-integer post-training quantization.

Usage: keras_route.py VARIANT FOLDER OUT.tflite [BATCH]
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from variants import CLASSES, EPSILON, FEATURES, LAYERS, MLP, TOKENS, VARIANTS, WIDTH

Weights = dict[str, np.ndarray]


class ClassToken(keras.layers.Layer):
    def build(self, shape):
        self.token = self.add_weight(shape=(1, 1, WIDTH), name="token")

    def call(self, x):
        token = keras.ops.broadcast_to(self.token, (keras.ops.shape(x)[0], 1, WIDTH))
        return keras.ops.concatenate((token, x), axis=1)


class Positions(keras.layers.Layer):
    def build(self, shape):
        self.positions = self.add_weight(shape=(1, *shape[1:]), name="positions")

    def call(self, x):
        return x + self.positions


def build(variant, batch: int | None) -> keras.Model:
    x = first = keras.Input((TOKENS, FEATURES), batch_size=batch)
    x = keras.layers.Dense(WIDTH, name="embedding")(x)
    if variant.class_token:
        x = ClassToken(name="class_token")(x)
    x = Positions(name="positions")(x)
    for index in range(LAYERS):
        x = block(x, variant, f"blocks.{index}")
    x = norm("norm")(x) if variant.pre_norm else x
    x = x[:, 0] if variant.class_token else keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(first, keras.layers.Dense(CLASSES, name="head")(x))


def block(x, variant, name: str):
    attention = keras.layers.MultiHeadAttention(variant.heads, WIDTH // variant.heads, name=f"{name}.attention")
    up = keras.layers.Dense(MLP, activation="gelu", name=f"{name}.mlp.0")
    down = keras.layers.Dense(WIDTH, name=f"{name}.mlp.2")
    norm1, norm2 = norm(f"{name}.norm1"), norm(f"{name}.norm2")
    if variant.pre_norm:
        y = norm1(x)
        x = x + attention(y, y)
        return x + down(up(norm2(x)))
    x = norm1(x + attention(x, x))
    return norm2(x + down(up(x)))


def norm(name: str) -> keras.layers.Layer:
    return keras.layers.LayerNormalization(epsilon=EPSILON, name=name)


def load(model: keras.Model, weights: Weights, heads: int) -> None:
    for layer in model.layers:
        if isinstance(layer, ClassToken | Positions):
            layer.set_weights([weights[layer.name]])
        elif isinstance(layer, keras.layers.Dense):
            layer.set_weights([weights[f"{layer.name}.weight"].T, weights[f"{layer.name}.bias"]])
        elif isinstance(layer, keras.layers.LayerNormalization):
            layer.set_weights([weights[f"{layer.name}.weight"], weights[f"{layer.name}.bias"]])
        elif isinstance(layer, keras.layers.MultiHeadAttention):
            layer.set_weights(attention_weights(weights, layer.name, heads))


def attention_weights(weights: Weights, name: str, heads: int) -> list[np.ndarray]:
    made = []
    for part in ("query", "key", "value"):
        made.append(weights[f"{name}.{part}.weight"].T.reshape(WIDTH, heads, -1))
        made.append(weights[f"{name}.{part}.bias"].reshape(heads, -1))
    return [*made, weights[f"{name}.out.weight"].T.reshape(heads, -1, WIDTH), weights[f"{name}.out.bias"]]


def convert(model: keras.Model, samples: np.ndarray) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def main(name: str, folder: Path, out: Path, batch: int | None) -> None:
    variant = VARIANTS[name]
    model = build(variant, batch)
    load(model, dict(np.load(folder / "weights.npz")), variant.heads)
    test = np.load(folder / "test.npz")
    logits = np.concatenate([model(x).numpy() for x in test["in0_seq"]])
    print("largest difference from torch:", np.abs(logits - test["logits"]).max())
    np.testing.assert_allclose(logits, test["logits"], atol=1e-4)
    out.write_bytes(convert(model, np.load(folder / "calib.npz")["x"]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else None)
