"""The command line, as `stoker` and as `kubectl stoker`. A command is a module with add_to() and run()."""
