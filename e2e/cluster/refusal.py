class Refusal(Exception):  # noqa: N818 - it is an answer to the user, one line long, and no defect
    """Why something cannot be done, in one line that says what was found and what to do."""
