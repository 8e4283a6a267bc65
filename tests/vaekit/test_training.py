"""The training loop: resuming to the same result, early stopping, divergence, batch order."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from vaekit import runs, training
from vaekit.errors import UserError
from vaekit.training import checkpoints
from vaekit.training.batches import shuffled_batches
from vaekit.training.continued import continue_from


class NoisyLine(keras.Model):
    """A regression with noise of its own: random state must survive a resume."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
        self.noise = keras.random.SeedGenerator(3)
        self.build((None, 2))

    def build(self, shape):
        self.dense.build(shape)
        self.built = True

    def call(self, x, training=False):
        return self.dense(ops.cast(x, "float32"))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        noise = keras.random.normal(ops.shape(y_pred), seed=self.noise)
        return ops.mean(ops.square(y_pred - 1.0 + 0.1 * noise))


DATA = np.random.default_rng(0).integers(0, 5, (23, 2)).astype(np.uint8)


def train(folder, epochs, rate=0.05, **options):
    keras.utils.set_random_seed(1)
    model = NoisyLine()
    model.compile(optimizer=keras.optimizers.Adam(rate))
    with runs.Run(folder, {"epochs": 6}, checkpoint_seconds=0) as run:
        records = training.fit(
            model, (DATA,), run=run, phase="one", epochs=epochs, batch_size=5, seed=7, **options
        )
    return model, [{k: v for k, v in r.items() if k != "seconds"} for r in records]


def test_resumed_run_equals_uninterrupted_run(tmp_path):
    whole, whole_records = train(tmp_path / "whole", 6)
    train(tmp_path / "cut", 2)
    checkpoint = tmp_path / "cut" / "last" / "one.npz"
    groups, state = checkpoints.load(checkpoint)
    checkpoints.save(checkpoint, groups, state | {"finished": False})  # as a kill leaves it
    with open(tmp_path / "cut" / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"phase": "one", "epoch": 2, "loss": 9.0}\n{"phase": "one", "epo')
    cut, cut_records = train(tmp_path / "cut", 6)
    assert cut_records == whole_records
    for a, b in zip(whole.variables, cut.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_finished_phase_is_not_repeated(tmp_path):
    first, records = train(tmp_path, 2)
    second, again = train(tmp_path, 2)
    assert again == records
    np.testing.assert_array_equal(first.dense.kernel, second.dense.kernel)


def test_early_stopping_keeps_the_best_weights_and_resumes(tmp_path):
    rule = training.EarlyStopping("val/loss", patience=2)
    # With this large a rate, the loss soon rises again after its best value.
    options = {"validation": DATA[:5], "early_stopping": rule, "rate": 3.0}
    _, records = train(tmp_path / "a", 40, **options)
    losses = [r["val/loss"] for r in records]
    best = int(np.argmin(losses))
    assert len(records) == best + 4 < 40  # the third epoch without a better value is the last
    state = checkpoints.load(tmp_path / "a" / "last" / "one.npz")[1]
    assert state["best_epoch"] == best and state["finished"]


@pytest.mark.parametrize(("warmup_epochs", "trained"), [(0, 4), (2, 4), (6, 8)])
def test_waiting_begins_at_the_end_of_warm_up(tmp_path, warmup_epochs, trained):
    rule = training.EarlyStopping("epoch", patience=2, warmup_epochs=warmup_epochs)
    _, records = train(tmp_path, 40, early_stopping=rule)
    state = checkpoints.load(tmp_path / "last" / "one.npz")[1]
    assert len(records) == trained and state["best_epoch"] == 0


def test_what_a_run_cannot_continue(tmp_path):
    def settings(epochs):
        return {"package": "p", "config": {"epochs": epochs, "lr": 0.1}}

    def source(name, epochs, **state):
        with runs.Run(tmp_path / name, settings(epochs)) as run:
            checkpoints.save(run.checkpoint_path("one"), {}, {"epoch": epochs, **state})
        return run.directory

    stopped = source("stopped", 3, finished=True, best=-1.0)
    killed = source("killed", 3, finished=False, best=None)
    longer = source("longer", 6, finished=True, best=None)
    fitting = source("fitting", 4, finished=True, best=None)
    with runs.Run(tmp_path / "new", settings(5)) as run:
        with pytest.raises(UserError) as error:
            continue_from(run, [tmp_path / "nowhere", stopped, killed, longer], "one")
        reasons = str(error.value)
        assert "nowhere: it is not a run with a checkpoint" in reasons
        assert "stopped: early stopping replaced its last weights" in reasons
        assert "killed: it is not finished" in reasons
        assert "it has 6 epochs, more than the requested 5" in reasons
        assert not run.checkpoint_path("one").exists()
        continue_from(run, [longer, fitting], "one")
        _, state = checkpoints.load(run.checkpoint_path("one"))
        assert (state["epoch"], state["finished"]) == (4, False)
        # A run that has already begun resumes, whatever the sources are.
        continue_from(run, [tmp_path / "nowhere"], "one")


def test_nan_loss_names_epoch_and_leaves_the_checkpoint(tmp_path):
    train(tmp_path, 1)
    checkpoint = tmp_path / "last" / "one.npz"
    groups, state = checkpoints.load(checkpoint)
    checkpoints.save(checkpoint, groups, state | {"finished": False})
    before = checkpoint.read_bytes()
    with pytest.raises(training.TrainingDiverged, match=r"epoch 2, step \d+: the loss is"):
        train(tmp_path, 3, learning_rate=lambda epoch, rate: float("inf"))
    assert checkpoint.read_bytes() == before


def test_learning_rate_halves():
    rate = training.halved_every(1e-4, 250)
    assert [rate(e) for e in (0, 249, 250, 500)] == [1e-4, 1e-4, 5e-5, 2.5e-5]
    assert training.halved_every(1e-4, 0)(10_000) == 1e-4


def test_batches_are_permutations_that_depend_on_seed_and_epoch_alone():
    data = np.arange(11, dtype=np.uint8)[:, None]

    def epochs(first, count):
        batches, steps = shuffled_batches((data,), 3, seed=5, first_epoch=first)
        flat = [np.asarray(x)[:, 0] for (x,) in itertools.islice(batches, count * steps)]
        return np.reshape(flat, (count, -1))

    two = epochs(0, 2)
    assert all(len(set(epoch)) == 9 for epoch in two.tolist())
    assert two[0].tolist() != two[1].tolist()
    np.testing.assert_array_equal(epochs(1, 1)[0], two[1])


def test_fewer_images_than_a_batch_is_refused():
    with pytest.raises(
        UserError, match="Expected at least one batch of 4 training images, got 3 images"
    ):
        shuffled_batches((DATA[:3],), 4, seed=0)


def test_predict_fills_and_cuts_the_last_batch():
    shapes = []

    def double(x):
        shapes.append(x.shape)
        return 2 * x, x[:, 0]

    a, b = training.predict(double, np.arange(14.0).reshape(7, 2), batch_size=4)
    assert shapes == [(4, 2)] * 2
    np.testing.assert_array_equal(a, 2 * np.arange(14.0).reshape(7, 2))
    np.testing.assert_array_equal(b, np.arange(0, 14, 2))
