"""The commands of the command line, one module a subject; each adds its own to the parser."""
