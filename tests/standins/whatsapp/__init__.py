"""A stand-in of the WhatsApp Cloud API: the Graph API with its rules, and signed webhooks."""
