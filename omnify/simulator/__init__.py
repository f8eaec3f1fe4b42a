"""Twilio, VAPI, Postmark, an SMTP server and an OpenAI-compatible API on loopback, spoken to by the unmodified SDKs.

People live behind it: they receive, answer, say STOP, do not pick up. Its ledger holds what each of them received
and is the judge in every reliability test. Nothing here imports Django, so it starts fast and outlives everything else.
"""
