"""A stand-in of the WeChat Official Accounts platform: its API with its rules, its callbacks."""
