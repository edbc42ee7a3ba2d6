"""`wunder plugin call`: a channel called line by line, without a gateway, an account or a store."""
