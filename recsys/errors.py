"""The one exception that means: the user can fix this."""


class UserError(Exception):
    """Something a user gave cannot be used; the message is one line.

    The line names the file, the key or the row, says what is wrong with it, and what to do about it.
    The command line prints it as it is, without a traceback.
    """
