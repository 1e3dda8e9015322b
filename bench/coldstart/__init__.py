"""Where the time goes until real vLLM answers, and what each measure of the image saves of it."""
