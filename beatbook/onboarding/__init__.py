"""Bringing a department: settings proposed from sample files, and what is not yet mapped.

:mod:`~beatbook.onboarding.proposing` writes a new department's folder,
:mod:`~beatbook.onboarding.checking` says how far it has come. What they guess is always said
with its evidence, and what only a person can know is marked ``DECIDE``.
"""
