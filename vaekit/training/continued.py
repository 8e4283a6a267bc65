"""Longer training: a run that begins where a shorter one of the same configuration ended."""

from pathlib import Path

from vaekit import files
from vaekit.configs import CONFIG
from vaekit.environment import ENVIRONMENT
from vaekit.errors import UserError
from vaekit.runs import differences, read_records
from vaekit.training import checkpoints


def continue_from(run, sources, phase):
    """Start a run from the end of a finished one with the same settings and at most as many epochs.

    The result equals that of training all epochs at once. A run that has already begun is not
    changed, so that the same command resumes it.

    Args:
        run: the `runs.Run` to begin.
        sources: folders of finished runs; the first suitable one is used, and is not changed.
        phase: name of the training within the run.
    Raises:
        UserError: none of the folders is suitable; the message gives the reason for each.
    """
    target = run.checkpoint_path(phase)
    if target.exists():
        return
    reasons = []
    for source in map(Path, sources):
        reason = _misfit(run, source, phase)
        if reason is None:
            _take_over(run, source, phase)
            return
        reasons.append(f"{source}: {reason}")
    raise UserError(
        f"{run.directory} cannot continue any run named by --continue-from: {'; '.join(reasons)}."
    )


def _misfit(run, source, phase):
    """Why a run cannot continue from a folder, or None if it can."""
    checkpoint = source / "last" / f"{phase}.npz"
    if not (source / CONFIG).exists() or not checkpoint.exists():
        return f"it is not a run with a checkpoint ({CONFIG} and last/{phase}.npz)"
    found = files.read_json(source / CONFIG)
    wanted = run.config["config"]["epochs"]
    there = found.get("config", {}).get("epochs", 0)
    as_wanted = found | {"config": found.get("config", {}) | {"epochs": wanted}}
    changes = differences(as_wanted, run.config, run.defaults)
    if changes:
        return f"it has another configuration ({', '.join(changes)})"
    _, state = checkpoints.load(checkpoint)
    if not state["finished"]:
        return "it is not finished; run its own command again first"
    if state["best"] is not None:
        return "early stopping replaced its last weights by those of the best epoch"
    if there > wanted:
        return f"it has {there} epochs, more than the requested {wanted}; pass a larger --epochs"
    return None


def _take_over(run, source, phase):
    groups, state = checkpoints.load(source / "last" / f"{phase}.npz")
    run.forget_after(phase, 0)
    for record in read_records(source, phase):
        run.log(record)
    made = files.read_json(run.directory / ENVIRONMENT)
    before = files.read_json(source / ENVIRONMENT)
    before["run"] = "/".join(source.resolve().parts[-2:])
    before["epochs"] = state["epoch"]
    files.write_json(run.directory / ENVIRONMENT, made | {"continued_from": before})
    # This comes last: if the process is killed before this line, the run has not begun.
    checkpoints.save(run.checkpoint_path(phase), groups, state | {"finished": False})
