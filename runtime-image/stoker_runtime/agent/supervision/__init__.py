"""The engine as a child process: started, read, told to end, and made to."""
