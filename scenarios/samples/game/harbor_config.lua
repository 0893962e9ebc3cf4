-- A config file for skynet, of each slave of harbor_id_from_environment.lua: its id comes from the environment.

thread = 4
harbor = "$HARBOR_ID"

master = "10.0.0.1:2013"
address = "$ADDRESS"

start = "main"
