"""A stand-in for GOV.UK Notify, Twilio and the telephones behind them, in a process of its own.

It speaks either's wire, brings receipts and replies, keeps what it accepted through any crash, and can be told to fail,
delay, repeat or lose things. Nobody is ever texted. It is for demonstrations and tests.
"""
