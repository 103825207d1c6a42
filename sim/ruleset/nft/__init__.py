"""nft's language, as nft 1.0.6 takes and prints it, to and from ../model.py.

    words scanner nft.lark engine      text to tokens to reductions, with bison's own errors
    syntax expressions statements blocks actions read      what is written, with its places; variables, includes
    literals fields elements comparing rules doing chains sets       what it means
    draft transaction parse      commands applied to a Ruleset, all or nothing
    printing show rawshow listing tool      how nft lists it; the command
"""
