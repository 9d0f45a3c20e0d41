"""What differs between backends, as one class; the rest of the project is branch-free."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portable_models._backend.devices import Devices
from portable_models._backend.moving_rows import move_rows
from portable_models._backend.program import Pass, Program
from portable_models._backend.step_result import Slices, StepResult


class Backend(Devices):
    """One Keras backend: names, versions, devices and the few primitives Keras does not unify."""

    single_steps_eagerly = False
    """Whether one training step costs less eagerly than to trace and compile it."""
    run_errors: tuple[type[Exception], ...] = ()
    """What the framework raises where compiled code fails while it runs."""
    computes_in_threads = True
    """Whether other threads may compute, and compile, while one compiles or trains."""

    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """Versions of the framework's own packages, by package name."""

    @abstractmethod
    def bound_threads(self, count: int) -> None:
        """Let the framework compute on at most ``count`` threads of this process."""

    @abstractmethod
    def is_traced(self, tensor: Any) -> bool:
        """Whether ``tensor`` stands for values to come: compiled code, or a shape being asked for."""

    @abstractmethod
    def computes_on_host(self, *tensors: Any) -> bool:
        """Whether an operation on ``tensors``, called now, runs at once in this machine's memory.

        NumPy may then do it in the framework's place. False where code is traced, compiled or mapped,
        and where the tensors would have to be waited for and copied from an accelerator.
        """

    def has_values(self, *tensors: Any) -> bool:
        """Whether the values of ``tensors`` can be read now, be they copied from an accelerator for that."""
        return self.computes_on_host(*tensors)

    @abstractmethod
    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` of tensors as one graph, where the framework makes one in less than a second."""

    def called_often(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` of tensors, which is called often, in the way that is fastest within a second."""
        return function

    def in_thread(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` of tensors, for a thread beside one that runs a program."""
        return self.called_often(function)

    def opaque(self, function: Callable[[Any, Any, int], Any]) -> Callable[[Any, Any, int], Any]:
        """``function`` as one operation, where its many steps would be slow to compile or to run.

        It makes an int32 vector of a key of two integers, its length and a number, and changes nothing.
        """
        return function

    def bits(self, tensor: Any) -> Any:
        """The bits of a float32 tensor as int32."""
        import keras

        return keras.ops.view(tensor, "int32")

    def constant(self, array: NDArray[Any]) -> Any:
        """A NumPy array as a tensor, also inside code that is being compiled."""
        import keras

        return keras.ops.convert_to_tensor(array)

    def text(self, array: NDArray[Any]) -> Any:
        """An array of strings as ``Model.fit`` takes it; the array itself where there are no such tensors."""
        return array

    def unseeded_state(self) -> bytes | None:
        """The state of the framework's own generator, if masks of a Dropout without a seed come from it.

        None where they come from the layer's seed generator.
        """
        return None

    def restore_unseeded_state(self, state: bytes) -> None:
        """Set that generator, which the whole process shares, to a state that was read before.

        Raises:
            ValueError: the framework has none, or the state is not one of it.
        """
        raise ValueError(
            f"{self.name} draws no numbers of its own, so it has no state of {len(state)} bytes"
        )

    @abstractmethod
    def gradients(self, model: Any, x: Any, y: Any, weight: Any) -> StepResult:
        """Forward pass of a training step, its loss with all penalties, and the loss's gradients.

        Args:
            model: a built and compiled model; its statistics and seed generators move on, weights do not.
            x: inputs, as tensors.
            y: targets.
            weight: sample weights, or None.
        """

    def sliced(self, slices: Slices, shape: tuple[int, ...]) -> Any:
        """A gradient of a variable of this shape as the framework's own kind of slices.

        Raises:
            NotImplementedError: the framework has none; its ``gradients`` never gives slices.
        """
        raise NotImplementedError(f"{self.name} has no gradients of slices of shape {shape}")

    def variables_kept(self, model: Any) -> AbstractContextManager[None]:
        """Around one ``Model.fit`` of a built model: its variables have values before and after."""
        return nullcontext()

    def programs_kept(self, folder: Callable[[], Path | None]) -> AbstractContextManager[None]:
        """Inside, what is compiled is kept in a folder for later processes, where the framework can.

        Args:
            folder: makes the folder and says where it is; None keeps nothing.
        """
        del folder
        return nullcontext()

    runs_python_at_every_step = False
    """Whether Keras runs the Python code of a model's step at every step, and not only while it is traced."""

    @abstractmethod
    def refuses_model(self, model: Any) -> str:
        """Why no program can be made of a compiled model as it was compiled; empty where one can."""

    def not_worth_compiling(self, model: Any, steps: int) -> str:
        """Why a program would take longer than ``Model.fit``; empty where it would not.

        ``steps`` are those of all trainings that share the program.
        """
        return ""

    def logs_kept(self, model: Any) -> AbstractContextManager[None]:
        """Inside, the logs of an epoch that ``Model.fit`` holds do not change while it validates."""
        return nullcontext()

    def reordered(
        self, data: tuple[Any, Any, Any], order: Callable[[], NDArray[np.int64]], batch_size: int
    ) -> tuple[dict[str, Any], Callable[[], None]]:
        """Arguments of ``Model.fit`` for rows in a new order every epoch, and what each epoch calls first.

        Args:
            data: ``(x, y, sample_weight)`` of NumPy arrays that nobody else uses.
            order: the rows of the epoch that begins, int64 of shape ``(n,)``.
            batch_size: samples per batch.
        """
        # Keras slices arrays batch by batch, so their rows can be moved between epochs.
        return move_rows(data, order, batch_size)

    def packed(self, ids: NDArray[np.int32]) -> NDArray[np.integer[Any]]:
        """Numbers of rows as :meth:`rows_summed` takes them, made once for a data set."""
        return ids

    def unpacked(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
        """The numbers that were packed."""
        return ids

    def with_sums(self, ids: Any, owners: Any) -> Any:
        """Numbers of rows with what they are summed to, as :meth:`rows_summed` takes them.

        Args:
            ids: packed rows of shape ``(blocks, width)``; one more than the last is none. May be used up.
            owners: which sum a block belongs to, int32 of shape ``(blocks,)``, ascending.

        Returns:
            A structure of tensors, or of arrays where arrays came; the first dimension is of blocks.
        """
        return ids, owners

    def without_copy(self, array: NDArray[Any]) -> Any:
        """What :meth:`to_device` may take without a copy: nobody writes to the array any more."""
        return array

    def rows_summed(self, kernel: Any, words: Any, count: int) -> Any:
        """Sums of a matrix's rows: the product of a multi-hot matrix with it, without that matrix.

        Args:
            kernel: of shape ``(rows, units)``; differentiated by.
            words: see :meth:`with_sums`.
            count: how many sums; a tensor where :meth:`program` traces steps with one.

        Returns:
            Of shape ``(count, units)``.
        """
        import keras

        ids, owners = words
        none = keras.ops.zeros((1, kernel.shape[1]), kernel.dtype)
        padded = keras.ops.concatenate([kernel, none], axis=0)
        sums = keras.ops.sum(keras.ops.take(padded, ids, axis=0), axis=1)
        return keras.ops.segment_sum(sums, owners, num_segments=count)

    def entry(self, tensor: Any, number: Any) -> Any:
        """``tensor[number]``, of a number that is a tensor."""
        import keras

        return keras.ops.take(tensor, number, axis=0)

    def unused_rows(self, count: Any, size: int) -> Any:
        """What stands for ``count`` rows of ``size`` inputs, float32, that nobody reads."""
        import keras

        return keras.ops.broadcast_to(keras.ops.zeros((1, 1), "float32"), (count, size))

    def to_device(self, arrays: Any) -> Any:
        """A structure of NumPy arrays as tensors, for a program."""
        raise NotImplementedError(f"{self.name} makes no programs")

    def program(
        self, model: Any, training: Pass, validation: Pass | None, *, epochs: int
    ) -> Program:
        """A program over the steps of a built and compiled model.

        Args:
            model: its ``train_step`` and ``test_step`` are the steps.
            training: how it goes through the samples that it is trained on.
            validation: how it goes through those that it is measured on after each epoch, if any.
            epochs: how many it will run in all, of all members: what takes long to compile may not pay.
        """
        raise NotImplementedError(f"{self.name} makes no programs")

    @abstractmethod
    def weight_gradients(
        self, call: Any, inputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[NDArray[Any]]:
        """Gradients of ``sum(output * cotangent)`` with respect to the trainable variables.

        Args:
            call: a flat inference function of flat inputs, with the Keras model as ``call.model``
                (:class:`portable_models.export.inspection.View`).
            inputs: NumPy arrays, one for each flat input.
            cotangents: NumPy arrays of the outputs' shapes.

        Returns:
            One array for each of ``call.model.trainable_variables``; zeros where none depends on it.
        """

    def allow_double(self) -> None:
        """Let this process compute in float64; to be called before anything is computed."""

    def upstream(self, run: Callable[[], tuple[Any, Sequence[Any]]]) -> list[Any]:
        """Gradients of a loss by tensors that were computed on the way to it; None where it has none.

        ``run`` computes, eagerly, and returns the loss and the tensors.

        Raises:
            NotImplementedError: the framework differentiates functions only.
        """
        raise NotImplementedError(f"{self.name} differentiates functions, not recorded operations")

    @abstractmethod
    def pulled_back(
        self,
        function: Callable[[list[Any]], list[Any]],
        tensors: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Gradients of ``sum(output * cotangent)`` of a function of floating-point tensors and variables.

        Args:
            function: gives floating-point tensors.
            tensors: what it is called with.
            variables: Keras variables that it reads.
            cotangents: tensors of the outputs' shapes.

        Returns:
            A gradient for each tensor and each variable; None or zeros where none depends on it.
        """
