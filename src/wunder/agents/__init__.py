"""What answers: echo, any OpenAI-compatible endpoint, or a service over HTTP."""
