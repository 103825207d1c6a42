"""What a person types on a machine: the shell, and a file a command."""
