"""The Keras models: what people build for audio and TinyML, with random weights.

Each builder returns a model, or a `tf.Module` with a traced `__call__`.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

BUILDERS: dict[str, Callable[[], keras.Model | tf.Module]] = {}


def model(builder):
    BUILDERS[builder.__name__] = builder
    return builder


def functional(shape, body, dtype="float32", batch=None):
    x = keras.Input(shape, dtype=dtype, batch_size=batch)
    return keras.Model(x, body(x))


def sequential(shape, *parts):
    return keras.Sequential([L.Input(shape), *parts])


def conv_bn(x, channels, size, strides=1, activation="relu", **settings):
    x = L.Conv2D(channels, size, strides, padding="same", use_bias=False, **settings)(x)
    x = L.BatchNormalization()(x)
    return L.Activation(activation)(x) if activation else x


def separable(x, channels, size, strides=1, activation="relu"):
    x = L.DepthwiseConv2D(size, strides, padding="same", use_bias=False)(x)
    x = L.Activation(activation)(L.BatchNormalization()(x))
    return conv_bn(x, channels, 1, activation=activation)


def head(x, classes=12):
    return L.Dense(classes, activation="softmax")(L.GlobalAveragePooling2D()(x))


@model
def micro_speech():
    return sequential(
        (49, 40, 1), L.Conv2D(8, (10, 8), 2, padding="same", activation="relu"), L.Dropout(0.5), L.Flatten(),
        L.Dense(4), L.Softmax(),
    )  # fmt: skip


@model
def ds_cnn():
    def body(x):
        x = conv_bn(x, 64, (10, 4), 2)
        for _ in range(4):
            x = separable(x, 64, 3)
        x = L.AveragePooling2D((25, 5))(L.Dropout(0.4)(x))
        return L.Dense(12, activation="softmax")(L.Flatten()(x))

    return functional((49, 10, 1), body)


@model
def resnet8():
    def body(x):
        x = conv_bn(x, 16, 3)
        for channels, strides in ((16, 1), (32, 2), (64, 2)):
            y = conv_bn(conv_bn(x, channels, 3, strides), channels, 3, activation=None)
            x = L.Conv2D(channels, 1, strides, padding="same")(x) if strides > 1 else x
            x = L.ReLU()(L.Add()([x, y]))
        x = L.Flatten()(L.AveragePooling2D(8)(x))
        return L.Dense(10, activation="softmax")(x)

    return functional((32, 32, 3), body)


@model
def mobilenet_v1():
    return keras.applications.MobileNet((64, 64, 1), alpha=0.25, weights=None, classes=2)


@model
def mobilenet_v2():
    return keras.applications.MobileNetV2((64, 64, 1), alpha=0.35, weights=None, classes=10)


@model
def mobilenet_v3_minimal():
    return keras.applications.MobileNetV3Small(
        (64, 64, 3), alpha=0.75, minimalistic=True, weights=None, classes=10, include_preprocessing=False
    )


@model
def mobilenet_v3_small():
    return keras.applications.MobileNetV3Small((64, 64, 3), alpha=0.35, weights=None, classes=10)


@model
def efficientnet_like():
    def block(x, channels, strides):
        y = conv_bn(x, 4 * x.shape[-1], 1, activation="swish")
        y = L.Activation("swish")(L.BatchNormalization()(L.DepthwiseConv2D(3, strides, padding="same")(y)))
        s = L.GlobalAveragePooling2D(keepdims=True)(y)
        s = L.Conv2D(8, 1, activation="swish")(s)
        y = L.Multiply()([y, L.Conv2D(y.shape[-1], 1, activation="sigmoid")(s)])
        y = conv_bn(y, channels, 1, activation=None)
        return L.Add()([x, y]) if x.shape == y.shape else y

    def body(x):
        x = conv_bn(x, 16, 3, 2, activation="swish")
        for channels, strides in ((16, 1), (24, 2), (24, 1)):
            x = block(x, channels, strides)
        return head(x)

    return functional((48, 40, 1), body)


@model
def tc_resnet8():
    def body(x):
        x = L.Reshape((49, 1, 40))(x)
        x = L.Conv2D(16, (3, 1), padding="same", use_bias=False)(x)
        for channels in (24, 32, 48):
            y = L.Conv2D(channels, (9, 1), (2, 1), padding="same", use_bias=False)(x)
            y = L.ReLU()(L.BatchNormalization()(y))
            y = L.BatchNormalization()(L.Conv2D(channels, (9, 1), padding="same", use_bias=False)(y))
            x = L.ReLU()(L.BatchNormalization()(L.Conv2D(channels, 1, (2, 1), padding="same", use_bias=False)(x)))
            x = L.ReLU()(L.Add()([x, y]))
        return head(x)

    return functional((49, 40), body)


@model
def bc_resnet():
    def block(x, channels, dilation):
        y = L.Conv2D(channels, 1)(x) if x.shape[-1] != channels else x
        f = L.BatchNormalization()(L.DepthwiseConv2D((3, 1), padding="same")(y))
        t = tf_mean(f, 1)
        t = L.DepthwiseConv2D((1, 3), padding="same", dilation_rate=(1, dilation))(t)
        t = L.Activation("swish")(L.BatchNormalization()(t))
        t = L.Conv2D(channels, 1)(t)
        return L.ReLU()(L.Add()([y, f, t]))

    def body(x):
        x = conv_bn(x, 16, 5, (2, 1))
        for channels, dilation in ((8, 1), (12, 2), (16, 4)):
            x = block(x, channels, dilation)
        x = tf_mean(L.DepthwiseConv2D(5, padding="same")(x), 1)
        return L.Dense(12)(L.GlobalAveragePooling2D()(L.Conv2D(32, 1)(x)))

    return functional((40, 50, 1), body)


def tf_mean(x, axis):
    return keras.ops.mean(x, axis=axis, keepdims=True)


@model
def edge_impulse_conv1d():
    return sequential(
        (650,), L.Reshape((50, 13)), L.Conv1D(8, 3, padding="same", activation="relu"),
        L.MaxPooling1D(2, 2, padding="same"), L.Dropout(0.25), L.Conv1D(16, 3, padding="same", activation="relu"),
        L.MaxPooling1D(2, 2, padding="same"), L.Flatten(), L.Dense(3, activation="softmax"),
    )  # fmt: skip


@model
def edge_impulse_conv2d():
    return sequential(
        (1960,), L.Reshape((49, 40, 1)), L.Conv2D(8, 3, padding="same", kernel_constraint=keras.constraints.MaxNorm(1)),
        L.BatchNormalization(), L.Activation("relu"), L.MaxPooling2D(2, 2, padding="same"), L.Conv2D(16, 3,
        padding="same", activation="relu"), L.MaxPooling2D((2, 3), padding="same"), L.Flatten(), L.Dense(20, "relu"),
        L.Dense(4, activation="softmax"),
    )  # fmt: skip


@model
def dense_autoencoder():
    widths = (64, 64, 8, 64, 64)
    return sequential(
        (320,), *[p for n in widths for p in (L.Dense(n), L.BatchNormalization(), L.Activation("relu"))], L.Dense(320)
    )


@model
def crnn_gru():
    def body(x):
        x = L.MaxPooling2D((1, 4))(conv_bn(x, 16, 3, (2, 2)))
        x = L.Reshape((x.shape[1], -1))(x)
        x = L.Bidirectional(L.GRU(16, return_sequences=True))(x)
        return L.Dense(12, activation="softmax")(L.GRU(16)(x))

    return functional((40, 32, 1), body)


@model
def crnn_gru_unrolled():
    return sequential((10, 16), L.GRU(16, unroll=True), L.Dense(4))


@model
def gru_reset_before():
    return sequential((20, 8), L.GRU(12, reset_after=False), L.Dense(4))


@model
def lstm():
    return sequential((30, 13), L.LSTM(20), L.Dense(5, activation="softmax"))


@model
def lstm_batch_1():
    return functional((30, 13), lambda x: L.Dense(5)(L.LSTM(20)(x)), batch=1)


@model
def lstm_stacked():
    return sequential((49, 10), L.LSTM(16, return_sequences=True), L.LSTM(16), L.Dense(5, activation="softmax"))


@model
def lstm_unrolled():
    return sequential((8, 10), L.LSTM(16, unroll=True), L.Dense(5))


@model
def lstm_bidirectional():
    return sequential((25, 13), L.Bidirectional(L.LSTM(12)), L.Dense(5, activation="sigmoid"))


@model
def lstm_attention():
    def body(x):
        x = L.LSTM(16, return_sequences=True)(x)
        score = L.Softmax(axis=1)(L.Dense(1, activation="tanh")(x))
        return L.Dense(5)(keras.ops.sum(x * score, axis=1))

    return functional((20, 13), body)


@model
def simple_rnn():
    return sequential((20, 8), L.SimpleRNN(16), L.Dense(4))


def attention_block(x, heads, width, *, pre_norm=True, activation="gelu"):
    y = L.LayerNormalization(epsilon=1e-6)(x) if pre_norm else x
    y = L.MultiHeadAttention(heads, width // heads)(y, y)
    x = L.Add()([x, y])
    x = x if pre_norm else L.LayerNormalization(epsilon=1e-6)(x)
    y = L.LayerNormalization()(x) if pre_norm else x
    y = L.Dense(width)(L.Dense(2 * width, activation=activation)(y))
    x = L.Add()([x, y])
    return x if pre_norm else L.LayerNormalization()(x)


class Positions(L.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(1, *shape[1:]), initializer="random_normal", name="positions")

    def call(self, x):
        return x + self.table


class ClassToken(L.Layer):
    def build(self, shape):
        self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal", name="token")

    def call(self, x):
        return keras.ops.concatenate([keras.ops.tile(self.token, (keras.ops.shape(x)[0], 1, 1)), x], 1)


@model
def keyword_transformer():
    def body(x):
        x = Positions()(ClassToken()(L.Dense(32)(x)))
        for _ in range(2):
            x = attention_block(x, 2, 32, pre_norm=False)
        return L.Dense(12)(x[:, 0])

    return functional((25, 40), body)


@model
def transformer_mean():
    def body(x):
        x = Positions()(L.Dense(32)(x))
        for _ in range(2):
            x = attention_block(x, 4, 32)
        return L.Dense(12, activation="softmax")(L.GlobalAveragePooling1D()(x))

    return functional((20, 40), body)


@model
def transformer_tanh_gelu():
    def body(x):
        gelu = lambda v: keras.activations.gelu(v, approximate=True)  # noqa: E731
        return L.Dense(12)(L.GlobalAveragePooling1D()(attention_block(L.Dense(32)(x), 2, 32, activation=gelu)))

    return functional((20, 16), body)


@model
def conformer_block():
    def body(x):
        x = L.Dense(24)(x)
        x = x + 0.5 * L.Dense(24)(L.Dense(48, activation="swish")(L.LayerNormalization()(x)))
        x = attention_block(x, 2, 24, activation="swish")
        y = L.Dense(48)(L.LayerNormalization()(x))
        a, b = keras.ops.split(y, 2, axis=-1)
        y = L.DepthwiseConv1D(7, padding="same")(a * keras.ops.sigmoid(b))
        y = L.Dense(24)(L.Activation("swish")(L.BatchNormalization()(y)))
        return L.Dense(10)(L.GlobalAveragePooling1D()(x + y))

    return functional((20, 16), body)


@model
def tcn():
    def body(x):
        x = L.Conv1D(16, 1)(x)
        for dilation in (1, 2, 4, 8):
            y = L.Conv1D(16, 3, padding="causal", dilation_rate=dilation, activation="relu")(x)
            x = L.Add()([x, L.Conv1D(16, 1)(y)])
        return L.Dense(5)(x[:, -1, :])

    return functional((40, 13), body)


@model
def wavenet():
    def body(x):
        x, skips = L.Conv1D(12, 2, padding="causal")(x), []
        for dilation in (1, 2, 4):
            f = L.Conv1D(12, 2, padding="causal", dilation_rate=dilation, activation="tanh")(x)
            g = L.Conv1D(12, 2, padding="causal", dilation_rate=dilation, activation="sigmoid")(x)
            y = L.Conv1D(12, 1)(L.Multiply()([f, g]))
            skips.append(y)
            x = L.Add()([x, y])
        return L.Conv1D(4, 1)(L.Activation("relu")(L.Add()(skips)))

    return functional((64, 1), body)


@model
def raw_audio_conv1d():
    return sequential(
        (4000, 1), L.Conv1D(16, 80, 16, activation="relu"), L.MaxPooling1D(4), L.Conv1D(32, 3, activation="relu"),
        L.MaxPooling1D(4), L.GlobalMaxPooling1D(), L.Dense(10, activation="softmax"),
    )  # fmt: skip


@model
def separable_conv1d():
    def body(x):
        for strides in (2, 1, 2):
            x = L.SeparableConv1D(24, 9, strides, padding="same", use_bias=False)(x)
            x = L.LeakyReLU(0.1)(L.BatchNormalization()(x))
        return L.Dense(6)(L.GlobalAveragePooling1D()(x))

    return functional((60, 16), body)


@model
def matchboxnet():
    def body(x):
        x = L.ReLU()(L.BatchNormalization()(L.SeparableConv1D(24, 11, padding="same")(x)))
        for size in (13, 15):
            y = x
            for _ in range(2):
                y = L.ReLU()(L.BatchNormalization()(L.SeparableConv1D(24, size, padding="same")(y)))
            x = L.ReLU()(L.Add()([y, L.BatchNormalization()(L.Conv1D(24, 1)(x))]))
        x = L.Conv1D(32, 7, dilation_rate=2, padding="same", activation="relu")(x)
        return L.Dense(12)(L.GlobalAveragePooling1D()(x))

    return functional((50, 24), body)


@model
def conv_transpose_1d():
    return sequential(
        (32, 4), L.Conv1D(8, 5, 2, padding="same", activation="relu"), L.Conv1DTranspose(8, 5, 2, padding="same",
        activation="relu"), L.Conv1DTranspose(1, 4, 2, padding="valid"),
    )  # fmt: skip


@model
def conv_autoencoder():
    return sequential(
        (32, 32, 1), L.Conv2D(8, 3, 2, padding="same", activation="relu"), L.Conv2D(12, 3, 2, padding="same",
        activation="relu"), L.Conv2DTranspose(8, 3, 2, padding="same", activation="relu"), L.Conv2DTranspose(1, 4, 2,
        padding="same", activation="sigmoid"),
    )  # fmt: skip


def u_net(interpolation):
    def body(x):
        a = conv_bn(x, 8, 3)
        b = conv_bn(L.MaxPooling2D(2)(a), 12, 3)
        c = conv_bn(L.MaxPooling2D(2)(b), 16, 3)
        y = conv_bn(L.Concatenate()([L.UpSampling2D(2, interpolation=interpolation)(c), b]), 12, 3)
        y = conv_bn(L.Concatenate()([L.UpSampling2D(2, interpolation=interpolation)(y), a]), 8, 3)
        return L.Conv2D(1, 1, activation="sigmoid")(y)

    return functional((32, 16, 1), body)


@model
def u_net_nearest():
    return u_net("nearest")


@model
def u_net_bilinear():
    return u_net("bilinear")


@model
def conv1d_upsampling():
    return sequential((16, 8), L.Conv1D(8, 3, padding="same", activation="relu"), L.UpSampling1D(2), L.Conv1D(4, 3))


@model
def token_embedding():
    def body(x):
        return L.Dense(4)(L.GlobalAveragePooling1D()(attention_block(Positions()(L.Embedding(50, 16)(x)), 2, 16)))

    return functional((12,), body, dtype="int32")


@model
def two_inputs_two_outputs():
    a, b = keras.Input((20, 8)), keras.Input((6,))
    x = L.GlobalMaxPooling1D()(L.Conv1D(8, 3, activation="relu")(a))
    y = L.Concatenate()([x, L.Dense(8, activation="relu")(b)])
    return keras.Model([a, b], [L.Dense(4, activation="softmax", name="class")(y), L.Dense(1, name="level")(y)])


@model
def squeeze_excite():
    def body(x):
        x = conv_bn(x, 16, 3, 2, activation="relu6")
        s = L.Dense(16, activation="hard_sigmoid")(L.Dense(4, activation="relu")(L.GlobalAveragePooling2D()(x)))
        return head(L.Multiply()([x, L.Reshape((1, 1, 16))(s)]))

    return functional((24, 20, 1), body)


def activations(*names):
    def body(x):
        for name in names:
            x = L.Activation(name)(L.Dense(16)(x))
        return L.Dense(3)(x)

    return functional((16,), body)


@model
def activations_smooth():
    return activations("elu", "selu", "softplus", "swish", "gelu", "mish")


@model
def activations_bounded():
    return activations("hard_sigmoid", "tanh", "sigmoid", "softsign", "hard_swish", "relu6", "hard_tanh")


@model
def activations_rare():
    return activations("exponential", "log_sigmoid", "celu", "silu", "leaky_relu", "relu6")


@model
def relu_variants():
    def body(x):
        x = L.ReLU(max_value=1.0)(L.Dense(16)(x))
        x = L.ReLU(negative_slope=0.2)(L.Dense(16)(x))
        x = L.ReLU(threshold=0.5)(L.Dense(16)(x))
        return L.Dense(3)(keras.ops.clip(L.Dense(16)(x), -1.0, 1.0))

    return functional((16,), body)


@model
def prelu_conv():
    return sequential(
        (20, 16, 1), L.Conv2D(8, 3), L.PReLU(shared_axes=[1, 2]), L.MaxPooling2D(), L.Flatten(), L.Dense(4)
    )


@model
def pooling_and_padding():
    def body(x):
        x = L.ZeroPadding2D(((1, 2), (0, 3)))(x)
        x = L.AveragePooling2D(3, 2, padding="same")(L.Conv2D(8, 3, activation="relu")(x))
        x = L.MaxPooling2D(3, 1, padding="same")(L.Cropping2D(((1, 0), (0, 1)))(x))
        return L.Dense(4)(L.Concatenate()([L.GlobalMaxPooling2D()(x), L.GlobalAveragePooling2D()(x)]))

    return functional((30, 20, 1), body)


@model
def grouped_conv():
    return functional((16, 16, 8), lambda x: head(L.Conv2D(16, 3, groups=4, activation="relu")(x)))


@model
def shuffle_net():
    def body(x):
        x = conv_bn(x, 16, 3, 2)
        a, b = keras.ops.split(x, 2, axis=-1)
        b = separable(conv_bn(b, 8, 1), 8, 3)
        x = L.Concatenate()([a, b])
        x = L.Reshape((*x.shape[1:3], 2, 8))(x)
        x = L.Permute((1, 2, 4, 3))(x)
        return head(L.Reshape((*x.shape[1:3], 16))(x))

    return functional((24, 20, 1), body)


@model
def dilated_depthwise():
    def body(x):
        x = L.DepthwiseConv2D(3, padding="same", dilation_rate=2, depth_multiplier=2)(L.Conv2D(8, 1)(x))
        return head(L.Conv2D(8, 3, padding="same", dilation_rate=(2, 3), activation="relu")(x))

    return functional((20, 18, 1), body)


@model
def channels_permuted():
    def body(x):
        x = L.Conv2D(8, 3, activation="relu")(L.Permute((2, 3, 1))(x))
        return L.Dense(4)(L.Flatten()(L.Permute((3, 1, 2))(x)))

    return functional((3, 16, 12), body)


@model
def mlp_mixer():
    def body(x):
        x = L.Dense(16)(x)
        for _ in range(2):
            y = L.Permute((2, 1))(L.LayerNormalization()(x))
            y = L.Dense(x.shape[1])(L.Dense(32, activation="gelu")(y))
            x = L.Add()([x, L.Permute((2, 1))(y)])
            x = L.Add()([x, L.Dense(16)(L.Dense(32, activation="gelu")(L.LayerNormalization()(x)))])
        return L.Dense(4)(L.GlobalAveragePooling1D()(x))

    return functional((16, 20), body)


@model
def norms():
    def body(x):
        x = L.GroupNormalization(4)(L.Conv2D(8, 3, padding="same")(x))
        x = L.LayerNormalization()(L.ReLU()(x))
        x = L.GroupNormalization(-1)(L.Conv2D(8, 3, padding="same")(x))
        return L.Dense(4)(L.UnitNormalization()(L.GlobalAveragePooling2D()(x)))

    return functional((16, 12, 1), body)


@model
def preprocessing_inside():
    def body(x):
        x = L.Normalization(mean=3.0, variance=4.0)(L.Rescaling(1 / 128, offset=-1.0)(x))
        return head(L.Conv2D(8, 3, activation="relu")(x))

    return functional((20, 16, 1), body)


@model
def additive_attention():
    def body(x):
        x = L.Conv1D(16, 3, activation="relu")(x)
        return L.Dense(4)(
            L.GlobalAveragePooling1D()(L.Concatenate()([L.AdditiveAttention()([x, x]), L.Attention()([x, x])]))
        )

    return functional((12, 8), body)


@model
def time_distributed():
    def body(x):
        x = L.TimeDistributed(L.Dense(8, activation="relu"))(x)
        x = L.RepeatVector(4)(L.Flatten()(x))
        return L.Dense(3)(L.Average()([x[:, 0], x[:, 1]]) - L.Maximum()([x[:, 2], x[:, 3]]))

    return functional((10, 6), body)


@model
def reductions():
    def body(x):
        o = keras.ops
        x = L.Dense(16)(x)
        parts = [o.max(x, 1), o.min(x, 1), o.mean(x, 1), o.sum(x, 1), o.std(x, 1), o.sqrt(o.mean(o.square(x), 1))]
        return L.Dense(4)(L.Concatenate()(parts))

    return functional((12, 8), body)


@model
def stats_pooling():
    def body(x):
        x = L.Conv1D(24, 5, activation="relu")(x)
        x = L.Conv1D(24, 3, dilation_rate=2, activation="relu")(x)
        mean, variance = keras.ops.moments(x, axes=[1])
        x = L.Concatenate()([mean, keras.ops.sqrt(variance + 1e-5)])
        return keras.ops.normalize(L.Dense(16)(x), axis=-1)

    return functional((40, 13), body)


@model
def arithmetic():
    def body(x):
        o = keras.ops
        a, b = L.Dense(8)(x), L.Dense(8, activation="softplus")(x)
        y = o.divide(a, b + 1.0) + o.power(b, 0.5) - o.abs(a) * 0.5 + o.log1p(b) + o.exp(-b) + o.rsqrt(b + 0.1)
        return L.Dense(3)(o.where(a > 0, y, o.negative(y)) + o.square(a) + o.cumsum(b, axis=-1))

    return functional((10,), body)


@model
def argmax_output():
    class Place(L.Layer):
        def call(self, x):
            return tf.argmax(x, -1)

    return functional((16,), lambda x: Place()(L.Dense(6)(x)))


@model
def softmax_middle_axis():
    def body(x):
        w = L.Softmax(axis=1)(L.Dense(8)(x))
        return L.Dense(3)(keras.ops.sum(w * L.Dense(8)(x), 1))

    return functional((10, 6), body)


@model
def einsum():
    def body(x):
        a, b = L.Dense(8)(x), L.Dense(8)(x)
        return L.Dense(3)(keras.ops.einsum("btc,bsc->bts", a, b))

    return functional((10, 6), body)


@model
def fsmn():
    def body(x):
        x = L.Dense(24, activation="relu")(x)
        for _ in range(2):
            p = L.Dense(12, use_bias=False)(x)
            m = L.DepthwiseConv1D(6, padding="valid")(L.ZeroPadding1D((5, 0))(p))
            x = L.Dense(24, activation="relu")(L.Add()([p, m]))
        return L.Dense(4)(x)

    return functional((20, 16), body)


@model
def ghost_net():
    def body(x):
        x = conv_bn(x, 8, 3, 2)
        x = L.Concatenate()([x, L.ReLU()(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same")(x)))])
        return head(conv_bn(x, 8, 1))

    return functional((24, 20, 1), body)


@model
def dense_net():
    def body(x):
        x = conv_bn(x, 8, 3, 2)
        for _ in range(3):
            y = L.ReLU()(L.BatchNormalization()(x))
            x = L.Concatenate()([x, L.Conv2D(4, 3, padding="same")(y)])
        return head(L.AveragePooling2D(2)(L.BatchNormalization()(x)))

    return functional((24, 20, 1), body)


@model
def yamnet_like():
    def body(x):
        x = conv_bn(L.Reshape((64, 96, 1))(x), 8, 3, 2)
        for channels, strides in ((16, 1), (24, 2), (32, 2)):
            x = separable(x, channels, 3, strides)
        return L.Dense(16, activation="sigmoid")(L.GlobalAveragePooling2D()(x))

    return functional((64, 96), body)


@model
def conv3d():
    return sequential((8, 8, 8, 1), L.Conv3D(4, 3, activation="relu"), L.GlobalAveragePooling3D(), L.Dense(3))


@model
def attention_pool_1x1():
    def body(x):
        x = L.Conv2D(8, (1, 5), activation="relu")(x)
        x = L.Conv2D(8, (7, 1), padding="valid", activation="relu6")(x)
        return L.Softmax()(L.Reshape((4,))(L.Conv2D(4, (14, 16))(x)))

    return functional((20, 20, 1), body)


class SpectrogramModel(tf.Module):
    """Log-mel features by tf.signal inside of the graph, from raw audio."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.net = sequential((15, 20, 1), L.Conv2D(8, 3, 2, activation="relu"), L.Flatten(), L.Dense(4))

    @tf.function(input_signature=[tf.TensorSpec((1, 2048), tf.float32)])
    def __call__(self, audio):
        spectrum = tf.abs(tf.signal.stft(audio, 256, 128, 256))
        mel = spectrum @ tf.signal.linear_to_mel_weight_matrix(20, 129, 16000, 80, 7600)
        logs = tf.math.log(mel + 1e-4)
        if self.kind == "mfcc":
            logs = tf.signal.mfccs_from_log_mel_spectrograms(logs)
        return self.net(logs[..., None])


@model
def logmel_inside():
    return SpectrogramModel("logmel")


@model
def mfcc_inside():
    return SpectrogramModel("mfcc")


class Streaming(tf.Module):
    """A streaming convolution in the manner of microWakeWord and kws_streaming: rings in variables."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.first = tf.Variable(tf.zeros((1, 2, 1, 16)), name="ring0")
        self.second = tf.Variable(tf.zeros((1, 4, 1, 12)), name="ring1")
        weight = lambda *shape: tf.constant(rng.normal(0, 0.3, shape).astype(np.float32))  # noqa: E731
        self.w0, self.w1, self.w2 = weight(3, 1, 16, 12), weight(5, 1, 12, 1), weight(12, 1)

    @tf.function(input_signature=[tf.TensorSpec((1, 1, 1, 16), tf.float32)])
    def __call__(self, x):
        window = tf.concat([self.first, x], 1)
        self.first.assign(window[:, 1:])
        y = tf.nn.relu(tf.nn.conv2d(window, self.w0, 1, "VALID"))
        window = tf.concat([self.second, y], 1)
        self.second.assign(window[:, 1:])
        y = tf.nn.relu(tf.nn.depthwise_conv2d(window, self.w1, (1, 1, 1, 1), "VALID"))
        return tf.sigmoid(tf.reshape(y, (1, 12)) @ self.w2)


@model
def streaming_variables():
    return Streaming()


@model
def dynamic_time():
    x = keras.Input((None, 13))
    y = L.Conv1D(8, 3, padding="same", activation="relu")(x)
    return keras.Model(x, L.Dense(4)(L.GlobalAveragePooling1D()(y)))
