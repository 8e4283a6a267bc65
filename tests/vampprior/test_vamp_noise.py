"""The generator inside the training step: known answers and moments."""

import keras
import numpy as np
import pytest
from keras import ops

from vaekit import random as noise


# Known answers of the authors' reference implementation (Random123, 20 rounds).
@pytest.mark.parametrize(
    "key, counter, answer",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_published_answers(key, counter, answer):
    key = [ops.convert_to_tensor(np.uint32(k)) for k in key]
    counters = [ops.convert_to_tensor(np.array([c], np.uint32)) for c in counter]
    bits = noise.threefry(key, counters)
    assert tuple(int(ops.convert_to_numpy(b)[0]) for b in bits) == answer


def test_uniform_and_normal_have_their_moments_and_never_repeat():
    generator = keras.random.SeedGenerator(3)
    u = ops.convert_to_numpy(noise.uniform(generator, (301, 333)))
    assert u.min() >= 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 0.005 and abs(u.var() - 1 / 12) < 0.002
    z = ops.convert_to_numpy(noise.normal(generator, (301, 333)))
    assert np.isfinite(z).all() and abs(z.mean()) < 0.015 and abs(z.std() - 1) < 0.01
    assert abs((z**4).mean() - 3) < 0.15
    assert abs(np.corrcoef(z[:-1].ravel(), z[1:].ravel())[0, 1]) < 0.015
    assert (ops.convert_to_numpy(noise.normal(generator, (301, 333))) != z).all()
    same = keras.random.SeedGenerator(3)
    np.testing.assert_array_equal(ops.convert_to_numpy(noise.uniform(same, (301, 333))), u)
