"""Errors as vLLM words them, in OpenAI's format."""

from http import HTTPStatus


class ApiError(Exception):
    def __init__(
        self, message: str, kind: str = "BadRequestError", status: int = 400, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": status}}


def bad_body(message: str, param: str | None = None) -> ApiError:
    """What does not even have the form of a request has a type of its own there."""
    return ApiError(message, HTTPStatus.BAD_REQUEST.phrase, 400, param)


def unknown_model(name: object, served: str) -> ApiError:
    message = f"The model `{name}` does not exist. Valid aliases: {served}."
    return ApiError(message, "NotFoundError", 404, "model")


def too_long(context_length: int, prompt_tokens: int) -> ApiError:
    message = (
        f"This model's maximum context length is {context_length} tokens. However, your prompt contains "
        f"{prompt_tokens} input tokens, which exceeds this limit even without any output tokens. "
        "Please reduce the length of the input prompt."
    )
    return ApiError(message, param="input_tokens")


def unavailable(message: str) -> ApiError:
    return ApiError(message, "ServiceUnavailableError", 503)
