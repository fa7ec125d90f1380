"""Models on devices: the wire protocol, and the ways to a device."""

from edgetx.device.client import DeviceClient
from edgetx.device.open import may_be_emulated, open_stream
from edgetx.device.protocol import COUNTERS, Hello

__all__ = ["COUNTERS", "DeviceClient", "Hello", "may_be_emulated", "open_stream"]
