"""``portable selftest``: is the verifier itself to be trusted?"""
