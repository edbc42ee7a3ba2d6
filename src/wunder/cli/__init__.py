"""The command line: everything an operator or a channel author does from a terminal."""
