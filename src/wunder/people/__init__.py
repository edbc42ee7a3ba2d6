"""People: who may sign in, with which password, as what, and what they changed."""
