"""Published keyword, sound, speaker and vision networks, rebuilt from their papers with random weights."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from keras_models import ClassToken, Positions, attention_block, conv_bn, functional, head, model, separable, sequential


def batch_relu(x, activation="relu"):
    return L.Activation(activation)(L.BatchNormalization()(x))


@model
def hello_world():
    return sequential((1,), L.Dense(16, activation="relu"), L.Dense(16, activation="relu"), L.Dense(1))


@model
def magic_wand():
    return sequential(
        (128, 3, 1), L.Conv2D(8, (4, 3), padding="same", activation="relu"), L.MaxPooling2D(3), L.Dropout(0.1),
        L.Conv2D(16, (4, 1), padding="same", activation="relu"), L.MaxPooling2D((3, 1), padding="same"),
        L.Flatten(), L.Dense(16, activation="relu"), L.Dense(4, activation="softmax"),
    )  # fmt: skip


@model
def visual_wake_words():
    def body(x):
        x = conv_bn(x, 8, 3, 2)
        for channels, strides in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
            x = separable(x, channels, 3, strides)
        return L.Dense(2, activation="softmax")(L.Flatten()(L.AveragePooling2D(x.shape[1:3])(x)))

    return functional((96, 96, 3), body)


@model
def low_latency_svdf():
    """Layers of rank 1: a projection, then a filter over the time of each unit."""

    def body(x):
        for units, memory in ((64, 4), (64, 10), (32, 10)):
            x = L.Dense(units, use_bias=False)(x)
            x = L.DepthwiseConv1D(memory, padding="valid", activation="relu")(L.ZeroPadding1D((memory - 1, 0))(x))
            x = L.Dense(32)(x)
        return L.Dense(12)(L.Flatten()(x[:, -1:]))

    return functional((24, 40), body)


@model
def crnn_two_outputs():
    def body(x):
        x = batch_relu(L.Conv2D(16, (5, 20), (2, 8), padding="same")(x))
        x = L.Reshape((x.shape[1], -1))(x)
        sequence, last = L.GRU(24, return_sequences=True, return_state=True)(x)
        return L.Dense(12)(L.Dense(32, activation="relu")(L.Concatenate()([L.Flatten()(sequence), last])))

    return functional((32, 40, 1), body)


def attention_rnn(heads):
    def body(x):
        x = batch_relu(L.Conv2D(10, (5, 1), padding="same")(x))
        x = batch_relu(L.Conv2D(1, (5, 1), padding="same")(x))
        x = L.Reshape(x.shape[1:3])(x)
        for _ in range(2):
            x = L.Bidirectional(L.GRU(12, return_sequences=True))(x)
        middle = x[:, x.shape[1] // 2]
        found = []
        for _ in range(heads):
            score = L.Softmax()(L.Dot(axes=[1, 2])([L.Dense(24)(middle), x]))
            found.append(L.Dot(axes=[1, 1])([score, x]))
        x = L.Concatenate()(found) if heads > 1 else found[0]
        return L.Dense(12)(L.Dense(16, activation="relu")(x))

    return functional((24, 20, 1), body)


@model
def att_rnn():
    return attention_rnn(1)


@model
def mhatt_rnn():
    return attention_rnn(4)


@model
def ds_tc_resnet():
    def block(x, channels, size, residual=True):
        y = x
        for _ in range(2):
            y = L.ZeroPadding2D(((size - 1, 0), (0, 0)))(y)
            y = L.DepthwiseConv2D((size, 1), use_bias=False)(y)
            y = batch_relu(L.Conv2D(channels, 1, use_bias=False)(y))
        return L.ReLU()(L.Add()([y, L.BatchNormalization()(L.Conv2D(channels, 1)(x))])) if residual else y

    def body(x):
        x = block(L.Reshape((40, 1, 20))(x), 24, 3, residual=False)
        for size in (5, 7, 9):
            x = block(x, 24, size)
        return L.Softmax()(L.Conv2D(12, 1)(L.AveragePooling2D((40, 1))(block(x, 32, 11, residual=False))))

    return functional((40, 20), body)


@model
def open_wake_word_dense():
    def body(x):
        x = L.ReLU()(L.LayerNormalization()(L.Dense(64)(L.Flatten()(x))))
        for _ in range(2):
            x = L.ReLU()(L.LayerNormalization()(L.Dense(64)(x)))
        return L.Dense(1, activation="sigmoid")(x)

    return functional((16, 96), body)


@model
def open_wake_word_rnn():
    def body(x):
        x = L.Bidirectional(L.LSTM(24, return_sequences=True))(x)
        x = L.Bidirectional(L.LSTM(24, return_sequences=True))(x)
        return L.Dense(1, activation="sigmoid")(x[:, -1])

    return functional((16, 96), body)


@model
def speech_embedding():
    def pair(x, channels):
        x = L.LeakyReLU(0.2)(L.BatchNormalization()(L.Conv2D(channels, (1, 3), padding="same", use_bias=False)(x)))
        return L.LeakyReLU(0.2)(L.BatchNormalization()(L.Conv2D(channels, (3, 1), use_bias=False)(x)))

    def body(x):
        x = pair(x * 0.1 + 2.0, 8)
        for channels, pool in ((16, (2, 2)), (24, (1, 2)), (24, (2, 2))):
            x = pair(pair(x, channels), channels)
            x = L.MaxPooling2D(pool)(x)
        x = L.Conv2D(32, (x.shape[1], 4))(x)
        return L.Reshape((32,))(L.Maximum()([x, -0.4 * keras.ops.ones_like(x)]))

    return functional((76, 32, 1), body)


def convolution_pairs(x, channels, dilations):
    for dilation in dilations:
        y = L.Conv2D(channels, 3, padding="same", use_bias=False, dilation_rate=dilation[0], activation="relu")(x)
        y = L.BatchNormalization(scale=False, center=False)(y)
        y = L.Conv2D(channels, 3, padding="same", use_bias=False, dilation_rate=dilation[1], activation="relu")(y)
        x = L.BatchNormalization(scale=False, center=False)(L.Add()([y, x]))
    return x


@model
def honk_res8():
    def body(x):
        x = L.Conv2D(12, 3, padding="same", use_bias=False, activation="relu")(x)
        return head(convolution_pairs(L.AveragePooling2D((4, 3))(x), 12, [(1, 1)] * 3))

    return functional((40, 39, 1), body)


@model
def honk_res15():
    def body(x):
        x = L.Conv2D(12, 3, padding="same", use_bias=False, activation="relu")(x)
        return head(convolution_pairs(x, 12, [(1, 1), (1, 2), (2, 2), (4, 4), (4, 8), (8, 8)]))

    return functional((40, 24, 1), body)


@model
def distilled_keyword_transformer():
    def body(x):
        x = Positions()(ClassToken()(ClassToken()(L.Dense(32)(x))))
        for _ in range(2):
            x = attention_block(x, 2, 32, pre_norm=False)
        x = L.LayerNormalization()(x)
        return L.Average()([L.Dense(12)(x[:, 0]), L.Dense(12)(x[:, 1])])

    return functional((25, 40), body)


@model
def spectrogram_transformer():
    """Overlapping patches, two tokens whose mean is classified."""

    def body(x):
        x = L.Conv2D(24, 16, 10, padding="valid")(x)
        x = L.Reshape((x.shape[1] * x.shape[2], 24))(x)
        x = Positions()(ClassToken()(ClassToken()(x)))
        for _ in range(2):
            x = attention_block(x, 3, 24)
        x = L.LayerNormalization(epsilon=1e-6)(x)
        return L.Dense(10)(L.LayerNormalization()((x[:, 0] + x[:, 1]) / 2.0))

    return functional((64, 48, 1), body)


@model
def mobile_vit():
    def body(x):
        x = y = conv_bn(x, 16, 3, 2, activation="swish")
        y = L.Conv2D(24, 1, use_bias=False)(conv_bn(y, 16, 3, activation="swish"))
        height, width = y.shape[1:3]
        y = L.Reshape((height // 2, 2, width // 2, 2, 24))(y)
        y = L.Permute((2, 4, 1, 3, 5))(y)
        y = L.Reshape((4, height * width // 4, 24))(y)
        y = attention_block(y, 2, 24, activation="swish")
        y = L.Permute((3, 1, 4, 2, 5))(L.Reshape((2, 2, height // 2, width // 2, 24))(y))
        y = conv_bn(L.Reshape((height, width, 24))(y), 16, 1, activation="swish")
        return head(conv_bn(L.Concatenate()([x, y]), 16, 3, activation="swish"))

    return functional((24, 16, 1), body)


def attentive_statistics(x):
    o = keras.ops
    mean, spread = o.mean(x, 1, keepdims=True), o.sqrt(o.maximum(o.var(x, 1, keepdims=True), 1e-4))
    context = L.Concatenate()([x, o.ones_like(x) * mean, o.ones_like(x) * spread])
    weight = L.Softmax(axis=1)(L.Conv1D(x.shape[-1], 1)(L.Conv1D(8, 1, activation="tanh")(context)))
    mean = o.sum(weight * x, 1)
    return L.Concatenate()([mean, o.sqrt(o.clip(o.sum(weight * x * x, 1) - mean * mean, 1e-4, 1e4))])


def squeeze(x):
    s = L.GlobalAveragePooling1D(keepdims=True)(x)
    return x * L.Conv1D(x.shape[-1], 1, activation="sigmoid")(L.Conv1D(8, 1, activation="relu")(s))


@model
def ecapa_tdnn():
    def block(x, dilation):
        y = batch_relu(L.Conv1D(24, 1)(x))
        first, *rest = keras.ops.split(y, 4, axis=-1)
        found, last = [first], None
        for part in rest:
            last = part if last is None else part + last
            last = batch_relu(L.Conv1D(6, 3, padding="same", dilation_rate=dilation)(last))
            found.append(last)
        return x + squeeze(batch_relu(L.Conv1D(24, 1)(L.Concatenate()(found))))

    def body(x):
        x = batch_relu(L.Conv1D(24, 5, padding="same")(x))
        a = block(x, 2)
        b = block(x + a, 3)
        x = L.Conv1D(32, 1, activation="relu")(L.Concatenate()([a, b]))
        return L.UnitNormalization()(L.Dense(24)(L.BatchNormalization()(attentive_statistics(x))))

    return functional((50, 20), body)


@model
def x_vector():
    def body(x):
        for channels, size, dilation in ((24, 5, 1), (24, 3, 2), (24, 3, 3), (32, 1, 1)):
            x = L.BatchNormalization()(L.Conv1D(channels, size, dilation_rate=dilation, activation="relu")(x))
        return keras.ops.log_softmax(L.Dense(10)(L.Dense(24)(attentive_statistics(x))))

    return functional((40, 20), body)


@model
def wav2letter():
    def body(x):
        x = L.Reshape((1, 64, 13))(x)
        for channels, size, strides in ((24, 48, 2), (24, 7, 1), (24, 7, 1), (48, 32, 1), (64, 1, 1)):
            x = L.Conv2D(channels, (1, size), (1, strides), padding="same")(x)
            x = L.Maximum()([x, 0.05 * x])
        return L.Softmax()(L.Conv2D(29, 1)(x))

    return functional((64, 13), body)


@model
def relative_conformer():
    """Attention by content and by distance, whose scores are shifted into place as in Transformer-XL."""

    class RelativeAttention(L.Layer):
        def build(self, shape):
            time, width = shape[1:]
            make = lambda name, *s: self.add_weight(shape=s, initializer="random_normal", name=name)  # noqa: E731
            self.q, self.k, self.v = (make(n, width, width) for n in "qkv")
            self.u, self.w = make("u", width), make("w", width)
            self.distances = make("r", 2 * time - 1, width)

        def call(self, x):
            time, width = x.shape[1:]
            q, k, v = x @ self.q, x @ self.k, x @ self.v
            by_content = tf.matmul(q + self.u, k, transpose_b=True)
            by_place = tf.matmul(q + self.w, self.distances, transpose_b=True)
            padded = tf.reshape(tf.pad(by_place, ((0, 0), (0, 0), (1, 0))), (-1, 2 * time, time))
            by_place = tf.reshape(padded[:, 1:], (-1, time, 2 * time - 1))[:, :, :time]
            return tf.matmul(tf.nn.softmax((by_content + by_place) * width**-0.5), v)

    def body(x):
        x = L.Dense(16)(x)
        x = x + RelativeAttention()(L.LayerNormalization()(x))
        y = L.Dense(32)(L.LayerNormalization()(x))
        y = y[..., :16] * keras.ops.sigmoid(y[..., 16:])
        y = L.Activation("swish")(L.BatchNormalization()(L.DepthwiseConv1D(5, padding="same")(y)))
        return L.Dense(10)(L.LayerNormalization()(x + L.Dense(16)(y)))

    return functional((20, 16), body)


@model
def gated_mlp():
    def body(x):
        x = L.Dense(24)(x)
        for _ in range(2):
            y = L.Dense(48, activation="gelu")(L.LayerNormalization()(x))
            u, v = keras.ops.split(y, 2, axis=-1)
            v = L.Permute((2, 1))(L.Dense(20)(L.Permute((2, 1))(L.LayerNormalization()(v))))
            x = x + L.Dense(24)(u * v)
        return L.Dense(12)(keras.ops.mean(L.LayerNormalization()(x), 1))

    return functional((20, 40), body)


@model
def edge_crnn():
    def body(x):
        x = conv_bn(x, 8, 3, 2)
        a = conv_bn(L.DepthwiseConv2D(3, 2, padding="same")(x), 8, 1)
        b = conv_bn(L.DepthwiseConv2D(3, 2, padding="same")(conv_bn(x, 8, 1)), 8, 1)
        x = L.Concatenate()([a, b])
        x = L.Reshape((*x.shape[1:3], 2, 8))(x)
        x = L.Reshape((*x.shape[1:3], 16))(keras.ops.transpose(x, (0, 1, 2, 4, 3)))
        x = L.AveragePooling2D((1, x.shape[2]))(x)
        return L.Dense(12)(L.SimpleRNN(16)(L.Reshape((x.shape[1], 16))(x)))

    return functional((40, 39, 1), body)


@model
def pyramid_pooling():
    def body(x):
        x = conv_bn(x, 8, 3, 2)
        parts = [x]
        for bins in (1, 2, 4):
            size = (x.shape[1] // bins, x.shape[2] // bins)
            y = L.Conv2D(4, 1, activation="relu")(L.AveragePooling2D(size)(x))
            parts.append(L.Resizing(*x.shape[1:3])(y))
        return head(conv_bn(L.Concatenate()(parts), 8, 3))

    return functional((32, 16, 1), body)


@model
def inverted_residuals_squeezed():
    """In the manner of MCUNet and PhiNet: large depthwise kernels, hard swish, squeeze and excitation."""

    def block(x, channels, size, strides):
        y = L.Activation("hard_swish")(L.BatchNormalization()(L.Conv2D(3 * x.shape[-1], 1, use_bias=False)(x)))
        y = L.DepthwiseConv2D(size, strides, padding="same", use_bias=False)(y)
        y = L.Activation("hard_swish")(L.BatchNormalization()(y))
        s = L.GlobalAveragePooling2D(keepdims=True)(y)
        s = L.Conv2D(y.shape[-1], 1)(L.Conv2D(8, 1, activation="relu")(s))
        y = L.Multiply()([y, L.ReLU(max_value=6.0)(s + 3.0) * (1.0 / 6.0)])
        y = L.BatchNormalization()(L.Conv2D(channels, 1, use_bias=False)(y))
        return L.Add()([x, y]) if x.shape == y.shape else y

    def body(x):
        x = conv_bn(x, 8, 3, 2, activation="hard_swish")
        for channels, size, strides in ((8, 7, 1), (16, 5, 2), (16, 7, 1)):
            x = block(x, channels, size, strides)
        return head(x, 2)

    return functional((48, 48, 3), body)


@model
def rotary_causal_transformer():
    def rotate(x, table):
        a, b = x[..., :4], x[..., 4:]
        return x * table[0] + keras.ops.concatenate([-b, a], -1) * table[1]

    def norm(x):
        return L.RMSNormalization()(x)

    def body(x):
        angle = np.outer(np.arange(16), 100.0 ** -(np.arange(4) / 4)).astype("f4")
        table = [np.concatenate([f(angle)] * 2, -1)[:, None] for f in (np.cos, np.sin)]
        x = L.Dense(16)(x)
        y = norm(x)
        q, k, v = (L.Reshape((16, 2, 8))(L.Dense(16, use_bias=False)(y)) for _ in range(3))
        score = keras.ops.einsum("bthd,bshd->bhts", rotate(q, table), rotate(k, table)) * 8**-0.5
        score = keras.ops.where(np.tri(16, dtype=bool), score, -1e9)
        y = keras.ops.einsum("bhts,bshd->bthd", L.Softmax()(score), v)
        x = x + L.Dense(16, use_bias=False)(L.Reshape((16, 16))(y))
        y = norm(x)
        x = x + L.Dense(16, use_bias=False)(L.Activation("silu")(L.Dense(32, use_bias=False)(y)) * L.Dense(32)(y))
        return L.Dense(10)(norm(x)[:, -1])

    return functional((16, 20), body)


@model
def linear_attention():
    def body(x):
        x = L.Dense(16)(x)
        q, k, v = (L.Dense(16)(x) for _ in range(3))
        q, k = keras.ops.elu(q) + 1.0, keras.ops.elu(k) + 1.0
        memory = keras.ops.einsum("btk,btv->bkv", k, v)
        total = keras.ops.einsum("btk,bk->bt", q, keras.ops.sum(k, 1))
        y = keras.ops.einsum("btk,bkv->btv", q, memory) / (total[..., None] + 1e-6)
        return L.Dense(10)(L.GlobalAveragePooling1D()(x + y))

    return functional((20, 16), body)


@model
def siamese_distance():
    a, b = keras.Input((24, 16, 1)), keras.Input((24, 16, 1))
    encoder = sequential(
        (24, 16, 1), L.Conv2D(8, 3, 2, activation="relu"), L.Conv2D(8, 3, 2, activation="relu"), L.Flatten(), L.Dense(8)
    )
    squares = keras.ops.sum(keras.ops.square(encoder(a) - encoder(b)), 1, keepdims=True)
    return keras.Model([a, b], keras.ops.sqrt(keras.ops.maximum(squares, 1e-7)))


@model
def prototypes():
    """Squared distances to points that stand for the classes, as few-shot models give them."""

    class Distances(L.Layer):
        def build(self, shape):
            self.points = self.add_weight(shape=(5, shape[-1]), initializer="random_normal", name="points")

        def call(self, x):
            return -tf.reduce_sum(tf.math.squared_difference(x[:, None], self.points), -1)

    return functional((24, 16, 1), lambda x: Distances()(L.Dense(8)(L.Flatten()(conv_bn(x, 4, 3, 2)))))


@model
def variational_autoencoder():
    """Mean and logarithm of the variance of the code, and the error of the reconstruction, frame by frame."""

    def body(x):
        h = L.Dense(32, activation="relu")(x)
        mean, variance = L.Dense(4)(h), L.Dense(4)(h)
        y = L.Dense(64)(L.Dense(32, activation="relu")(mean))
        error = keras.ops.mean(keras.ops.square(y - x), -1, keepdims=True)
        divergence = -0.5 * keras.ops.sum(1 + variance - mean**2 - keras.ops.exp(variance), -1, keepdims=True)
        return [y, error + 0.01 * divergence]

    return functional((64,), body)


@model
def best_classes():
    """Scores, the best class, and the three best with their scores."""

    class Best(L.Layer):
        def call(self, x):
            return [tf.argmax(x, -1), *tf.math.top_k(x, 3)]

    def body(x):
        scores = L.Softmax()(L.Dense(10)(L.Flatten()(conv_bn(x, 4, 3, 2))))
        return [scores, *Best()(scores)]

    return functional((24, 16, 1), body)


@model
def ctc_recognizer():
    def body(x):
        x = L.ReLU(max_value=20.0)(L.Conv1D(24, 11, 2, padding="same")(x))
        x = L.Bidirectional(L.LSTM(16, return_sequences=True), merge_mode="sum")(x)
        return keras.ops.log_softmax(L.Dense(29)(x), -1)

    return functional((40, 26), body)


@model
def phoneme_embedding():
    """Two look-ups by what the model is given, and one by what it computes."""
    tokens, speaker = keras.Input((10,), dtype="int32"), keras.Input((1,), dtype="int32")
    x = L.Embedding(50, 16)(tokens) + L.Embedding(60, 16)(speaker)
    x = L.Conv1D(16, 3, padding="same", activation="relu")(x)
    return keras.Model([tokens, speaker], L.Dense(8)(x))


@model
def nearest_codeword():
    """A vector quantizer: the row of a code book that is nearest to each frame."""

    class Codebook(L.Layer):
        def build(self, shape):
            self.rows = self.add_weight(shape=(16, shape[-1]), initializer="random_normal", name="rows")

        def call(self, x):
            distance = tf.reduce_sum(self.rows**2, -1) - 2.0 * tf.matmul(x, self.rows, transpose_b=True)
            return tf.gather(self.rows, tf.argmin(distance, -1))

    return functional((12, 20), lambda x: L.Dense(4)(Codebook()(L.Dense(8)(x))))


@model
def spectrotemporal_conv3d():
    def body(x):
        x = L.Conv3D(8, (3, 3, 3), (1, 2, 2), padding="same", activation="relu")(x)
        x = L.Conv3D(8, (1, 2, 2), (1, 2, 2), activation="relu")(x)
        return L.Dense(4)(L.GlobalAveragePooling3D()(L.Conv3D(8, (3, 1, 1), activation="relu")(x)))

    return functional((6, 16, 12, 1), body)


@model
def broadcast_residual_subspectral():
    """BC-ResNet's normalization over bands of its own."""

    class Subspectral(L.Layer):
        def build(self, shape):
            self.bands, self.split = 5, (shape[1] // 5, shape[2], shape[3])
            self.norm = L.BatchNormalization()

        def call(self, x):
            height, width, channels = x.shape[1:]
            y = tf.transpose(tf.reshape(x, (-1, self.bands, height // self.bands, width, channels)), (0, 2, 3, 1, 4))
            y = self.norm(tf.reshape(y, (-1, height // self.bands, width, self.bands * channels)))
            y = tf.reshape(y, (-1, height // self.bands, width, self.bands, channels))
            return tf.reshape(tf.transpose(y, (0, 3, 1, 2, 4)), (-1, height, width, channels))

    def body(x):
        x = conv_bn(x, 8, 5, (2, 1))
        f = Subspectral()(L.DepthwiseConv2D((3, 1), padding="same")(x))
        t = keras.ops.mean(f, 1, keepdims=True)
        t = L.Activation("swish")(L.BatchNormalization()(L.DepthwiseConv2D((1, 3), padding="same")(t)))
        return head(L.ReLU()(x + f + L.SpatialDropout2D(0.1)(L.Conv2D(8, 1)(t))))

    return functional((40, 26, 1), body)
