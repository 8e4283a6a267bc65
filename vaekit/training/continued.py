"""Training on: a run that begins where a shorter one of the same configuration ended."""

from pathlib import Path

from vaekit import files
from vaekit.errors import UserError
from vaekit.runs import ENVIRONMENT, differences, read_records
from vaekit.training import checkpoints


def continue_from(run, sources, phase):
    """Let a run begin at the end of a finished one of the same settings and no more epochs.

    The result is that of all epochs in one go. A run that has begun already stays as it is, so the
    same command resumes it.

    Args:
        run: the `runs.Run` to begin.
        sources: folders of finished runs; the first that fits is taken, and stays as it is.
        phase: name of the training within the run.
    Raises:
        UserError: none of the folders fits; says why for each.
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
        f"{run.directory} cannot go on from what --continue-from names. " + "; ".join(reasons) + "."
    )


def _misfit(run, source, phase):
    """Why a run cannot go on from a folder, or None where it can."""
    checkpoint = source / "last" / f"{phase}.npz"
    if not (source / "config.json").exists() or not checkpoint.exists():
        return f"no run with a checkpoint (config.json and last/{phase}.npz are looked for)"
    found = files.read_json(source / "config.json")
    wanted = run.config["config"]["epochs"]
    there = found.get("config", {}).get("epochs", 0)
    as_asked = found | {"config": found.get("config", {}) | {"epochs": wanted}}
    changes = differences(as_asked, run.config, run.defaults)
    if changes:
        return f"another configuration ({', '.join(changes)})"
    _, state = checkpoints.load(checkpoint)
    if not state["finished"]:
        return "not finished; give its own command again first"
    if state["best"] is not None:
        return "early stopping put the best epoch's weights in the place of the last ones"
    if there > wanted:
        return f"{there} epochs there, {wanted} asked; give more with --epochs"
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
    # Last: a kill before this line leaves a run that has not begun.
    checkpoints.save(run.checkpoint_path(phase), groups, state | {"finished": False})
