"""Storage: what goes in comes out, drawn by index."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from prismae.data.storage import BitPacked, Dense, spaced

images = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=2, max_dims=4, max_side=9), elements=st.integers(0, 1)
)


def bit_packed(x: np.ndarray) -> BitPacked:
    return BitPacked(torch.from_numpy(np.packbits(x.reshape(len(x), -1), axis=1)), x.shape[1:])


@settings(deadline=None, max_examples=60)
@given(x=images, data=st.data())
def test_bit_packed_gives_back_what_was_packed(x: np.ndarray, data: st.DataObject) -> None:
    stored = bit_packed(x)
    rows = data.draw(st.lists(st.integers(0, len(x) - 1), max_size=20))
    drawn = stored[torch.tensor(rows, dtype=torch.int64)]
    assert drawn.dtype == torch.float32
    assert stored.shape == x.shape[1:]
    np.testing.assert_array_equal(drawn.numpy(), x[rows])


def test_dense_scales_bytes_and_leaves_floats() -> None:
    rows = torch.tensor([1, 0])
    x = np.array([[0, 51], [255, 102]], dtype=np.uint8)
    np.testing.assert_allclose(Dense(torch.from_numpy(x))[rows].numpy(), x[::-1] / 255, rtol=1e-6)
    y = torch.tensor([[0.5, -3.0], [7.0, 255.0]])
    assert torch.equal(Dense(y)[rows], y.flip(0))


def test_drawing_a_batch_of_images_is_fast() -> None:
    rng = np.random.default_rng(0)
    stored = BitPacked(
        torch.from_numpy(rng.integers(0, 256, size=(50_000, 512), dtype=np.uint8)), (1, 64, 64)
    )
    batches = [torch.from_numpy(rng.integers(50_000, size=256)) for _ in range(50)]
    start = time.process_time()
    for batch in batches:
        stored[batch]
    assert (time.process_time() - start) / len(batches) < 0.02  # about 0.0002 on an idle core


@pytest.mark.gpu
def test_bit_packed_draws_the_same_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    x = np.random.default_rng(0).integers(0, 2, size=(30, 1, 7, 9), dtype=np.uint8)
    rows = torch.arange(30)
    assert torch.equal(bit_packed(x).to("cuda")[rows.cuda()].cpu(), bit_packed(x)[rows])


@pytest.mark.parametrize("n", [1, 2, 7, 2_000, 16_777_220, 2**31 + 3])
@pytest.mark.parametrize("most", [1, 2, 8, 2_000])
def test_spaced_rows_run_from_the_first_to_the_last_in_even_steps(n, most):
    # single precision has no 16,777,219: rounded, it is the first index that does not exist
    rows = spaced(n, most).tolist()
    assert len(rows) == min(n, most)
    assert (rows[0], rows[-1]) == (0, n - 1 if len(rows) > 1 else 0)
    steps = {after - before for before, after in itertools.pairwise(rows)}
    assert not steps or 1 <= min(steps) <= max(steps) <= min(steps) + 1
