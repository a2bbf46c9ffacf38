"""Checkpoints: nested states of tensors and numbers in one safetensors file, written atomically."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from prismae._files import written_whole
from prismae.errors import InputError

_TENSOR = "tensor:"
_DIGEST = "sha256"  # key of the file's metadata


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a nested state (dicts, lists, tensors, plain values); a reader sees the old file or the new one."""
    tensors: dict[str, Tensor] = {}
    plain = _strip(state, "", tensors)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        write_tensors(part, tensors, {"state": json.dumps(plain)})
        with open(part, "rb") as file:  # on disk before the old file goes
            os.fsync(file.fileno())


def load_state(path: Path) -> dict[str, Any]:
    """Read what `save_state` wrote, on the CPU. Nothing is unpickled."""
    tensors, metadata = _read(path)
    try:
        return _fill(json.loads(metadata["state"]), tensors)
    except (LookupError, TypeError, ValueError, RecursionError) as error:  # of another's making
        raise InputError(f"{str(path)!r} is not a state that prismae saved ({error!r}).") from None


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file, with a digest of all that is in it.

    Raises
    ------
    OSError
        Whatever kept it from being written: safetensors has an error of its own for that.
    """
    about = dict(metadata or {})
    path.touch()  # as the umask has it for every file
    mode = stat.S_IMODE(path.stat().st_mode)
    try:
        save_file(tensors, path, metadata=about | {_DIGEST: _digest(tensors, about)})
    except SafetensorError as error:
        number = re.search(r"(?:os error|Os \{ code:) (\d+)", str(error))  # as several versions have it
        if number is None:
            raise OSError(f"{path.name} could not be written ({error})") from None
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None
    path.chmod(mode)  # that of safetensors is for its owner only


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU."""
    return _read(path)[0]


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = file.metadata() or {}
    except SafetensorError as error:
        raise InputError(f"{str(path)!r} is damaged: it cannot be read as safetensors ({error}).") from None
    digest = about.pop(_DIGEST, None)
    # earlier versions wrote none; where its key is damaged there is another one
    if about.keys() - {"state"} if digest is None else digest != _digest(tensors, about):
        raise InputError(f"{str(path)!r} is damaged: its content is not what was written.")
    return tensors, about


def _digest(tensors: dict[str, Tensor], about: dict[str, str]) -> str:
    """A digest of names, types, shapes and values, any of which a disk may change without a word."""
    found = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _strip(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return _TENSOR + name
    if isinstance(value, dict):
        # optimisers key their state by number; JSON would make those texts
        return {"keys": list(value), "values": [_strip(v, f"{name}/{k}", tensors) for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [_strip(v, f"{name}/{k}", tensors) for k, v in enumerate(value)]
    return value


def _fill(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, dict):
        return {key: _fill(v, tensors) for key, v in zip(value["keys"], value["values"], strict=True)}
    if isinstance(value, list):
        return [_fill(v, tensors) for v in value]
    return value
