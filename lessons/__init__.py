"""Lessons: Markdown that runs. README.md teaches how to write one."""
