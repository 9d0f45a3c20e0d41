"""JAX."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from portable_models._backend.base import Backend
from portable_models._backend.jax_cache import programs_kept
from portable_models._backend.jax_devices import JaxDevices
from portable_models._backend.jax_program import JaxProgram
from portable_models._backend.program import Pass, Program, variables_of
from portable_models._backend.step_result import StepResult
from portable_models._cores import cores
from portable_models._keras.variables import has_no_value

_NO_VALUE = "'NoneType' object is not callable"
"""What Keras says of a variable whose value it has taken."""


class JaxBackend(JaxDevices, Backend):
    """JAX, through XLA."""

    name = "jax"
    run_errors = (jax.errors.JaxRuntimeError,)

    def __init__(self) -> None:
        self._threads = cores()
        # A function is compiled once for each model, and forgotten with it.
        self._compiled: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def versions(self) -> Mapping[str, str]:
        return {"jax": jax.__version__, "jaxlib": importlib.metadata.version("jaxlib")}

    def bound_threads(self, count: int) -> None:
        # XLA reads its thread pool's size when the CPU client is made, from the environment that
        # the parent process has set (backends_matrix.environment); what can be changed here is our own.
        self._threads = count

    def is_traced(self, tensor: Any) -> bool:
        return isinstance(tensor, jax.core.Tracer)

    def computes_on_host(self, *tensors: Any) -> bool:
        # Under jit even a constant is traced, which tells where Python values alone are at hand.
        probes = (*tensors, jax.numpy.zeros((), "int32"))
        return not any(self.is_traced(each) for each in probes)

    def opaque(self, function: Callable[[Any, Any, int], Any]) -> Callable[[Any, Any, int], Any]:
        # Called outside of compiled code, each of its steps would be compiled by itself.
        return jax.jit(function, static_argnums=(1, 2))  # type: ignore[no-any-return]

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(function)  # type: ignore[no-any-return]

    def called_often(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return jax.jit(function)  # type: ignore[no-any-return]

    def refuses_model(self, model: Any) -> str:
        if not model.jit_compile:
            return "jit_compile=False: JAX then runs every operation of a step from Python"
        if keras.distribution.distribution() is not None:
            return "a keras.distribution is in force"
        return ""

    @contextlib.contextmanager
    def variables_kept(self, model: Any) -> Iterator[None]:
        """Copy what two variables share before, and give back values that an exception has lost.

        ``Model.fit`` donates every variable, and JAX refuses to do so twice. With ``use_ema=True`` a training
        ends with averages assigned to weights, which copies nothing. Where the first step raises,
        ``Model.fit`` leaves variables without values, and averaging then raises a ``TypeError``
        (https://github.com/keras-team/keras/blob/v3.15.1/keras/src/backend/jax/trainer.py, ``fit``).
        """
        held: dict[int, tuple[Any, Any]] = {}
        shared = set()
        for variable in variables_of(model):
            value = variable.value
            if id(value) in shared:
                variable.assign(jax.numpy.copy(value))
            shared.add(id(value))
            held[id(variable)] = variable, variable.value
        try:
            yield
        except BaseException as error:
            lost = [
                (variable, value)
                for variable, value in held.values()
                if has_no_value(variable) and not value.is_deleted()
            ]
            for variable, value in lost:
                variable.assign(value)
            # Averaging fails while the user's error is on its way, and would hide it.
            if lost and str(error) == _NO_VALUE and error.__context__ is not None:
                raise error.__context__ from None
            raise

    def programs_kept(self, folder: Callable[[], Path | None]) -> AbstractContextManager[None]:
        return programs_kept(folder)

    def gradients(self, model: Any, x: Any, y: Any, weight: Any) -> StepResult:
        groups = (
            model.trainable_variables,
            model.non_trainable_variables,
            model.metrics_variables,
        )
        state = [[variable.value for variable in group] for group in groups]
        if model not in self._compiled:
            compute = jax.value_and_grad(model.compute_loss_and_updates, has_aux=True)
            self._compiled[model] = jax.jit(partial(compute, training=True))
        (_, (loss, outputs, statistics, _)), found = self._compiled[model](
            *state,
            x,
            y,
            weight,
            optimizer_variables=[variable.value for variable in model.optimizer.variables],
        )
        for variable, value in zip(model.non_trainable_variables, statistics, strict=True):
            variable.assign(value)
        return StepResult(outputs, float(loss), [np.asarray(each) for each in found])

    def to_device(self, arrays: Any) -> Any:
        return jax.device_put(arrays)

    def program(
        self, model: Any, training: Pass, validation: Pass | None, *, epochs: int
    ) -> Program:
        del epochs  # compiling takes a second or two
        return JaxProgram(model, training, validation, self._threads)

    def weight_gradients(
        self, call: Any, inputs: Sequence[Any], cotangents: Sequence[Any]
    ) -> list[NDArray[Any]]:
        model = call.model
        state = [variable.value for variable in model.non_trainable_variables]

        def outputs(weights: list[Any]) -> list[Any]:
            values = [*zip(model.trainable_variables, weights, strict=True)]
            values += zip(model.non_trainable_variables, state, strict=True)
            with keras.StatelessScope(state_mapping=values):
                return list(call([jax.numpy.asarray(value) for value in inputs]))

        def pulled_back(weights: list[Any], cotangents: list[Any]) -> list[Any]:
            (found,) = jax.vjp(outputs, weights)[1](cotangents)
            return list(found)

        found = jax.jit(pulled_back)(
            [variable.value for variable in model.trainable_variables],
            [jax.numpy.asarray(value) for value in cotangents],
        )
        return [np.asarray(gradient) for gradient in found]

    def allow_double(self) -> None:
        jax.config.update("jax_enable_x64", True)

    def pulled_back(
        self,
        function: Callable[[list[Any]], list[Any]],
        tensors: Sequence[Any],
        variables: Sequence[Any],
        cotangents: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        def outputs(given: list[Any], weights: list[Any]) -> list[Any]:
            with keras.StatelessScope(state_mapping=[*zip(variables, weights, strict=True)]):
                return function(given)

        _, pull = jax.vjp(outputs, list(tensors), [variable.value for variable in variables])
        found: tuple[list[Any], list[Any]] = pull(list(cotangents))
        return found


BACKEND = JaxBackend()
