"""The devices of a backend: which there are, which computes, and what makes its numbers repeat."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

Device = str
"""``"cpu"``, ``"gpu"`` (CUDA or ROCm), ``"tpu"``, or what the framework calls another kind (``"mps"``)."""

GPU_NAMES = ("cuda", "rocm", "hip")
"""What frameworks call a kind of device that is ``"gpu"`` here."""


class DeviceNotFoundError(RuntimeError):
    """The device that was asked for is not there on this machine, or is not the one that computes."""


class Devices(ABC):
    """The part of a backend that knows devices."""

    name: str

    @abstractmethod
    def device_counts(self) -> Mapping[Device, int]:
        """How many devices of each kind (``"cpu"``, ``"gpu"``, ``"tpu"``) the framework sees."""

    @abstractmethod
    def device_kind(self) -> Device:
        """The kind of device on which Keras computes in this process."""

    def why_hidden(self) -> str:
        """A setting that may hide devices, as the end of a sentence; empty where none does."""
        return ""

    @abstractmethod
    def require_full_precision(self) -> Mapping[str, str]:
        """Turn off TF32 and reduced-precision matrix products; return the settings, to be recorded."""

    @abstractmethod
    def require_determinism(self) -> Mapping[str, str]:
        """Where this process computes on a GPU, make operations repeat their bits; return the settings.

        Nothing is set, and nothing returned, where it computes elsewhere.
        """

    @abstractmethod
    def describe_card(self) -> Mapping[str, str]:
        """The accelerator that computes: ``name``, and versions such as ``cuda`` and ``cudnn``.

        Empty on a CPU.
        """

    @abstractmethod
    def device_peak_bytes(self) -> int | None:
        """The largest memory in use on the accelerator since the last reset; None on a CPU, or if unknown."""

    def reset_device_peak(self) -> None:  # noqa: B027 - JAX cannot
        """Start measuring the accelerator's memory anew, where the framework can."""

    def computes_on_cpu(self) -> bool:
        """Whether Keras computes on the CPU, so that thresholds which were measured on CPUs hold."""
        return self.device_kind() == "cpu"

    def require_device(self, kind: Device) -> None:
        """Check that a device of this kind is there, and that Keras computes on it.

        Raises:
            DeviceNotFoundError: no such device is seen by the framework, or another one computes.
        """
        counts = self.device_counts()
        seen = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        if not counts.get(kind):
            advice = f"install a {self.name} build with {kind} support"
            if kind != "cpu":
                advice = f"run with --device cpu, or {advice}"
            raise DeviceNotFoundError(
                f"no {kind} device for the {self.name} backend on this machine "
                f"(it sees: {seen or 'none'}){self.why_hidden()}; {advice}"
            )
        computing = self.device_kind()
        if computing != kind:
            raise DeviceNotFoundError(
                f"{kind} was asked for, but the {self.name} backend computes on {computing} "
                f"(it sees: {seen}){self.why_hidden()}; run with --device {computing}"
            )


def kind_of(name: str) -> Device:
    """The kind of device that a framework's name for it stands for."""
    found = name.lower()
    return "gpu" if found in GPU_NAMES else found
