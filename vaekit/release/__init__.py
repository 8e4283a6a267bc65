"""Released checkpoints.

For use from outside: `shelf` (find and download a checkpoint by name, list, verify) and `publish`
(copy a finished run into the folder of released checkpoints).
"""
