"""The one exception that a user's mistake raises."""


class UserError(ValueError):
    """Bad input: the message says what came, what is taken and what to do.

    Command lines print it as one line and exit with a status other than 0; nothing is written over.
    """
