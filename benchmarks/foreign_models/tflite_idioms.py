"""What TFLite files contain besides a float model and its quantization: fake quantization, old integers, sparsity."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from keras_models import conv_bn, functional, head, model, sequential


class FakeQuantized(L.Layer):
    """Rounds as training aware of quantization does."""

    def __init__(self, low, high, bits=8, narrow=False):
        super().__init__()
        self.settings = {"min": low, "max": high, "num_bits": bits, "narrow_range": narrow}

    def call(self, x):
        return tf.quantization.fake_quant_with_min_max_args(x, **self.settings)


class QuantizedLayer(L.Layer):
    """A dense layer or convolution with fake quantized weights."""

    def __init__(self, units, size=None, per_channel=True):
        super().__init__()
        self.units, self.size, self.per_channel = units, size, per_channel

    def build(self, shape):
        lead = (self.size, self.size) if self.size else ()
        self.kernel = self.add_weight(shape=(*lead, shape[-1], self.units), name="kernel")
        self.bias = self.add_weight(shape=(self.units,), name="bias", initializer="random_normal")

    def call(self, x):
        axes = list(range(len(self.kernel.shape) - 1))
        if self.per_channel and self.size:
            peak = tf.reduce_max(tf.abs(self.kernel), axes)
            w = tf.quantization.fake_quant_with_min_max_vars_per_channel(self.kernel, -peak, peak, narrow_range=True)
        else:
            low, high = tf.reduce_min(self.kernel), tf.reduce_max(self.kernel)
            w = tf.quantization.fake_quant_with_min_max_vars(self.kernel, low, high)
        return (tf.nn.conv2d(x, w, 1, "VALID") if self.size else tf.matmul(x, w)) + self.bias


def aware(per_channel):
    def body(x):
        x = FakeQuantized(-4.0, 4.0)(x)
        for channels in (8, 12):
            x = FakeQuantized(0.0, 6.0)(L.ReLU(max_value=6.0)(QuantizedLayer(channels, 3, per_channel)(x)))
        x = FakeQuantized(0.0, 6.0)(L.MaxPooling2D(2)(x))
        return FakeQuantized(-8.0, 8.0)(QuantizedLayer(4, per_channel=per_channel)(L.Flatten()(x)))

    return functional((16, 12, 1), body)


@model
def quantization_aware():
    return aware(per_channel=True)


@model
def quantization_aware_asymmetric():
    return aware(per_channel=False)


@model
def half_aware():
    """Fake quantization around the convolutions only, which leaves the rest in floating point."""

    def body(x):
        x = FakeQuantized(-4.0, 4.0)(x)
        x = FakeQuantized(0.0, 6.0)(L.ReLU(max_value=6.0)(QuantizedLayer(8, 3)(x)))
        return L.Dense(4, activation="softmax")(L.Dense(16, activation="swish")(L.Flatten()(x)))

    return functional((16, 12, 1), body)


@model
def mostly_zeros():
    """Three quarters of the weights are 0, for the converter to store them sparsely."""
    net = sequential((64,), L.Dense(64, activation="relu"), L.Dense(64, activation="relu"), L.Dense(8))
    for layer in net.layers:
        kernel, bias = layer.get_weights()
        kernel[(keras.random.uniform(kernel.shape, seed=1).numpy() > 0.2)] = 0
        layer.set_weights([kernel, bias])
    return net


@model
def logarithm_between():
    """An operator without integer kernel in the middle."""

    def body(x):
        y = conv_bn(x, 8, 3, 2)
        y = keras.ops.log(keras.ops.mean(keras.ops.square(y), 1) + 1e-3)
        return L.Dense(4)(L.Flatten()(L.Conv1D(8, 3, activation="relu")(y)))

    return functional((24, 16, 1), body)


@model
def classes_and_bytes():
    """A picture of bytes that is scaled inside of the graph."""

    def body(x):
        x = keras.ops.cast(x, "float32") / 127.5 - 1.0
        return head(conv_bn(x, 8, 3, 2))

    return functional((16, 16, 1), body, dtype="uint8")


@model
def rank_five():
    """Axes beyond the fourth, which are added, multiplied and reduced."""

    def body(x):
        y = L.Reshape((2, 3, 4, 5, 2))(L.Dense(240)(x))
        y = keras.ops.mean(y * 2.0 + keras.ops.max(y, 5, keepdims=True), (2, 4))
        return L.Dense(4)(L.Flatten()(keras.ops.transpose(y, (0, 2, 3, 1))))

    return functional((16,), body)


@model
def masked_sequence():
    """Padded frames are found by their zeros and left out of the mean."""

    def body(x):
        o = keras.ops
        mask = o.cast(o.any(o.not_equal(x, 0.0), -1, keepdims=True), "float32")
        y = L.Dense(12, activation="relu")(x)
        return L.Dense(4)(o.sum(y * mask, 1) / o.maximum(o.sum(mask, 1), 1.0))

    return functional((16, 10), body)


@model
def rounding():
    """Floor, ceiling, rounding, sign and remainder of what is computed."""

    def body(x):
        o = keras.ops
        y = L.Dense(8)(x)
        return L.Dense(4)(o.floor(y * 2.0) + o.ceil(y) * 0.5 + o.round(y * 3.0) + o.sign(y) + o.mod(y, 0.7))

    return functional((12,), body)


@model
def trigonometry():
    def body(x):
        o = keras.ops
        y = L.Dense(8)(x)
        angle = o.arctan2(y, L.Dense(8)(x))
        return L.Dense(4)(o.concatenate([o.sin(y), o.cos(y), angle], -1))

    return functional((12,), body)


@model
def scattered():
    """Elements chosen by several indices, masks of bands, one-hot positions."""

    def body(x):
        o = keras.ops
        y = L.Dense(12)(x)
        y = o.take(y, [0, 3, 5, 3], axis=1) + o.take_along_axis(y, o.ones((1, 4, 12), "int32"), 1)
        return L.Dense(4)(y * o.one_hot(o.arange(4), 12) + o.triu(o.ones((4, 12))) * y)

    return functional((8, 6), body)


class TwoSignatures(tf.Module):
    """Features and classes as two signatures of one file."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.front = tf.constant(rng.normal(0, 0.3, (3, 8, 8)).astype(np.float32))
        self.back = tf.constant(rng.normal(0, 0.3, (8, 4)).astype(np.float32))

    def features(self, x):
        return tf.reduce_max(tf.nn.relu(tf.nn.conv1d(x, self.front, 1, "VALID")), 1)

    @tf.function(input_signature=[tf.TensorSpec((1, 20, 8), tf.float32)])
    def __call__(self, x):
        features = self.features(x)
        return {"features": features, "classes": tf.nn.softmax(features @ self.back)}

    @tf.function(input_signature=[tf.TensorSpec((1, 8), tf.float32)])
    def top(self, features):
        return {"classes": tf.nn.softmax(features @ self.back)}

    def signatures(self):
        return {"serving_default": self.__call__, "top": self.top}


@model
def two_signatures():
    return TwoSignatures()


class Branch(tf.Module):
    """A branch that depends on what is heard, and one that depends on a constant."""

    def __init__(self):
        super().__init__()
        self.loud = sequential((16,), L.Dense(8, activation="relu"), L.Dense(4))
        self.quiet = sequential((16,), L.Dense(4))

    @tf.function(input_signature=[tf.TensorSpec((1, 16), tf.float32)])
    def __call__(self, x):
        return tf.cond(tf.reduce_mean(x * x) > 1.0, lambda: self.loud(x), lambda: self.quiet(x))


@model
def branch():
    return Branch()
