"""A stand-in for GOV.UK Notify and the telephones behind it, in a process of its own, for demonstrations and tests.

It speaks Notify's wire, brings receipts and replies, keeps what it accepted through any crash, and can be told to
fail, delay or lose things. Nobody is ever texted.
"""
