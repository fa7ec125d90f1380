"""Published speech enhancement, front ends inside of the graph, and streams, with random weights."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from keras_models import conv_bn, functional, head, model, separable, sequential


@model
def rnnoise():
    """Gains of 22 bands and the activity of a voice, from recurrent layers of three sizes."""

    def body(x):
        first = L.Dense(24, activation="tanh")(x)
        voice = L.GRU(24, activation="tanh", return_sequences=True)(first)
        noise = L.GRU(32, activation="relu", return_sequences=True)(L.Concatenate()([first, voice, x]))
        gains = L.GRU(40, return_sequences=True)(L.Concatenate()([voice, noise, x]))
        return [L.Dense(22, activation="sigmoid")(gains), L.Dense(1, activation="sigmoid")(voice)]

    return functional((12, 42), body)


def stateful_lstms(x, states, width):
    found = []
    for i in range(2):
        hidden, cell = states[:, i, :, 0], states[:, i, :, 1]
        x, hidden, cell = L.LSTM(width, return_sequences=True, return_state=True, unroll=True)(
            x, initial_state=[hidden, cell]
        )
        found.append(keras.ops.stack([hidden, cell], -1))
    return x, keras.ops.stack(found, 1)


@model
def dtln_first():
    """Magnitudes of a block to their mask; the states come in and go out."""
    x, states = keras.Input((1, 129), batch_size=1), keras.Input((2, 32, 2), batch_size=1)
    y, following = stateful_lstms(x, states, 32)
    return keras.Model([x, states], [L.Dense(129, activation="sigmoid")(y), following])


@model
def dtln_second():
    x, states = keras.Input((1, 128), batch_size=1), keras.Input((2, 32, 2), batch_size=1)
    encoded = L.Conv1D(64, 1, use_bias=False)(x)
    centred = encoded - keras.ops.mean(encoded, -1, keepdims=True)
    normed = centred / keras.ops.sqrt(keras.ops.mean(keras.ops.square(centred), -1, keepdims=True) + 1e-7)
    y, following = stateful_lstms(normed * 1.1 + 0.1, states, 32)
    masked = encoded * L.Dense(64, activation="sigmoid")(y)
    return keras.Model([x, states], [L.Conv1D(128, 1, padding="causal", use_bias=False)(masked), following])


@model
def masked_spectrum():
    """Transforms to the spectrum and back as convolutions, a mask between them."""
    size, hop = 64, 32
    angle = 2 * np.pi * np.outer(np.arange(size), np.arange(size // 2 + 1)) / size
    window = np.hanning(size)[:, None]

    class Spectrum(L.Layer):
        def call(self, x):
            basis = tf.constant(np.concatenate([np.cos(angle), -np.sin(angle)], 1) * window, tf.float32)
            return tf.nn.conv1d(x, basis[:, None], hop, "VALID")

    class Signal(L.Layer):
        def call(self, x):
            basis = np.concatenate([np.cos(angle), -np.sin(angle)], 1) * window / size
            frames = tf.matmul(x, tf.constant(basis.T, tf.float32))
            return tf.signal.overlap_and_add(frames, hop)

    def body(x):
        y = Spectrum()(x)
        real, imaginary = y[..., :33], y[..., 33:]
        magnitude = keras.ops.sqrt(real**2 + imaginary**2 + 1e-8)
        mask = L.Dense(33, activation="sigmoid")(L.GRU(16, return_sequences=True)(magnitude))
        return Signal()(keras.ops.concatenate([real * mask, imaginary * mask], -1))

    return functional((512, 1), body)


@model
def nsnet2():
    def body(x):
        x = L.Dense(40)(x)
        for _ in range(2):
            x = L.GRU(40, return_sequences=True)(x)
        for _ in range(2):
            x = L.Dense(48, activation="relu")(x)
        return L.Dense(65, activation="sigmoid")(x)

    return functional((16, 65), body)


@model
def cruse():
    """Convolutions down along frequency, parallel recurrences over parts of the features, and up, with skips added."""

    def body(x):
        skips = []
        for channels in (8, 12, 16):
            x = L.LeakyReLU(0.2)(L.Conv2D(channels, (2, 3), (1, 2))(L.ZeroPadding2D(((1, 0), (1, 1)))(x)))
            skips.append(x)
        shape = x.shape[1:]
        y = L.Reshape((shape[0], shape[1] * shape[2]))(x)
        parts = [L.GRU(part.shape[-1], return_sequences=True)(part) for part in keras.ops.split(y, 4, axis=-1)]
        y = L.Reshape(shape)(L.Concatenate()(parts))
        for channels, skip in ((12, skips[2]), (8, skips[1]), (1, skips[0])):
            y = L.Conv2DTranspose(channels, (1, 3), (1, 2), padding="same")(y + L.Conv2D(skip.shape[-1], 1)(skip))
            y = L.LeakyReLU(0.2)(y) if channels > 1 else L.Activation("sigmoid")(y)
        return y

    return functional((12, 64, 1), body)


@model
def gtcrn():
    """Neighbouring bands as channels, grouped convolutions that are shuffled, recurrences along both axes."""

    def neighbours(x):
        p = L.ZeroPadding2D(((0, 0), (1, 1)))(x)
        return L.Concatenate()([p[:, :, i : i + x.shape[2]] for i in range(3)])

    def temporal_attention(x):
        energy = keras.ops.mean(x**2, 2)
        return x * L.Dense(x.shape[-1], activation="sigmoid")(L.GRU(16, return_sequences=True)(energy))[:, :, None]

    def block(x, dilation):
        a, b = keras.ops.split(x, 2, axis=-1)
        y = L.PReLU(shared_axes=[1, 2])(L.BatchNormalization()(L.Conv2D(16, 1)(neighbours(a))))
        y = L.ZeroPadding2D(((2 * dilation, 0), (1, 1)))(y)
        y = L.DepthwiseConv2D(3, dilation_rate=(dilation, 1))(y)
        y = temporal_attention(L.BatchNormalization()(L.Conv2D(8, 1)(L.PReLU(shared_axes=[1, 2])(y))))
        y = keras.ops.stack([y, b], -1)
        return keras.ops.reshape(y, (-1, *x.shape[1:]))

    def dual_path(x):
        time, bands, channels = x.shape[1:]
        y = keras.ops.reshape(x, (time, bands, channels))
        y = L.Dense(channels)(L.Bidirectional(L.GRU(4, return_sequences=True))(y))
        x = x + L.LayerNormalization(axis=[2, 3])(keras.ops.reshape(y, (1, time, bands, channels)))
        y = keras.ops.reshape(keras.ops.transpose(x, (0, 2, 1, 3)), (bands, time, channels))
        y = L.Dense(channels)(L.GRU(channels, return_sequences=True)(y))
        return x + keras.ops.transpose(keras.ops.reshape(y, (1, bands, time, channels)), (0, 2, 1, 3))

    def body(x):
        x = keras.ops.concatenate([x, keras.ops.sqrt(x[..., :1] ** 2 + x[..., 1:] ** 2 + 1e-12)], -1)
        x = L.PReLU(shared_axes=[1, 2])(L.BatchNormalization()(L.Conv2D(16, (1, 5), (1, 2), padding="same")(x)))
        x = dual_path(block(block(x, 1), 2))
        return L.Conv2DTranspose(2, (1, 5), (1, 2), padding="same", activation="tanh")(x)

    return functional((10, 32, 2), body, batch=1)


@model
def conv_tasnet():
    def normed(x):
        o = keras.ops
        mean = o.mean(x, (1, 2), keepdims=True)
        spread = o.sqrt(o.mean((x - mean) ** 2, (1, 2), keepdims=True) + 1e-8)
        return L.Conv1D(x.shape[-1], 1, groups=x.shape[-1])((x - mean) / spread)

    def body(x):
        encoded = L.Conv1D(16, 16, 8, activation="relu")(x)
        y, skips = L.Conv1D(12, 1)(normed(encoded)), []
        for dilation in (1, 2, 4):
            z = normed(L.PReLU(shared_axes=[1])(L.Conv1D(16, 1)(y)))
            z = L.DepthwiseConv1D(3, padding="same", dilation_rate=dilation)(z)
            z = normed(L.PReLU(shared_axes=[1])(z))
            y = y + L.Conv1D(12, 1)(z)
            skips.append(L.Conv1D(12, 1)(z))
        masks = L.Conv1D(32, 1, activation="sigmoid")(L.PReLU(shared_axes=[1])(L.Add()(skips)))
        masks = L.Reshape((encoded.shape[1], 2, 16))(masks)
        parts = masks * encoded[:, :, None]
        return [L.Conv1DTranspose(1, 16, 8)(parts[:, :, i]) for i in range(2)]

    return functional((256, 1), body)


@model
def demucs():
    def body(x):
        skips = []
        for channels in (8, 16):
            x = L.Conv1D(channels, 8, 4, padding="same", activation="relu")(x)
            a, b = keras.ops.split(L.Conv1D(2 * channels, 1)(x), 2, axis=-1)
            x = a * keras.ops.sigmoid(b)
            skips.append(x)
        x = L.LSTM(16, return_sequences=True)(x)
        for channels, skip in ((8, skips[1]), (1, skips[0])):
            a, b = keras.ops.split(L.Conv1D(2 * x.shape[-1], 1)(x + skip), 2, axis=-1)
            x = L.Conv1DTranspose(channels, 8, 4, padding="same")(a * keras.ops.sigmoid(b))
        return x

    return functional((256, 1), body)


class AudioModel(tf.Module):
    """A network behind features of raw audio."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.mel = tf.signal.linear_to_mel_weight_matrix(20, 129, 16000, 80, 7600)

    def power(self, audio):
        spectrum = tf.signal.stft(audio, 256, 128, 256, pad_end=True)
        return tf.math.real(spectrum) ** 2 + tf.math.imag(spectrum) ** 2


class Decibels(AudioModel):
    """Decibels below the loudest of the clip, cut off at 80, as kapre and librosa compute them."""

    @tf.function(input_signature=[tf.TensorSpec((1, 2048), tf.float32)])
    def __call__(self, audio):
        mel = tf.matmul(self.power(audio), self.mel)
        level = 10.0 / np.log(10.0) * tf.math.log(tf.maximum(mel, 1e-10))
        level -= tf.reduce_max(level, (1, 2), keepdims=True)
        return self.net(tf.maximum(level, -80.0)[..., None])


@model
def decibels_inside():
    return Decibels(sequential((16, 20, 1), L.Conv2D(8, 3, 2, activation="relu"), L.Flatten(), L.Dense(4)))


class Frill(AudioModel):
    """Non-semantic speech representations: normalized audio, log-mel, inverted residuals, an average embedding."""

    @tf.function(input_signature=[tf.TensorSpec((1, 2048), tf.float32)])
    def __call__(self, audio):
        audio = audio / (tf.reduce_max(tf.abs(audio), -1, keepdims=True) + 1e-5)
        mel = tf.matmul(tf.sqrt(self.power(audio)), self.mel)
        return self.net(tf.math.log(mel + 0.01)[..., None])


@model
def frill():
    def body(x):
        x = conv_bn(x, 8, 3, 2, activation="hard_swish")
        for channels, strides in ((8, 1), (16, 2)):
            x = separable(x, channels, 3, strides, activation="hard_swish")
        x = L.GlobalAveragePooling2D()(x)
        return L.Dense(32)(x / (keras.ops.norm(x, axis=-1, keepdims=True) + 1e-6))

    return Frill(functional((16, 20, 1), body))


def smoothed(x, weight):
    """Running averages of frames, one after the other."""
    last, found = x[:, 0], []
    for i in range(x.shape[1]):
        last = weight * x[:, i] + (1.0 - weight) * last
        found.append(last)
    return keras.ops.stack(found, 1)


@model
def leaf():
    """Learned filters, their energy, a lowpass, and normalization by each channel's own average."""

    class GaborFilters(L.Layer):
        def build(self, shape):
            self.centre = self.add_weight(shape=(12, 1), initializer="random_uniform", name="centre")
            self.width = self.add_weight(shape=(12, 1), initializer="ones", name="width")

        def call(self, x):
            t = tf.range(-20.0, 21.0)[None]
            envelope = tf.exp(-(t**2) / (2 * (6.0 * self.width) ** 2))
            parts = [envelope * f((1.0 + 10 * self.centre) * t) for f in (tf.cos, tf.sin)]
            kernel = tf.transpose(tf.reshape(tf.stack(parts, 1), (24, 41)))[:, None]
            return tf.nn.conv1d(x, kernel, 1, "SAME")

    def body(x):
        y = GaborFilters()(x)
        y = keras.ops.sum(keras.ops.reshape(keras.ops.square(y), (-1, 512, 12, 2)), -1)
        y = L.DepthwiseConv1D(41, 32, padding="same", use_bias=False, depthwise_initializer="ones")(y)
        energy = keras.ops.maximum(y, 1e-5)
        y = energy / (1e-6 + smoothed(energy, 0.04)) ** 0.96
        y = (y + 2.0) ** 0.5 - 2.0**0.5
        return L.Dense(4)(L.Flatten()(L.Conv1D(8, 3, activation="relu")(y)))

    return functional((512, 1), body)


@model
def sinc_net():
    class SincFilters(L.Layer):
        def build(self, shape):
            self.low = self.add_weight(shape=(12, 1), initializer="random_uniform", name="low")
            self.band = self.add_weight(shape=(12, 1), initializer="random_uniform", name="band")

        def call(self, x):
            low = 0.01 + tf.abs(self.low)
            high = tf.clip_by_value(low + 0.05 + tf.abs(self.band), 0.01, 0.5)
            t = tf.range(1.0, 16.0)[None]
            right = (tf.sin(2 * np.pi * high * t) - tf.sin(2 * np.pi * low * t)) / t
            whole = tf.concat([tf.reverse(right, [1]), 2 * (high - low), right], 1) * np.hamming(31).astype("f4")
            return tf.nn.conv1d(x, tf.transpose(whole)[:, None], 4, "VALID")

    def body(x):
        y = L.MaxPooling1D(3)(keras.ops.abs(SincFilters()(x)))
        y = L.LeakyReLU(0.2)(L.LayerNormalization()(y))
        y = L.MaxPooling1D(3)(L.Conv1D(12, 5)(y))
        return L.Softmax()(L.Dense(6)(L.Flatten()(L.LeakyReLU(0.2)(L.LayerNormalization()(y)))))

    return functional((512, 1), body)


@model
def gru_external_state():
    x, state = keras.Input((1, 20), batch_size=1), keras.Input((24,), batch_size=1)
    y, following = L.GRU(24, return_state=True, unroll=True)(x, initial_state=state)
    return keras.Model([x, state], [L.Dense(12, activation="softmax")(y), following])


class Hop(tf.Module):
    """A hop of a recurrent layer whose states are variables."""

    def __init__(self, gates, states):
        super().__init__()
        rng = np.random.default_rng(0)
        weight = lambda *shape: tf.constant(rng.normal(0, 0.3, shape).astype(np.float32))  # noqa: E731
        self.states = [tf.Variable(tf.zeros((1, 16)), name=f"state{i}") for i in range(states)]
        self.kernel, self.recurrent, self.out = weight(20, 16 * gates), weight(16, 16 * gates), weight(16, 6)


class LstmHop(Hop):
    @tf.function(input_signature=[tf.TensorSpec((1, 20), tf.float32)])
    def __call__(self, x):
        hidden, cell = self.states
        i, f, c, o = tf.split(x @ self.kernel + hidden @ self.recurrent, 4, -1)
        cell.assign(tf.sigmoid(f) * cell + tf.sigmoid(i) * tf.tanh(c))
        hidden.assign(tf.sigmoid(o) * tf.tanh(cell))
        return tf.nn.softmax(hidden @ self.out)


class GruHop(Hop):
    @tf.function(input_signature=[tf.TensorSpec((1, 20), tf.float32)])
    def __call__(self, x):
        (hidden,) = self.states
        given, recurrent = (tf.split(y, 3, -1) for y in (x @ self.kernel, hidden @ self.recurrent))
        z, r = (tf.sigmoid(a + b) for a, b in zip(given[:2], recurrent[:2], strict=True))
        hidden.assign(z * hidden + (1.0 - z) * tf.tanh(given[2] + r * recurrent[2]))
        return tf.nn.softmax(hidden @ self.out)


@model
def lstm_internal_state():
    return LstmHop(4, 2)


@model
def gru_internal_state():
    return GruHop(3, 1)


class MixedNet(tf.Module):
    """microWakeWord's second network: a strided first layer, depthwise kernels of several sizes, rings in variables."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        weight = lambda *shape: tf.constant(rng.normal(0, 0.3, shape).astype(np.float32))  # noqa: E731
        ring = lambda size, channels: tf.Variable(tf.zeros((1, size, 1, channels)), name=f"ring{size}")  # noqa: E731
        self.first, self.w0 = ring(2, 20), weight(5, 1, 20, 16)
        self.rings, self.kernels = [ring(4, 8), ring(8, 8)], [weight(5, 1, 8, 1), weight(9, 1, 8, 1)]
        self.mix, self.tail, self.out = weight(1, 1, 16, 16), ring(11, 16), weight(12 * 16, 1)

    @tf.function(input_signature=[tf.TensorSpec((1, 3, 20), tf.float32)])
    def __call__(self, x):
        window = tf.concat([self.first, x[:, :, None]], 1)
        self.first.assign(window[:, -2:])
        y = tf.nn.relu(tf.nn.conv2d(window, self.w0, (1, 3, 1, 1), "VALID"))
        found = []
        for part, ring, kernel in zip(tf.split(y, 2, -1), self.rings, self.kernels, strict=True):
            window = tf.concat([ring, part], 1)
            ring.assign(window[:, 1:])
            found.append(tf.nn.depthwise_conv2d(window, kernel, (1, 1, 1, 1), "VALID"))
        y = tf.nn.relu(tf.nn.conv2d(tf.concat(found, -1), self.mix, 1, "VALID"))
        window = tf.concat([self.tail, y], 1)
        self.tail.assign(window[:, 1:])
        return tf.sigmoid(tf.reshape(window, (1, -1)) @ self.out)


@model
def mixed_net():
    return MixedNet()


class TurningRing(tf.Module):
    """A ring whose newest place turns: the frame is written where a counter says, modulo its size."""

    def __init__(self):
        super().__init__()
        self.ring = tf.Variable(tf.zeros((8, 12)), name="ring")
        self.place = tf.Variable(0, name="place")
        self.out = tf.constant(np.random.default_rng(0).normal(0, 0.3, (12, 4)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 12), tf.float32)])
    def __call__(self, x):
        here = tf.one_hot(self.place, 8)[:, None]
        self.ring.assign(self.ring * (1.0 - here) + here * x)
        self.place.assign(tf.math.floormod(self.place + 1, 8))
        return tf.reduce_mean(self.ring, 0, keepdims=True) @ self.out


@model
def turning_ring():
    return TurningRing()


@model
def legendre_memory():
    """A Legendre memory written as a recurrent cell."""

    class Cell(L.Layer):
        def __init__(self, order=6, units=12):
            super().__init__()
            self.order, self.units, self.state_size, self.output_size = order, units, [units, order], units
            n = np.arange(order)[:, None]
            sign = np.where(n < n.T, -1.0, (-1.0) ** (n - n.T + 1))
            self.a = tf.constant(np.eye(order) + (2 * n + 1) * sign / 20, tf.float32)
            self.b = tf.constant((2 * n + 1) * (-1.0) ** n / 20, tf.float32)

        def build(self, shape):
            self.e = self.add_weight(shape=(shape[-1], 1), name="e")
            self.w = self.add_weight(shape=(shape[-1] + self.units + self.order, self.units), name="w")

        def call(self, x, states):
            hidden, memory = states
            memory = memory @ tf.transpose(self.a) + (x @ self.e) @ tf.transpose(self.b)
            hidden = tf.tanh(tf.concat([x, hidden, memory], -1) @ self.w)
            return hidden, [hidden, memory]

    return functional((20, 8), lambda x: L.Dense(4)(L.RNN(Cell())(x)))


@model
def delta_features():
    """Differences of frames and normalization over the clip, before a small network."""

    def body(x):
        o = keras.ops
        p = o.pad(x, ((0, 0), (2, 2), (0, 0)), mode="symmetric")
        n = x.shape[1]
        delta = (p[:, 3 : n + 3] - p[:, 1 : n + 1] + 2.0 * (p[:, 4 : n + 4] - p[:, :n])) / 10.0
        y = o.stack([x, delta], -1)
        y = (y - o.mean(y, 1, keepdims=True)) / (o.std(y, 1, keepdims=True) + 1e-3)
        return head(conv_bn(y, 8, 3, 2), 4)

    return functional((30, 13), body)
