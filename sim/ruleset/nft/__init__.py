"""nft's language: words and grammar, what it means (to ../model.py), how nft lists it, the tool itself."""
