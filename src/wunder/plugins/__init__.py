"""What is installed: packages, approvals, releases, and who may switch them."""
