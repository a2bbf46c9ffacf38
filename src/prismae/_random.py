"""Random numbers of one's own: what a stretch of code draws from PyTorch, without the generator of the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from prismae.errors import InputError

_DRAWING: set[Callable[..., Any]] = {  # they take a generator
    torch.rand,
    torch.randn,
    torch.randint,
    torch.randperm,
    torch.normal,
    torch.bernoulli,
    torch.binomial,
    torch.multinomial,
    torch.poisson,
    torch._sample_dirichlet,
    torch._standard_gamma,
    Tensor.bernoulli,
    Tensor.multinomial,
    Tensor.bernoulli_,
    Tensor.cauchy_,
    Tensor.exponential_,
    Tensor.geometric_,
    Tensor.log_normal_,
    Tensor.normal_,
    Tensor.random_,
    Tensor.uniform_,
    nn.init.kaiming_uniform_,
    nn.init.normal_,
    nn.init.uniform_,
}
_ALIKE: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.rand_like: Tensor.uniform_,
    torch.randn_like: Tensor.normal_,
}
_BORROWING: set[Callable[..., Any]] = {  # they take none, and draw inside
    torch.dropout,
    torch.feature_dropout,
    torch.pca_lowrank,
    torch.randint_like,
    torch.svd_lowrank,
    F.alpha_dropout,
    F.dropout1d,
    F.dropout2d,
    F.dropout3d,
    F.feature_alpha_dropout,
    F.gumbel_softmax,
    F.multi_head_attention_forward,
    F.rrelu,
    F.scaled_dot_product_attention,
}
_BY_ROWS: set[Callable[..., Any]] = {  # of a batch, which they draw for element by element or row by row
    torch.rand_like,
    torch.randn_like,
    torch.bernoulli,
    torch.dropout,
    torch.feature_dropout,
    Tensor.bernoulli,
    F.dropout,
    F.dropout1d,
    F.dropout2d,
    F.dropout3d,
    F.alpha_dropout,
    F.feature_alpha_dropout,
    F.rrelu,
}
_LAYERED: set[Callable[..., Any]] = {torch.gru, torch.lstm, torch.rnn_relu, torch.rnn_tanh}
_ALL: frozenset[Callable[..., Any]] = frozenset(
    _DRAWING | _ALIKE.keys() | _BORROWING | _BY_ROWS | _LAYERED  # of which F.dropout is one by rows
)
_lent = threading.Lock()  # of PyTorch's own generators, which are the process's


class Draws(TorchFunctionMode):
    """Within it, what this thread draws from PyTorch comes from generators of its own, one for each device.

    They give the numbers that ``torch.manual_seed(seed)`` would. Other threads are not touched and touch nothing, and
    PyTorch's own generators stay where they are. The few functions that take no generator (dropout of whole channels or
    between the layers of a recurrent network, dropout on an accelerator, `gumbel_softmax`) get PyTorch's own for the
    length of the call, with this one's state, one thread at a time; only for these must no other code draw meanwhile.

    Examples
    --------
    >>> with Draws(0):
    ...     a = torch.randn(3)
    >>> with Draws(0):
    ...     b = torch.randn(3)
    >>> torch.equal(a, b)
    True
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self._part: tuple[int, int, int] | None = None
        self.generators: dict[str, torch.Generator] = {}

    def generator(self, device: torch.device | str) -> torch.Generator:
        """That of a device."""
        device = torch.device(device)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        found = self.generators.get(str(device))
        if found is None:
            found = self.generators[str(device)] = torch.Generator(device).manual_seed(self.seed)
        return found

    def state(self, device: torch.device) -> dict[str, Tensor]:
        """Where the generators of the CPU and of an accelerator stand: a copy, under the names of the kinds."""
        return {each.type: self.generator(each).get_state() for each in {torch.device("cpu"), device}}

    def restore(self, state: dict[str, Tensor], device: torch.device) -> None:
        """Go on where `state` was taken."""
        for each in {torch.device("cpu"), device}:
            self.generator(each).set_state(state[each.type])

    @contextmanager
    def rewound(self, *, fresh: bool = False) -> Iterator[None]:
        """What is drawn within is drawn again after it; `fresh`: within, from the seed on, the same every time."""
        before = {device: each.get_state() for device, each in self.generators.items()}
        if fresh:
            for each in self.generators.values():
                each.manual_seed(self.seed)
        try:
            yield
        finally:
            self.generators = {d: each for d, each in self.generators.items() if d in before}
            for device, state in before.items():
                self.generators[device].set_state(state)

    @contextmanager
    def part(self, rank: int, parts: int, rows: int) -> Iterator[None]:
        """Within, what is drawn for a part of a batch, of `rows` rows, is that part of what the whole would draw."""
        self._part = rank, parts, rows
        try:
            yield
        finally:
            self._part = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in _ALL:  # nearly always
            return func(*args, **kwargs)
        if self._part is not None and _draws(func, args, kwargs):
            return self._in_part(func, args, kwargs, *self._part)
        if func in _DRAWING:
            device = torch.device(_device(args, kwargs))
            if kwargs.get("generator") is None and device.type != "meta":  # where nothing is drawn
                kwargs = {**kwargs, "generator": self.generator(device)}
        elif func in _ALIKE:
            return self._alike(_ALIKE[func], *args, **kwargs)
        elif func is F.dropout:
            return self._dropout(*args, **kwargs)
        elif func in _BORROWING or (func in _LAYERED and _drops(args)):
            return self._borrowing(func, args, kwargs)
        return func(*args, **kwargs)

    def _in_part(
        self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any, rank: int, parts: int, rows: int
    ) -> Any:
        """Draw for a whole batch, and take a part. Where the draw depends on values, those of other parts do not
        matter, so they are this part's."""
        if func in (torch.rand, torch.randn):
            shape = tuple(kwargs.pop("size", args))
            shape = tuple(shape[0]) if shape and not isinstance(shape[0], int) else shape
            whole: tuple[Any, ...] = (parts * shape[0], *shape[1:]) if shape else ()
        elif func in _BY_ROWS:
            shape, whole = args[0].shape, (_tiled(args[0], parts), *args[1:])
        else:
            shape = ()
        if not shape or shape[0] != rows:
            raise InputError(
                f"A network that draws by {func.__name__} cannot train on several devices, which share a batch's rows: "
                "expected draws for each row (dropout, rand, randn), or devices=1."
            )
        given, self._part = self._part, None
        try:
            return self.__torch_function__(func, (), whole, kwargs).chunk(parts)[rank]
        finally:
            self._part = given

    def _alike(
        self, draw: Callable[..., Tensor], like: Tensor, *, requires_grad: bool = False, **given: Any
    ) -> Tensor:
        generator = given.pop("generator", None)
        made = torch.empty_like(like, **given)
        return draw(made, generator=generator or self.generator(made.device)).requires_grad_(requires_grad)

    def _dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """`torch.nn.functional.dropout`; on the CPU the same bits from a generator of one's own."""
        if not training or p == 0:
            return F.dropout(input, p, training, inplace)
        if input.device.type != "cpu" or inplace or not 0 < p < 1:
            return self._borrowing(F.dropout, (input, p, training, inplace), {})
        kept = torch.empty_like(input).bernoulli_(1 - p, generator=self.generator(input.device))
        return input * kept.div_(1 - p)

    def _borrowing(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function while PyTorch's own generator stands where this one does."""
        device = _device(args, kwargs)
        own = self.generator(device)
        shared = torch.default_generator if device.type == "cpu" else _default(device)
        with _lent:
            before = shared.get_state()
            shared.set_state(own.get_state())
            try:
                return func(*args, **kwargs)
            finally:
                own.set_state(shared.get_state())
                shared.set_state(before)


def _default(device: torch.device) -> torch.Generator:
    """PyTorch's own generator of an accelerator."""
    if device.type == "cuda":
        return torch.cuda.default_generators[
            torch.cuda.current_device() if device.index is None else device.index
        ]
    return torch.mps._get_default_mps_generator()


def _device(args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.device:
    """Where a function draws: where its first tensor is, or where it is told to."""
    for each in (*args, *kwargs.values()):
        if isinstance(each, Tensor):
            return each.device
    return torch.device(kwargs.get("device") or torch.get_default_device())


def _draws(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a function draws, called like this: dropout does not in evaluation, nor by nothing."""
    if func is F.dropout:
        given = dict(zip(("p", "training"), args[1:3], strict=False)) | dict(kwargs)
        return bool(given.get("training", True) and given.get("p", 0.5))
    return func in _DRAWING or func in _ALIKE or func in _BORROWING or (func in _LAYERED and _drops(args))


def _tiled(x: Tensor, times: int) -> Tensor:
    """x [rows, ...] several times below itself, laid out in memory as x is: numbers are drawn in that order."""
    order = sorted(range(x.ndim), key=lambda axis: x.stride()[axis], reverse=True)
    tiled = torch.cat([x.permute(order)] * times, order.index(0))
    return tiled.permute([order.index(axis) for axis in range(x.ndim)])


def _drops(args: tuple[Any, ...]) -> bool:
    """Whether a recurrent network drops something between its layers: of its arguments that alone is a fraction."""
    return any(isinstance(each, float) and each > 0 for each in args)
