"""`wunder doctor`: what keeps a gateway from working on this machine, found without changing anything."""
